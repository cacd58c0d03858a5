import BenchmarkSupport
import CBaseline
import PersistenceCore
import PostgresEngine

/// A thousand statements that differ in their text, on one connection.
struct StatementMix: Sendable {
    struct Result: Sendable {
        /// Operations per second, each statement after the other, again and again.
        var inTurn: Double
        /// Operations per second when nine of ten are of the same fifty statements.
        var skewed: Double
        /// How many statements the server had prepared at the end.
        var prepared: Int
    }

    private static let statements = 1_000
    private static let operations = 4_000

    var database: PostgresDatabase

    func run() async throws -> Result {
        try await Task(executorPreference: database.executor) {
            let inTurn = try await time { $0 % Self.statements }
            var random: UInt64 = 0x9E37_79B9_7F4A_7C15
            let skewed = try await time { _ in
                let isCommon = baseline_next(&random, 10) > 1
                return Int(baseline_next(&random, Int64(isCommon ? 50 : Self.statements))) - 1
            }
            let prepared = try await database.one(
                // Without this very statement.
                "SELECT count(*) FROM pg_prepared_statements WHERE statement NOT LIKE '%pg_prepared_statements%'",
                as: Int.self)
            return Result(inTurn: inTurn, skewed: skewed, prepared: prepared)
        }.value
    }

    /// Operations per second of the statements that `choose` names.
    private func time(_ choose: (Int) -> Int) async throws -> Double {
        let texts = (1...Self.statements).map { "SELECT name FROM benchmark.items WHERE id = \($0) AND visits >= $1" }
        var parameters = PostgresParameters()
        try parameters.append(Int32(0))
        for text in texts {
            _ = try await database.one(PostgresStatement(sql: text, parameters: parameters), as: String.self)
        }
        let started = baseline_now()
        for operation in 0..<Self.operations {
            let statement = PostgresStatement(sql: texts[choose(operation)], parameters: parameters)
            _ = try await database.one(statement, as: String.self)
        }
        return Double(Self.operations) / (baseline_now() - started)
    }
}
