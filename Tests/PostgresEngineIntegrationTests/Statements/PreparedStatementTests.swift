import PersistenceCore
import PostgresEngine
import Testing

@Suite("Prepared statements", .engineServer)
struct PreparedStatementTests {
    private static func prepared(_ connection: PostgresConnection) async throws -> Int64 {
        try await connection.one("SELECT count(*) FROM pg_prepared_statements", as: Int64.self)
    }

    @Test("a statement is prepared once per connection")
    func once() async throws {
        try await EngineTestServer.with { (database) async throws in
            try await database.withConnection { connection in
                let before = try await Self.prepared(connection)
                for number in Int64(0)..<5 { _ = try await connection.run(AddNumbers(left: number, right: 1)) }
                #expect(try await Self.prepared(connection) == before + 1)
            }
        }
    }

    @Test("more statements than the cache holds leave the server with as many as it holds")
    func eviction() async throws {
        try await EngineTestServer.with({ $0.statementCacheSize = 8 }) { (database) async throws in
            try await database.withConnection { connection in
                for number in 0..<50 {
                    let row = try await connection.one(
                        PostgresStatement(sql: "SELECT \(number)"), as: Int32.self)
                    #expect(row == Int32(number))
                }
                let count = try await Self.prepared(connection)
                // What was let go last is deallocated with the next statement.
                #expect((8...10).contains(count))
            }
        }
    }

    @Test("without a cache, and in unnamed mode, nothing is prepared")
    func unnamed() async throws {
        let changes: [@Sendable (inout PostgresConfiguration) -> Void] = [
            { $0.statementCacheSize = 0 }, { $0.statementMode = .unnamed },
        ]
        for change in changes {
            try await EngineTestServer.with(change) { (database) async throws in
                try await database.withConnection { connection in
                    _ = try await connection.run(AddNumbers(left: 1, right: 1))
                    let (two, five) = try await connection.pipeline(
                        AddNumbers(left: 1, right: 1), AddNumbers(left: 2, right: 3))
                    #expect(two == 2)
                    #expect(five == 5)
                    #expect(try await Self.prepared(connection) == 0)
                }
                try await database.withTransaction { transaction in
                    let four = try await transaction.run(AddNumbers(left: 2, right: 2))
                    #expect(four == 4)
                }
            }
        }
    }

    @Test("a changed table is noticed, and the statement prepared anew")
    func stalePlan() async throws {
        try await EngineTestServer.withTable("a int") { (database, table) async throws in
            try await database.withConnection { connection in
                try await connection.execute("INSERT INTO \(table) VALUES (1)")
                let select: PostgresStatement = "SELECT * FROM \(table)"
                _ = try await connection.one(select, as: Int32.self)
                try await connection.execute("ALTER TABLE \(table) ADD COLUMN b text DEFAULT 'new'")
                let row = try await connection.one(select, as: (Int32, String).self)
                #expect(row.1 == "new")
            }
        }
    }

    @Test("in a transaction a changed table is an error that is safe to retry, and the retry succeeds")
    func stalePlanInTransaction() async throws {
        try await EngineTestServer.withTable("a int", { $0.pool = PostgresPoolConfiguration(maximum: 1) }) {
            (database, table) async throws in
            try await database.execute("INSERT INTO \(table) VALUES (1)")
            let select: PostgresStatement = "SELECT * FROM \(table)"
            _ = try await database.one(select, as: Int32.self)
            try await database.execute("ALTER TABLE \(table) ADD COLUMN b text DEFAULT 'new'")
            let thrown = try await failure {
                try await database.withTransaction { _ = try await $0.one(select, as: (Int32, String).self) }
            }
            #expect(thrown.retrySafety == .safe)
            _ = try await database.one(select, as: (Int32, String).self)
            try await database.execute("ALTER TABLE \(table) ADD COLUMN c int DEFAULT 3")
            let row = try await database.withTransaction(PostgresTransactionOptions().retrying()) {
                try await $0.one(select, as: (Int32, String, Int32).self)
            }
            #expect(row.2 == 3)
        }
    }

    @Test("a statement that the server has forgotten is prepared anew")
    func forgotten() async throws {
        try await EngineTestServer.with { (database) async throws in
            try await database.withConnection { connection in
                _ = try await connection.run(AddNumbers(left: 1, right: 1))
                try await connection.executeScript("DEALLOCATE ALL")
                #expect(try await connection.run(AddNumbers(left: 2, right: 2)) == 4)
            }
        }
    }

    @Test("a statement that fails to prepare is not kept")
    func failedPreparation() async throws {
        try await EngineTestServer.with { (database) async throws in
            try await database.withConnection { connection in
                let select: PostgresStatement = "SELECT value FROM pg_temp.late_table"
                _ = try await failure { _ = try await connection.one(select, as: Int32.self) }
                try await connection.executeScript("CREATE TEMP TABLE late_table AS SELECT 5 AS value")
                #expect(try await connection.one(select, as: Int32.self) == 5)
            }
        }
    }
}
