import BenchmarkSupport
import Foundation
import PersistenceCore
import PostgresEngine

/// Makes comparisons out of their names, such as `W1x16`.
struct Suite {
    /// Where the tables are.
    var url: String
    /// The same tables on a server with TLS; `nil` when no workload needs it.
    var secureURL: String?
    /// The programs and libraries that are measured beside; `nil` leaves them out.
    var peers: Peers?

    /// What runs unless something else is asked for.
    static let all = [
        "W1x1", "W1x16", "W1x64", "W1sx16", "W1sx64", "W2x1", "W2x8", "W3", "W4x8", "W4dx8", "W1tx1",
        "W1tx16", "W3t",
    ]

    static let help = """
        W1 reads one row of 8 columns by primary key, prepared; W1s does it on 2 pipelined connections that all tasks \
        share, W1t over TLS. W2 reads 1,000 such rows into structs. W3 brings 100,000 rows in (W3t over TLS). W4 is a \
        transaction of BEGIN, select for update, update, insert and COMMIT, which does not wait for the disk, so that the \
        clients are what differs; W4d waits. xN is the number of tasks.
        """

    /// Whether a workload needs the server with TLS.
    static func isSecure(_ name: String) -> Bool { name.hasPrefix("W1t") || name == "W3t" }

    /// Makes a comparison.
    func comparison(_ name: String) throws -> Comparison {
        switch name {
        case "W3": return copying("W3", on: url, peers: peers)
        case "W3t": return copying("W3 over TLS", on: try secured(), peers: nil)
        default: break
        }
        let parts = name.split(whereSeparator: { $0 == "x" || $0 == "×" })
        guard parts.count == 2, let tasks = Int(parts[1]), (1...150).contains(tasks) else { throw unknown(name) }
        switch parts[0] {
        case "W1": return try readingOne(tasks)
        case "W1s": return try readingShared(tasks)
        case "W1t": return try readingOneSecurely(tasks)
        case "W2": return try readingMany(tasks)
        // The second is how the flights of W4 were once asked for.
        case "W4", "W4p": return try transacting(tasks, isDurable: false)
        case "W4d": return try transacting(tasks, isDurable: true)
        default: throw unknown(name)
        }
    }

    /// The same server, whose sessions commit without waiting for the disk.
    static func asynchronous(_ url: String) -> String {
        guard !url.contains("synchronous_commit") else { return url }
        return url + (url.contains("?") ? "&" : "?") + "options=-c%20synchronous_commit%3Doff"
    }

    func secured() throws -> String {
        guard let secureURL else { throw Failure(description: "there is no server with TLS") }
        return secureURL
    }

    private func unknown(_ name: String) -> Failure {
        Failure(description: "\(name) is not a workload such as W1x16, W1sx64, W1tx1, W2x8, W3, W3t or W4x8")
    }
}
