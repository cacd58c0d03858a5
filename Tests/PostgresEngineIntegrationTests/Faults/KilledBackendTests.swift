import PersistenceCore
import PersistenceTesting
import Testing

@testable import PostgresEngine

extension FaultTests {
    @Suite("A backend that is killed", .privateServer, .timeLimit(.minutes(5)))
    struct KilledBackendTests {
        private static let retrying = PostgresTransactionOptions().retrying(
            RetryPolicy(maximumAttempts: 5, baseDelay: .milliseconds(1)))

        @Test("during a statement: the caller hears of it, does not know whether it was done, and the next is served")
        func duringStatement() async throws {
            try await FaultServer.plain().withDatabase({ $0.pool.maximum = 1 }) { (database, observer) async throws in
                let statement = Task { try await database.execute("SELECT pg_sleep(600) /* to-be-killed */") }
                try await eventually("it runs") { try await observer.running("to-be-killed") == 1 }
                try await observer.terminateAll()
                let error = try await failure { _ = try await statement.value }
                #expect(error.code == .unavailable)
                #expect(error.serverCode == "57P01")
                #expect(error.retrySafety == .unknown)
                #expect(error.operation == "SELECT")
                #expect(try await database.one("SELECT 1", as: Int32.self) == 1)
                #expect(database.statistics.discards == 1)
            }
        }

        /// Where in a transaction the backend dies.
        enum Place: CaseIterable {
            case beforeFirstStatement
            case betweenStatements
            case duringStatement
            case inPipeline
            case inSavepoint
            case beforeCommit
            case beforeCommitWithQueries
        }

        @Test(
            "inside a transaction: the error is safe to retry, and a retry does the work exactly once",
            arguments: Place.allCases)
        func insideTransaction(_ place: Place) async throws {
            try await FaultServer.plain().withDatabase { (database, observer) async throws in
                try await observer.withTable("n int") { (table) async throws in
                    let attempts = Shared(0)
                    func attempt(_ options: PostgresTransactionOptions) async throws {
                        try await database.withTransaction(options) { transaction in
                            let isFirst = attempts.change { count in
                                count += 1
                                return count == 1
                            }
                            func kill() async throws {
                                guard isFirst else { return }
                                try await observer.terminate(transaction.session.backendProcess)
                                try await eventually("the end has arrived") { !transaction.session.isAlive }
                            }
                            if place == .beforeFirstStatement { try await kill() }
                            try await transaction.execute("INSERT INTO \(table) VALUES (1)")
                            switch place {
                            case .betweenStatements: try await kill()
                            case .duringStatement where isFirst:
                                try await transaction.execute(
                                    "SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(60)")
                            case .inPipeline where isFirst:
                                _ = try await transaction.pipeline(AddNumbers(left: 1, right: 1), EndOwnBackend())
                            case .inSavepoint:
                                try await transaction.withSavepoint { savepoint in
                                    try await kill()
                                    try await savepoint.execute("INSERT INTO \(table) VALUES (2)")
                                }
                            default: break
                            }
                            try await transaction.execute("INSERT INTO \(table) VALUES (3)")
                            if place == .beforeCommit { try await kill() }
                            if place == .beforeCommitWithQueries {
                                try await kill()
                                _ = try await transaction.commit(AddNumbers(left: 1, right: 1))
                            }
                        }
                    }
                    let error = try await failure { try await attempt(.init()) }
                    #expect(error.retrySafety == .safe, "\(error)")
                    #expect(error.code == .connection || error.code == .unavailable, "\(error)")
                    #expect(try await observer.database.one("SELECT count(*) FROM \(table)", as: Int.self) == 0)

                    attempts.change { $0 = 0 }
                    try await attempt(Self.retrying)
                    #expect(attempts.value == 2)
                    let rows = try await observer.database.all("SELECT n FROM \(table) ORDER BY n", as: Int.self)
                    #expect(rows == (place == .inSavepoint ? [1, 2, 3] : [1, 3]))
                }
            }
        }

        /// Makes every COMMIT that has written to the table take ten minutes.
        private static func slowDownCommit(_ table: PostgresIdentifier, _ observer: Observer) async throws {
            let name = String(table.quoted.dropFirst().dropLast())
            try await observer.database.withConnection { (connection) async throws in
                try await connection.executeScript(
                    """
                    CREATE FUNCTION "slow_\(name)"() RETURNS trigger LANGUAGE plpgsql
                        AS $$ BEGIN PERFORM pg_sleep(600); RETURN NULL; END $$;
                    CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON \(table.quoted) DEFERRABLE INITIALLY DEFERRED
                        FOR EACH ROW EXECUTE FUNCTION "slow_\(name)"();
                    """)
            }
        }

