import PersistenceCore
import PostgresEngine
import Testing

@Suite("Cancellation and deadlines", .engineServer)
struct CancellationTests {
    private static func isRunning(_ database: PostgresDatabase, _ marker: String) async throws -> Bool {
        try await database.one(
            """
            SELECT exists(SELECT FROM pg_stat_activity
                WHERE state = 'active' AND pid <> pg_backend_pid() AND query LIKE '%' || \(marker) || '%')
            """, as: Bool.self)
    }

    @Test("cancelling a task ends its statement on the server, and the connection serves the next")
    func cancel() async throws {
        try await EngineTestServer.with { observer in
            try await EngineTestServer.with({ $0.pool = PostgresPoolConfiguration(maximum: 1) }) {
                (database) async throws in
                let task = Task { _ = try await database.execute("SELECT pg_sleep(60) /* cancel-me */") }
                try await eventually("the statement runs") { try await Self.isRunning(observer, "cancel-me") }
                task.cancel()
                let thrown = try await failure { try await task.value }
                #expect(thrown.code == .cancelled)
                #expect(try await !Self.isRunning(observer, "cancel-me"))
                #expect(try await database.one("SELECT 7", as: Int32.self) == 7)
                #expect(database.statistics.newConnections == 1)
            }
        }
    }

    @Test("a task that is cancelled already sends nothing")
    func cancelledBefore() async throws {
        try await EngineTestServer.withTable("n int") { (database, table) async throws in
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                try await database.execute("INSERT INTO \(table) VALUES (1)")
            }
            let thrown = try await failure { _ = try await task.value }
            #expect(thrown.code == .cancelled)
            #expect(thrown.retrySafety == .safe)
            #expect(try await database.one("SELECT count(*) FROM \(table)", as: Int64.self) == 0)
        }
    }

    @Test("a deadline ends the statement and says which wait ran out")
    func deadline() async throws {
        try await EngineTestServer.with({ $0.pool = PostgresPoolConfiguration(maximum: 1) }) {
            (database) async throws in
            // Opened beforehand, or the deadline could pass while the pool connects.
            try await database.execute("SELECT 1")
            let thrown = try await failure {
                try await withDeadline(.milliseconds(30)) { _ = try await database.execute("SELECT pg_sleep(60)") }
            }
            #expect(thrown.code == .timeout)
            #expect(thrown.timeout == .statement)
            let server = try await failure {
                try await database.withConnection { connection in
                    try await connection.executeScript("SET statement_timeout = '20ms'")
                    try await connection.execute("SELECT pg_sleep(60)")
                }
            }
            #expect(server.code == .timeout)
            #expect(server.timeout == .statement)
            try await database.withConnection { connection in
                // The setting of the last user is gone.
                let setting = try await connection.one("SHOW statement_timeout", as: String.self)
                #expect(setting == "0")
            }
            #expect(database.statistics.newConnections == 1)
        }
    }

    @Test("the configuration's own limit holds where no deadline is set")
    func statementTimeout() async throws {
        try await EngineTestServer.with({ $0.statementTimeout = .milliseconds(30) }) { (database) async throws in
            // The limit is the statement's own: opening the connection does not count.
            let thrown = try await failure { try await database.execute("SELECT pg_sleep(60)") }
            #expect(thrown.timeout == .statement)
        }
    }

    @Test("cancelling a transaction rolls it back")
    func cancelledTransaction() async throws {
        try await EngineTestServer.withTable("n int", { $0.pool = PostgresPoolConfiguration(maximum: 2) }) {
            (database, table) async throws in
            let task = Task {
                try await database.withTransaction { transaction in
                    try await transaction.execute("INSERT INTO \(table) VALUES (1)")
                    try await transaction.execute("SELECT pg_sleep(60) /* cancel-transaction */")
                }
            }
            try await eventually("the statement runs") { try await Self.isRunning(database, "cancel-transaction") }
            task.cancel()
            #expect(try await failure { _ = try await task.value }.code == .cancelled)
            #expect(try await database.one("SELECT count(*) FROM \(table)", as: Int64.self) == 0)
            let idle = try await database.one(
                """
                SELECT count(*) FROM pg_stat_activity WHERE application_name = current_setting('application_name')
                    AND state LIKE 'idle in transaction%' AND query LIKE '%cancel-transaction%'
                """, as: Int64.self)
            #expect(idle == 0)
        }
    }

    @Test("a storm of cancellations leaves the pool whole and the next answers right")
    func storm() async throws {
        try await EngineTestServer.with { (database) async throws in
            for round in 0..<10 {
                let tasks = (0..<40).map { number in
                    Task {
                        if number.isMultiple(of: 2) {
                            return try await database.one(
                                "SELECT pg_sleep(0.01), \(number)", as: (PostgresVoid, Int).self
                            )
                            .1
                        }
                        return try await Int(database.run(AddNumbers(left: Int64(number), right: 0)))
                    }
                }
                for (number, task) in tasks.enumerated() where (number + round).isMultiple(of: 3) { task.cancel() }
                for (number, task) in tasks.enumerated() {
                    switch await task.result {
                    case .success(let value): #expect(value == number)
                    case .failure(let error): #expect((error as? PersistenceError)?.code == .cancelled)
                    }
                }
            }
            let statistics = database.statistics
            #expect(statistics.acquired == 0)
            #expect(statistics.total <= 4)
        }
    }
}
