import PersistenceCore
import PersistenceTesting
import PostgresEngine
import Testing

extension FaultTests {
    @Suite("Tables that change under prepared statements", .privateServer, .timeLimit(.minutes(5)))
    struct PlanInvalidationTests {
        @Test("under load: nobody hears of it, in transactions with a retry policy or without one outside of them")
        func underLoad() async throws {
            try await FaultServer.plain().withDatabase({ $0.pool.maximum = 4 }) { (database, observer) async throws in
                try await observer.withTable("n int, note text") { (table) async throws in
                    try await observer.database.execute(
                        "INSERT INTO \(table) SELECT n, 'x' FROM generate_series(1, 10) AS n")
                    let isDone = Shared(false)
                    defer { isDone.change { $0 = true } }
                    let rounds = Shared(0)
                    let options = PostgresTransactionOptions().retrying(
                        RetryPolicy(maximumAttempts: 20, baseDelay: .milliseconds(1)))
                    let workers = (0..<6).map { worker in
                        Task {
                            while !isDone.value {
                                if worker % 2 == 0 {
                                    let result = try await database.result(of: "SELECT * FROM \(table)")
                                    #expect(result.count == 10)
                                    let sum = try await database.one("SELECT sum(n)::int FROM \(table)", as: Int32.self)
                                    #expect(sum == 55)
                                } else {
                                    let count = try await database.withTransaction(options) { transaction in
                                        try await transaction.result(of: "SELECT * FROM \(table) WHERE n > 0").count
                                    }
                                    #expect(count == 10)
                                }
                                rounds.change { $0 += 1 }
                            }
                        }
                    }
                    let changes: [PostgresStatement] = [
                        "ALTER TABLE \(table) ADD COLUMN extra int DEFAULT 7",
                        "ALTER TABLE \(table) ALTER COLUMN n TYPE bigint",
                        "ALTER TABLE \(table) DROP COLUMN extra",
                        "ALTER TABLE \(table) ALTER COLUMN note TYPE varchar(20)",
                        "ALTER TABLE \(table) ALTER COLUMN n TYPE int",
                        "ALTER TABLE \(table) RENAME COLUMN note TO remark",
                        "CREATE INDEX ON \(table) (n)",
                        "ALTER TABLE \(table) RENAME COLUMN remark TO note",
                    ]
                    for _ in 0..<3 {
                        for change in changes {
                            try await observer.database.execute(change)
                            let before = rounds.value
                            try await eventually("work goes on") { rounds.value >= before + 12 }
                        }
                    }
                    isDone.change { $0 = true }
                    for worker in workers { try await worker.value }
                    #expect(database.statistics.discards == 0)
                }
            }
        }
    }
}
