import PersistenceCore
import PersistenceTesting
import Testing

@testable import PostgresEngine

@Suite("What one user of a connection leaves to the next", .privateServer, .timeLimit(.minutes(5)))
struct PoolHygieneTests {
    /// Something left behind, and a question that finds it.
    struct Legacy: Sendable, CustomTestStringConvertible {
        var name: String
        var script: String
        var isFailing = false
        var question: String

        var testDescription: String { name }
    }

    static let legacies = [
        Legacy(
            name: "a transaction", script: "BEGIN; SELECT pg_current_xact_id(); SAVEPOINT s",
            question: "SELECT pg_current_xact_id_if_assigned() IS NOT NULL"),
        Legacy(
            name: "a failed transaction", script: "BEGIN; SELECT pg_current_xact_id(); SELECT 1/0", isFailing: true,
            question: "SELECT pg_current_xact_id_if_assigned() IS NOT NULL"),
        Legacy(
            name: "a setting", script: "SET work_mem = '7MB'", question: "SELECT current_setting('work_mem') = '7MB'"),
        Legacy(
            name: "a setting by function", script: "SELECT set_config('app.tenant', 'acme', false)",
            question: "SELECT coalesce(current_setting('app.tenant', true), '') = 'acme'"),
        Legacy(name: "a role", script: "SET ROLE pg_monitor", question: "SELECT current_user = 'pg_monitor'"),
        Legacy(
            name: "a session user", script: "SET SESSION AUTHORIZATION hygienic",
            question: "SELECT session_user = 'hygienic'"),
        Legacy(
            name: "a search path", script: "SET search_path = pg_temp",
            question: "SELECT current_setting('search_path') = 'pg_temp'"),
        Legacy(
            name: "a temporary table", script: "CREATE TEMP TABLE left_behind (n int)",
            question: "SELECT to_regclass('pg_temp.left_behind') IS NOT NULL"),
        Legacy(
            name: "an advisory lock", script: "SELECT pg_advisory_lock(4711)",
            question:
                "SELECT exists(SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())"),
        Legacy(
            name: "a listener", script: "LISTEN left_behind", question: "SELECT exists(SELECT pg_listening_channels())"),
        Legacy(
            name: "a cursor", script: "DECLARE left_behind CURSOR WITH HOLD FOR SELECT 1",
            question: "SELECT exists(SELECT FROM pg_cursors WHERE name = 'left_behind')"),
        Legacy(
            name: "a prepared statement", script: "PREPARE left_behind AS SELECT 1",
            question: "SELECT exists(SELECT FROM pg_prepared_statements WHERE name = 'left_behind')"),
        Legacy(
            name: "a sequence's last value", script: "CREATE TEMP SEQUENCE s; SELECT nextval('s')",
            question: "SELECT to_regclass('pg_temp.s') IS NOT NULL"),
    ]

    @Test("is nothing, and the connection is kept", arguments: legacies)
    func legacy(_ legacy: Legacy) async throws {
        let server = try await FaultServer.plain()
        try await server.withDatabase({ $0.pool.maximum = 1 }) { (database, observer) async throws in
            try await observer.database.execute(
                """
                DO $$ BEGIN CREATE ROLE hygienic; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$
                """)
            let process = try await database.withConnection { (connection) async throws in
                if legacy.isFailing {
                    _ = try await failure { try await connection.executeScript(legacy.script) }
                } else {
                    try await connection.executeScript(legacy.script)
                }
                return connection.backendProcess
            }
            try await database.withConnection { (connection) async throws in
                let question = PostgresStatement(sql: legacy.question)
                let isFound = try await connection.one(question, as: Bool.self)
                #expect(!isFound)
                #expect(connection.backendProcess == process)
                // What was prepared before and after the reset works.
                #expect(try await connection.run(AddNumbers(left: 1, right: 2)) == 3)
            }
            #expect(database.statistics.newConnections == 1)
            #expect(database.statistics.resets >= 1)
        }
    }

    @Test("what is left through parameters and prepared statements is found as well")
    func preparedLegacy() async throws {
        try await FaultServer.plain().withDatabase({ $0.pool.maximum = 1 }) { (database, _) async throws in
            for _ in 0..<3 {
                try await database.execute("SELECT set_config('app.tenant', \("acme"), false)")
                let tenant = try await database.one("SELECT current_setting('app.tenant', true)", as: String?.self)
                #expect(tenant == nil || tenant == "")
                try await database.execute("SELECT pg_advisory_lock(\(Int64(1)))")
                let locks = try await database.one(
                    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()", as: Int.self
                )
                #expect(locks == 0)
            }
            #expect(database.statistics.newConnections == 1)
        }
    }

    @Test("a user who needs nothing undone costs no reset")
    func untouched() async throws {
        try await FaultServer.plain().withDatabase({ $0.pool.maximum = 1 }) { (database, _) async throws in
            for number in 0..<20 {
                try await database.execute("SELECT \(number)")
                try await database.withTransaction { _ = try await $0.execute("SELECT 1") }
                let options = PostgresTransactionOptions.readOnly.tenant("acme")
                try await database.withTransaction(options) { transaction in
                    _ = try await transaction.execute("SELECT 1 AS sessions, 2 AS template, 3 AS session_count")
                }
            }
            #expect(database.statistics.resets == 0)
        }
    }

    @Test("a connection left in COPY is closed")
    func copy() async throws {
        try await FaultServer.plain().withDatabase({ $0.pool.maximum = 1 }) { (database, observer) async throws in
            for script in [
                "COPY pg_am TO STDOUT", "CREATE TEMP TABLE c (n int); COPY c FROM STDIN",
                "SELECT 1; COPY pg_am TO STDOUT",
            ] {
                let process = try await database.withConnection { (connection) async throws in
                    let error = try await failure { try await connection.executeScript(script) }
                    #expect(error.code == .invalidArgument)
                    return connection.backendProcess
                }
                let next = try await database.withConnection { $0.backendProcess }
                #expect(next != process)
            }
            #expect(database.statistics.discards == 3)
            try await eventually("the others have ended") { try await observer.sessions() == 1 }
        }
    }

    @Test("a connection whose statement still runs is closed, and the statement ended")
    func running() async throws {
        try await FaultServer.plain().withDatabase({ $0.pool.maximum = 1 }) { (database, observer) async throws in
            let (process, statement) = try await database.withConnection { (connection) async throws in
                let session = connection.session
                let statement = Task {
                    let reply = await session.fly(deadline: 0) { state, _ in
                        state.sendScript("SELECT pg_sleep(600) /* left-running */") ? .sent : .failed
                    }
                    return reply.failure?.code
                }
                try await eventually("the statement runs") { try await observer.running("left-running") == 1 }
                return (connection.backendProcess, statement)
            }
            // Told by the server's answer to the cancel request, or by the closed connection: whichever is first.
            let code = try #require(await statement.value)
            #expect([.connection, .cancelled].contains(code))
            let next = try await database.withConnection { $0.backendProcess }
            #expect(next != process)
            #expect(database.statistics.discards == 1)
            // The server would not notice before the statement's end that its client is gone.
            try await eventually("the statement has ended", within: .seconds(30)) {
                try await observer.running("left-running") == 0
            }
        }
    }
}
