import PersistenceCore
import PersistenceTesting
import PostgresEngine
import Testing

extension FaultTests {
    @Suite(
        "Behind PgBouncer in transaction mode", .privateServer, .timeLimit(.minutes(5)),
        .enabled("PgBouncer is installed") { PgBouncerTestServer.isInstalled || FaultServer.isRequired })
    struct PgBouncerTests {
        /// Lends a database that goes through PgBouncer, which has fewer connections than the database's pool.
        private static func withDatabase(
            _ change: (inout PostgresConfiguration) -> Void = { _ in },
            _ body: (PostgresDatabase, PgBouncerTestServer, Observer) async throws -> Void
        ) async throws {
            let server = try await FaultServer.plain()
            var options = PgBouncerTestServer.Options()
            options.poolSize = 3
            let chosen = options
            try await PgBouncerTestServer.with(in: server, chosen) { (bouncer) async throws in
                try await server.withDatabase(
                    {
                        $0.hosts = [PostgresHost(bouncer.host, port: bouncer.port)]
                        $0.pool.maximum = 8
                        $0.statementMode = .unnamed
                        change(&$0)
                    }
                ) { (database, observer) async throws in
                    try await body(database, bouncer, observer)
                    // Its own connections to the server stay open; they go with it.
                    await bouncer.remove()
                }
            }
        }

        @Test("statements, transactions, savepoints, pipelines, batches, streams and COPY work as without it")
        func works() async throws {
            try await Self.withDatabase { (database, _, observer) async throws in
                try await observer.withTable(WriteLoad.columns) { (table) async throws in
                    let load = WriteLoad(on: database, table)
                    for number in 0..<20 {
                        #expect(try await database.run(AddNumbers(left: Int64(number), right: 1)) == Int64(number + 1))
                    }
                    let (sum, numbers) = try await database.pipeline(AddNumbers(left: 1, right: 2), CountTo(limit: 3))
                    #expect(sum == 3)
                    #expect(numbers == [1, 2, 3])
                    let sums = try await database.batch((0..<50).map { AddNumbers(left: $0, right: 1) })
                    #expect(sums == Array(1...50))
                    try await database.withTransaction { transaction in
                        var count = 0
                        for try await number in transaction.stream(CountTo(limit: 5_000)) {
                            count += 1
                            #expect(number == count)
                        }
                        #expect(count == 5_000)
                    }
                    try await load.untilMore(200)
                    try await load.check(with: observer.database, allowing: [])
                }
            }
        }

        @Test("statements that are prepared by name find their way back, or say that all of it may be done again")
        func prepared() async throws {
            try await Self.withDatabase({ $0.statementMode = .prepared }) { (database, _, _) async throws in
                let options = PostgresTransactionOptions().retrying(
                    RetryPolicy(maximumAttempts: 50, baseDelay: .milliseconds(1)))
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for worker in 0..<6 {
                        group.addTask {
                            for number in 0..<40 {
                                let key = worker * 100 + number
                                let value = try await database.withTransaction(options) { transaction in
                                    try await transaction.one("SELECT \(key)", as: Int.self)
                                }
                                #expect(value == key)
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }

        @Test("cancellation and deadlines reach the server through it")
        func interruption() async throws {
            try await Self.withDatabase { (database, _, observer) async throws in
                let task = Task { try await database.execute("SELECT pg_sleep(600) /* bounced */") }
                try await eventually("it runs") { try await observer.running("bounced") == 1 }
                task.cancel()
                #expect(try await failure { _ = try await task.value }.code == .cancelled)
                let error = try await failure {
                    try await withDeadline(.milliseconds(300)) {
                        _ = try await database.execute("SELECT pg_sleep(600) /* bounced */")
                    }
                }
                #expect(error.code == .timeout)
                try await eventually("nothing runs any more") { try await observer.running("bounced") == 0 }
                #expect(try await database.one("SELECT 1", as: Int32.self) == 1)
            }
        }

        @Test("with a server that is killed and started again under load: every caller is told the truth")
        func killedServer() async throws {
            try await PostgresTestServer.with { (server) async throws in
                try await server.query("CREATE TABLE written (\(WriteLoad.columns))")
                var options = PgBouncerTestServer.Options()
                options.poolSize = 3
                // After a failed login it would wait for 15 seconds.
                options.settings["server_login_retry"] = "1"
                let chosen = options
                try await PgBouncerTestServer.with(in: server, chosen) { (bouncer) async throws in
                    var configuration = server.configuration(maximum: 6)
                    configuration.hosts = [PostgresHost(bouncer.host, port: bouncer.port)]
                    configuration.statementMode = .unnamed
                    let settings = configuration
                    try await PostgresDatabase.with(settings) { (database) async throws in
                        let load = WriteLoad(on: database, try PostgresIdentifier("written"))
                        for _ in 0..<3 {
                            try await load.untilMore(50)
                            try await server.kill()
                            try await server.start()
                        }
                        try await load.untilMore(50)
                        try await server.withObserver { (observer) async throws in
                            try await load.check(
                                with: observer, allowing: [.connection, .unavailable, .commitUnknown, .timeout])
                        }
                        expectConsistency(of: database.statistics)
                    }
                }
            }
        }

        @Test("killed and started again under load: every caller is told the truth, and the pool goes on")
        func killed() async throws {
            try await Self.withDatabase { (database, bouncer, observer) async throws in
                try await observer.withTable(WriteLoad.columns) { (table) async throws in
                    let load = WriteLoad(on: database, table)
                    for _ in 0..<3 {
                        try await load.untilMore(50)
                        try await bouncer.kill()
                        try await bouncer.start()
                    }
                    try await load.untilMore(50)
                    await load.stop()
                    // What the killed one had begun, the server may have gone on with.
                    try await eventually("nothing runs any more") {
                        try await observer.database.one(
                            """
                            SELECT count(*) FROM pg_stat_activity
                                WHERE application_name = \(observer.application) AND state <> 'idle'
                            """, as: Int.self) == 0
                    }
                    try await load.check(
                        with: observer.database, allowing: [.connection, .unavailable, .commitUnknown, .timeout])
                }
            }
        }
    }
}