        @Test("during COMMIT: the outcome is unknown, and a retry policy leaves it at that", arguments: [false, true])
        func duringCommit(_ isPipelined: Bool) async throws {
            try await FaultServer.plain().withDatabase { (database, observer) async throws in
                try await observer.withTable("n int") { (table) async throws in
                    try await Self.slowDownCommit(table, observer)
                    let attempts = Shared(0)
                    let work = Task {
                        try await database.withTransaction(Self.retrying) { transaction in
                            attempts.change { $0 += 1 }
                            try await transaction.execute("INSERT INTO \(table) VALUES (1)")
                            if isPipelined { _ = try await transaction.commit(AddNumbers(left: 1, right: 1)) }
                        }
                    }
                    try await eventually("COMMIT waits") { try await observer.running("COMMIT") == 1 }
                    try await observer.terminateAll()
                    let error = try await failure { try await work.value }
                    #expect(error.code == .commitUnknown)
                    #expect(error.retrySafety == .unknown)
                    #expect(error.operation == "COMMIT")
                    #expect((error.underlying as? PersistenceError)?.serverCode == "57P01")
                    #expect(attempts.value == 1)
                }
            }
        }

        @Test("a COMMIT that a deadline interrupts on the server is known to have failed")
        func commitPastDeadline() async throws {
            try await FaultServer.plain().withDatabase { (database, observer) async throws in
                try await observer.withTable("n int") { (table) async throws in
                    try await Self.slowDownCommit(table, observer)
                    try await database.execute("SELECT 1")
                    let error = try await failure {
                        try await withDeadline(.seconds(3)) {
                            try await database.withTransaction { transaction in
                                _ = try await transaction.execute("INSERT INTO \(table) VALUES (1)")
                            }
                        }
                    }
                    #expect(error.code == .timeout)
                    #expect(error.timeout == .statement)
                    #expect(try await observer.database.one("SELECT count(*) FROM \(table)", as: Int.self) == 0)
                    #expect(try await database.one("SELECT 1", as: Int32.self) == 1)
                }
            }
        }

        @Test("all at once, again and again, while they write: every caller is told the truth")
        func writingStorm() async throws {
            try await FaultServer.plain().withDatabase { (database, observer) async throws in
                try await observer.withTable(WriteLoad.columns) { (table) async throws in
                    let load = WriteLoad(on: database, table)
                    for _ in 0..<20 {
                        try await observer.terminateAll()
                        try await load.untilMore(3)
                    }
                    try await load.check(
                        with: observer.database, allowing: [.connection, .unavailable, .commitUnknown])
                    #expect(!load.ledger.codes.isEmpty)
                }
            }
        }

        @Test("many at once, again and again: nothing leaks, and every answer is right")
        func storm() async throws {
            let server = try await FaultServer.plain()
            let sockets = ProcessResources.sockets(to: server.port)
            try await server.withDatabase { (database, observer) async throws in
                let isDone = Shared(false)
                defer { isDone.change { $0 = true } }
                let workers = (0..<8).map { worker in
                    Task {
                        var number = worker
                        while !isDone.value {
                            number += 8
                            do throws(PersistenceError) {
                                let value = try await database.one("SELECT \(number)", as: Int.self)
                                #expect(value == number)
                            } catch {
                                #expect(error.code == .unavailable || error.code == .connection, "\(error)")
                            }
                        }
                    }
                }
                for _ in 0..<30 { try await observer.terminateAll() }
                isDone.change { $0 = true }
                for worker in workers { await worker.value }
                #expect(database.statistics.acquired == 0)
            }
            try await eventually("every socket is closed") { ProcessResources.sockets(to: server.port) <= sockets + 8 }
        }
    }
}

/// Ends the session that it runs on.
private struct EndOwnBackend: PostgresRowQuery {
    static let name = "EndOwnBackend"
    static let command = "SELECT"
    static let sql = "SELECT pg_terminate_backend(pg_backend_pid()) AND pg_sleep(60) IS NULL"

    func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {}

    static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> Bool {
        try row.decode(0)
    }
}
