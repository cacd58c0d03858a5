import BenchmarkSupport
import CBaseline
import Foundation
import PersistenceCore
import PostgresEngine

/// What is measured without waiting for a server: the pool, and decoding.
struct Micro: Sendable {
    var url: String
    var seconds: Double

    /// Nanoseconds for one acquire and release that nobody else wants.
    @concurrent
    func pool(onExecutor: Bool) async throws -> Double {
        try await PostgresDatabase.with(configuration) { database in
            try await Task(executorPreference: onExecutor ? database.executor : nil) {
                try await borrow(database, times: 10_000)
                var best: [Double] = []
                for _ in 0..<5 {
                    let started = baseline_now()
                    var rounds = 0
                    repeat {
                        try await borrow(database, times: 10_000)
                        rounds += 1
                    } while baseline_now() - started < seconds / 5
                    best.append((baseline_now() - started) / Double(rounds) / 10_000)
                }
                return median(best) * 1e9
            }.value
        }
    }

    private func borrow(_ database: PostgresDatabase, times: Int) async throws {
        for _ in 0..<times {
            // As every query does.
            let lease = if let ready = database.leaseIfReady() { ready } else { try await database.lease() }
            _ = consume lease
        }
    }

    /// Nanoseconds for one row of 8 columns, decoded with checks for NULL: the engine's and C's, in turns.
    @concurrent
    func decoding() async throws -> (engine: Double, c: Double) {
        try await PostgresDatabase.with(configuration) { database in
            let result = try await database.result(of: Self.rows)
            let c = try BaselineSession(url: url, workload: BASELINE_READ_MANY)
            try c.fetch()
            var engines: [Double] = []
            var others: [Double] = []
            for _ in 0..<5 {
                engines.append(try time { try Self.decode(result) })
                others.append(try time { try c.decode() })
            }
            return (median(engines), median(others))
        }
    }

    /// Nanoseconds for one of the thousand rows that `body` decodes.
    private func time(_ body: () throws -> Void) throws -> Double {
        let started = baseline_now()
        var rounds = 0
        repeat {
            try body()
            rounds += 1
        } while baseline_now() - started < seconds / 10
        return (baseline_now() - started) / Double(rounds * Schema.readMany) * 1e9
    }

    static let rows: PostgresStatement = """
        SELECT id, owner, name, email, score, is_active, visits, created_at FROM benchmark.items WHERE id <= 1000
        ORDER BY id
        """

    static func decode(_ result: borrowing PostgresResult) throws {
        let items = try result.rows(decodedBy: GetItem.decode)
        guard items.count == Schema.readMany else { throw Failure(description: "rows are missing") }
    }

    var configuration: PostgresConfiguration {
        get throws {
            var configuration = try PostgresConfiguration(uri: url)
            configuration.pool = PostgresPoolConfiguration(minimum: 1, maximum: 1)
            return configuration
        }
    }
}
