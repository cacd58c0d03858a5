import BenchmarkSupport
import CBaseline
import Foundation
import PersistenceCore
import PostgresEngine

/// What one size of one thing costs, measured in a process of its own, whose memory nothing else has used before.
enum Probe: String, CaseIterable {
    /// Rows of 8 columns, all in an array.
    case collect
    /// The same rows, one after the other.
    case stream
    /// A value of so many bytes, as a parameter.
    case send
    /// A value of so many bytes, out of a row.
    case receive

    struct Result: Codable {
        var seconds: Double
        /// How much more memory the process had at its peak than before, in bytes.
        var memory: Double
        /// Why it was refused.
        var refusal: String?
    }

    /// Measures in a child.
    func measure(_ size: Int, url: String) throws -> Result {
        try Child.again(
            ["--probe", rawValue, "--size", "\(size)"], environment: ["POSTGRES_URL": url], as: Result.self)
    }

    /// In the child.
    @concurrent
    func run(_ size: Int, url: String) async throws -> Result {
        try await PostgresDatabase.with(Micro(url: url, seconds: 0).configuration) { database in
            // Connected and prepared, so that neither counts.
            try await operate(1, on: database)
            let before = try Memory.current()
            var times: [Double] = []
            let started = baseline_now()
            do {
                repeat {
                    let start = baseline_now()
                    try await operate(size, on: database)
                    times.append(baseline_now() - start)
                } while baseline_now() - started < 0.2
            } catch let error as PersistenceError {
                return Result(seconds: 0, memory: 0, refusal: "\(error.code): \(error.summary)")
            }
            return Result(seconds: median(times), memory: try Memory.peak() - before)
        }
    }

    private func operate(_ size: Int, on database: PostgresDatabase) async throws {
        let found: Int
        switch self {
        case .collect:
            found = try await database.run(GenerateItems(count: Int64(size))).count
        case .stream:
            var count = 0
            for try await _ in database.stream(GenerateItems(count: Int64(size))) { count += 1 }
            found = count
        case .send:
            let value = Data(repeating: 0x78, count: size)
            found = try await database.one("SELECT octet_length(\(value))", as: Int.self)
        case .receive:
            found = try await database.one(
                "SELECT convert_to(repeat('x', \(Int32(clamping: size))), 'UTF8')", as: Data.self
            ).count
        }
        guard found == size else { throw Failure(description: "\(found) came back where \(size) were asked for") }
    }
}

/// Rows as those of the benchmark's table, as many as one likes.
struct GenerateItems: PostgresRowsQuery {
    typealias Row = Item

    static let name = "GenerateItems"
    static let command = "SELECT"
    static let sql = """
        SELECT i AS id, '01890a5d-ac96-774b-bcce-b302099a8057'::uuid AS owner, 'Person number ' || i AS name,
            'person.' || i || '@mail.example.com' AS email, i / 7.0::double precision AS score, i % 3 = 0 AS is_active,
            (i % 1000)::integer AS visits, timestamptz '2024-01-01 00:00:00+00' AS created_at
        FROM generate_series(1::bigint, $1) AS i
        """

    var count: Int64

    func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
        try parameters.append(count)
    }

    static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> Item {
        try GetItem.decode(row)
    }
}

/// This process's memory in bytes.
enum Memory {
    static func current() throws -> Double { try status("VmRSS") }
    static func peak() throws -> Double { try status("VmHWM") }

    private static func status(_ field: String) throws -> Double {
        #if os(Linux)
            let text = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
            for line in text.split(separator: "\n") where line.hasPrefix(field) {
                if let kilobytes = Double(line.split(whereSeparator: { !$0.isNumber }).first ?? "") {
                    return kilobytes * 1024
                }
            }
            throw Failure(description: "/proc/self/status has no \(field)")
        #else
            var usage = rusage()
            getrusage(RUSAGE_SELF, &usage)
            return Double(usage.ru_maxrss)
        #endif
    }
}
