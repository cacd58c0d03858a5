import BenchmarkSupport
import CBaseline

/// The C side.
///
/// Its calls block, so they run where nothing else waits: the harness runs one contender at a time.
struct Baseline: Sendable {
    var url: String

    func run(_ workload: baseline_workload, connections: Int, seconds: Double) throws -> Sample {
        var result = baseline_result()
        guard baseline_run(url, workload, Int32(connections), seconds, Schema.rows, &result) else {
            throw Failure(description: "in C: \(text(of: result.error))")
        }
        return Sample(result)
    }

    /// Reads of one row in pipeline mode, on 2 connections.
    func runPipelined(clients: Int, seconds: Double) throws -> Sample {
        var result = baseline_result()
        let connections = min(2, clients)
        let depth = Int32(max(1, clients / connections))
        guard baseline_run_pipelined(url, Int32(connections), depth, seconds, Schema.rows, &result) else {
            throw Failure(description: "in C: \(text(of: result.error))")
        }
        return Sample(result)
    }

    func copy(rows: Int) throws -> Sample {
        var result = baseline_result()
        guard baseline_copy(url, Int64(rows), &result) else {
            throw Failure(description: "in C: \(text(of: result.error))")
        }
        return Sample(result)
    }

    func execute(_ sql: String) throws {
        var error = [CChar](repeating: 0, count: 512)
        guard baseline_execute(url, sql, &error) else {
            throw Failure(description: error.withUnsafeBytes { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
    }

    /// Each in a transaction of its own.
    func execute(_ statements: [String]) throws {
        for statement in statements { try execute(statement) }
    }

    var serverVersion: String { Self.version(Int(baseline_server_version(url))) }

    static var libraryVersion: String { version(Int(baseline_libpq_version())) }

    private static func version(_ number: Int) -> String {
        number == 0 ? "?" : "\(number / 10_000).\(number % 10_000)"
    }
}

/// One connection of libpq, for what is counted from outside.
struct BaselineSession: ~Copyable {
    private let session: OpaquePointer

    init(url: String, workload: baseline_workload) throws {
        var error = [CChar](repeating: 0, count: 512)
        guard let session = baseline_open(url, workload, &error) else {
            throw Failure(description: error.withUnsafeBytes { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
        self.session = session
    }

    deinit {
        baseline_close(session)
    }

    func operate(_ count: Int) throws {
        guard baseline_operate(session, Int64(count), Schema.rows) else {
            throw Failure(description: "an operation failed in C")
        }
    }

    /// Fetches the 1,000 rows that ``decode()`` decodes.
    func fetch() throws {
        guard baseline_fetch(session) else { throw Failure(description: "rows could not be fetched in C") }
    }

    func decode() throws {
        guard baseline_decode(session) else { throw Failure(description: "rows could not be decoded in C") }
    }
}
