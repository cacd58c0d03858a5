import PersistenceCore
import PostgresEngine
import Testing

private struct ClosureError: Error, Equatable {
    let number: Int
}

@Suite("Transactions", .engineServer)
struct TransactionTests {
    private static func count(_ database: PostgresDatabase, _ table: PostgresIdentifier) async throws -> Int64 {
        try await database.one("SELECT count(*) FROM \(table)", as: Int64.self)
    }

    @Test("what a transaction writes is there after it, and only then")
    func commit() async throws {
        try await EngineTestServer.withTable("n int") { (database, table) async throws in
            let returned = try await database.withTransaction { transaction in
                try await transaction.execute("INSERT INTO \(table) VALUES (1)")
                #expect(try await Self.count(database, table) == 0)
                return 5
            }
            #expect(returned == 5)
            #expect(try await Self.count(database, table) == 1)
        }
    }

    @Test("the closure's own error comes out unwrapped, after a rollback")
    func rollback() async throws {
        try await EngineTestServer.withTable("n int") { (database, table) async throws in
            await #expect(throws: ClosureError(number: 7)) {
                try await database.withTransaction { transaction in
                    try await transaction.execute("INSERT INTO \(table) VALUES (1)")
                    throw ClosureError(number: 7)
                }
            }
            let count = try await Self.count(database, table)
            #expect(count == 0)
            #expect(database.statistics.total == 1)
        }
    }

    @Test("an error that the closure swallows makes COMMIT fail, and names the cause")
    func swallowedError() async throws {
        try await EngineTestServer.withTable("n int") { (database, table) async throws in
            let thrown = try await failure {
                try await database.withTransaction { transaction in
                    try await transaction.execute("INSERT INTO \(table) VALUES (1)")
                    _ = try? await transaction.execute("SELECT 1/0")
                }
            }
            #expect(thrown.code == .transactionAborted)
            #expect((thrown.underlying as? PersistenceError)?.serverCode == "22012")
            #expect(try await Self.count(database, table) == 0)
        }
    }

    @Test(
        "a statement that begins or ends a transaction is refused where the library does that",
        arguments: ["COMMIT", " -- done\n commit", "END", "ROLLBACK", "abort", "BEGIN", "START TRANSACTION"])
    func controlByHand(sql: String) async throws {
        try await EngineTestServer.withTable("n int") { (database, table) async throws in
            let statement = PostgresStatement(sql: sql)
            #expect(try await failure { try await database.execute(statement) }.code == .invalidArgument)
            try await database.withTransaction { transaction in
                try await transaction.execute("INSERT INTO \(table) VALUES (1)")
                #expect(try await failure { try await transaction.execute(statement) }.code == .invalidArgument)
            }
            #expect(try await Self.count(database, table) == 1)
        }
    }

    @Test("savepoints by hand and transactions by hand on a connection are the caller's own")
    func controlAllowed() async throws {
        try await EngineTestServer.withTable("n int") { (database, table) async throws in
            try await database.withTransaction { transaction in
                try await transaction.execute("SAVEPOINT a")
                try await transaction.execute("INSERT INTO \(table) VALUES (1)")
                try await transaction.execute("ROLLBACK TO SAVEPOINT a")
            }
            try await database.withConnection { connection in
                try await connection.execute("BEGIN")
                try await connection.execute("INSERT INTO \(table) VALUES (2)")
                try await connection.execute("COMMIT")
            }
            #expect(try await database.all("SELECT n FROM \(table)", as: Int32.self) == [2])
        }
    }

    @Test("a transaction that a query has ended is not reported as committed")
    func endedByQuery() async throws {
        struct Rollback: PostgresCommand {
            static let name = "Rollback"
            static let command = "ROLLBACK"
            static let sql = "ROLLBACK"
            func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {}
        }
        try await EngineTestServer.withTable("n int") { (database, table) async throws in
            for commitsItself in [false, true] {
                let thrown = try await failure {
                    try await database.withTransaction { transaction in
                        try await transaction.execute("INSERT INTO \(table) VALUES (1)")
                        try await transaction.run(Rollback())
                        if commitsItself { try await transaction.commit() }
                    }
                }
                #expect(thrown.code == .transactionAborted)
                #expect(thrown.retrySafety == .unknown)
            }
            #expect(try await Self.count(database, table) == 0)
            #expect(database.statistics.total == 1)
        }
    }

    @Test("a transaction in which nothing runs costs nothing and succeeds")
    func empty() async throws {
        try await EngineTestServer.with { (database) async throws in
            #expect(try await database.withTransaction { _ in "done" } == "done")
        }
    }

    @Test("a handle that is kept is refused")
    func handleTooLate() async throws {
        try await EngineTestServer.with { (database) async throws in
            var kept: PostgresTransaction?
            try await database.withTransaction { transaction in
                kept = transaction
                try await transaction.execute("SELECT 1")
            }
            let transaction = try #require(kept)
            #expect(try await failure { try await transaction.execute("SELECT 1") }.code == .transactionFinished)
            let savepoint = try await failure { try await transaction.withSavepoint { _ in } }
            #expect(savepoint.code == .transactionFinished)
            var keptConnection: PostgresConnection?
            try await database.withConnection { keptConnection = $0 }
            let connection = try #require(keptConnection)
            #expect(try await failure { try await connection.execute("SELECT 1") }.code == .transactionFinished)
        }
    }

    @Test("options reach the server")
    func options() async throws {
        try await EngineTestServer.with { (database) async throws in
            var options = PostgresTransactionOptions(isolation: .serializable, isReadOnly: true, isDeferrable: true)
            options.lockTimeout = .milliseconds(1234)
            options.statementTimeout = .seconds(5)
            options = options.tenant("o'brien").setting("app.role", to: "x")
            let row = try await database.withTransaction(options) { transaction in
                try await transaction.one(
                    """
                    SELECT ARRAY[current_setting('transaction_isolation'), current_setting('transaction_read_only'),
                        current_setting('transaction_deferrable'), current_setting('lock_timeout'),
                        current_setting('statement_timeout'), current_setting('app.tenant'), current_setting('app.role')]
                    """, as: [String].self)
            }
            #expect(row == ["serializable", "on", "on", "1234ms", "5s", "o'brien", "x"])
            let after = try await database.one("SELECT current_setting('app.tenant', true)", as: String?.self)
            #expect(after == nil || after == "")
            let write = try await failure {
                try await database.withTransaction(.readOnly) { _ = try await $0.execute("CREATE TABLE never (n int)") }
            }
            #expect(write.code == .readOnly)
            options.lockTimeout = .zero
            let refused = options
            let wrong = try await failure { try await database.withTransaction(refused) { _ in } }
            #expect(wrong.code == .invalidArgument)
        }
    }

    @Test("savepoints nest, undo their own work alone, and the transaction goes on")
    func savepoints() async throws {
        try await EngineTestServer.withTable("n int") { (database, table) async throws in
            try await database.withTransaction { transaction in
                try await transaction.execute("INSERT INTO \(table) VALUES (1)")
                await #expect(throws: ClosureError(number: 1)) {
                    try await transaction.withSavepoint { outer in
                        try await outer.execute("INSERT INTO \(table) VALUES (2)")
                        let inner = try await failure {
                            try await outer.withSavepoint {
                                _ = try await $0.execute("INSERT INTO \(table) VALUES (1/0)")
                            }
                        }
                        #expect(inner.code == .invalidData)
                        #expect(try await outer.one("SELECT count(*) FROM \(table)", as: Int64.self) == 2)
                        throw ClosureError(number: 1)
                    }
                }
                try await transaction.withSavepoint { try await $0.execute("INSERT INTO \(table) VALUES (3)") }
            }
            #expect(try await database.all("SELECT n FROM \(table) ORDER BY n", as: Int32.self) == [1, 3])
        }
    }

    @Test("an error that is swallowed in a savepoint undoes the savepoint and says so")
    func swallowedInSavepoint() async throws {
        try await EngineTestServer.withTable("n int") { (database, table) async throws in
            try await database.withTransaction { transaction in
                let thrown = try await failure {
                    try await transaction.withSavepoint { savepoint in
                        try await savepoint.execute("INSERT INTO \(table) VALUES (1)")
                        _ = try? await savepoint.execute("SELECT 1/0")
                    }
                }
                #expect(thrown.code == .transactionAborted)
                try await transaction.execute("INSERT INTO \(table) VALUES (2)")
            }
            #expect(try await database.all("SELECT n FROM \(table)", as: Int32.self) == [2])
        }
    }

    @Test("serialization failures are retried until all increments are there")
    func serializable() async throws {
        try await EngineTestServer.withTable("n bigint") { (database, table) async throws in
            try await database.execute("INSERT INTO \(table) VALUES (0)")
            let options = PostgresTransactionOptions.serializable.retrying(
                RetryPolicy(maximumAttempts: 100, baseDelay: .milliseconds(1), maximumDelay: .milliseconds(20)))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        for _ in 0..<10 {
                            try await database.withTransaction(options) { transaction in
                                let value = try await transaction.one("SELECT n FROM \(table)", as: Int64.self)
                                try await transaction.execute("UPDATE \(table) SET n = \(value + 1)")
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await database.one("SELECT n FROM \(table)", as: Int64.self) == 40)
        }
    }

    @Test("a deadlock ends one transaction with an error that is safe to retry")
    func deadlock() async throws {
        try await EngineTestServer.withTable("id int PRIMARY KEY, n int") { (database, table) async throws in
            try await database.execute("INSERT INTO \(table) VALUES (1, 0), (2, 0)")
            let barrier = Barrier(count: 2)
            let results = await withTaskGroup(of: Result<Void, any Error>.self) { group in
                for order in [(1, 2), (2, 1)] {
                    group.addTask {
                        do {
                            try await database.withTransaction { transaction in
                                try await transaction.execute("UPDATE \(table) SET n = 1 WHERE id = \(order.0)")
                                await barrier.wait()
                                try await transaction.execute("UPDATE \(table) SET n = 1 WHERE id = \(order.1)")
                            }
                            return .success(())
                        } catch {
                            return .failure(error)
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            let failures = results.compactMap { result -> PersistenceError? in
                guard case .failure(let thrown) = result else { return nil }
                return thrown as? PersistenceError
            }
            #expect(failures.count == 1)
            #expect(failures.first?.code == .deadlock)
            #expect(failures.first?.retrySafety == .safe)
        }
    }

    @Test("row locks: NOWAIT, SKIP LOCKED and lock timeouts are told apart")
    func rowLocks() async throws {
        try await EngineTestServer.withTable("id int PRIMARY KEY") { (database, table) async throws in
            try await database.execute("INSERT INTO \(table) VALUES (1), (2)")
            try await database.withTransaction { holder in
                try await holder.execute("SELECT 1 FROM \(table) WHERE id = 1 FOR UPDATE")
                let nowait = try await failure {
                    try await database.execute("SELECT 1 FROM \(table) WHERE id = 1 FOR UPDATE NOWAIT")
                }
                #expect(nowait.code == .lockNotAvailable)
                let free = try await database.all("SELECT id FROM \(table) FOR UPDATE SKIP LOCKED", as: Int32.self)
                #expect(free == [2])
                var options = PostgresTransactionOptions()
                options.lockTimeout = .milliseconds(20)
                let limited = options
                let timeout = try await failure {
                    try await database.withTransaction(limited) {
                        _ = try await $0.execute("SELECT 1 FROM \(table) WHERE id = 1 FOR SHARE")
                    }
                }
                #expect(timeout.code == .timeout)
                #expect(timeout.timeout == .lock)
            }
        }
    }

    @Test("a deferred constraint that fails at COMMIT is that constraint's error")
    func deferredConstraint() async throws {
        try await EngineTestServer.withTable("n int UNIQUE DEFERRABLE INITIALLY DEFERRED") {
            (database, table) async throws in
            let thrown = try await failure {
                try await database.withTransaction { transaction in
                    _ = try await transaction.execute("INSERT INTO \(table) VALUES (1), (1)")
                }
            }
            #expect(thrown.code == .uniqueViolation)
            #expect(try await Self.count(database, table) == 0)
        }
    }

    @Test("the last queries travel with COMMIT; a failing one commits nothing")
    func commitWithQueries() async throws {
        try await EngineTestServer.withTable("n int") { (database, table) async throws in
            let sum = try await database.withTransaction { transaction in
                try await transaction.execute("INSERT INTO \(table) VALUES (1)")
                let (three, seven) = try await transaction.commit(
                    AddNumbers(left: 1, right: 2), AddNumbers(left: 3, right: 4))
                #expect(try await failure { try await transaction.execute("SELECT 1") }.code == .transactionFinished)
                return three + seven
            }
            #expect(sum == 10)
            #expect(try await Self.count(database, table) == 1)
            let thrown = try await failure {
                try await database.withTransaction { transaction in
                    try await transaction.execute("INSERT INTO \(table) VALUES (2)")
                    _ = try await transaction.commit(AddNumbers(left: 1, right: 1), DivideHundred(by: 0))
                }
            }
            #expect(thrown.operation == "DivideHundred")
            #expect(thrown.code == .invalidData)
            #expect(try await Self.count(database, table) == 1)
        }
    }

    @Test("the closure stays in the caller's isolation")
    func isolation() async throws {
        actor Counter {
            var value = 0

            func count(with database: PostgresDatabase) async throws -> Int {
                try await database.withTransaction { transaction in
                    value += 1
                    value += Int(try await transaction.one("SELECT 41", as: Int32.self))
                    return value
                }
            }
        }
        try await EngineTestServer.with { (database) async throws in
            let count = try await Counter().count(with: database)
            #expect(count == 42)
        }
    }
}

/// Lets tasks go on only when all of them have arrived.
actor Barrier {
    private var missing: Int
    private var waiters: [CheckedContinuation<Void, Never>] = []

    init(count: Int) {
        missing = count
    }

    func wait() async {
        missing -= 1
        guard missing > 0 else {
            for waiter in waiters { waiter.resume() }
            return
        }
        await withCheckedContinuation { waiters.append($0) }
    }
}
