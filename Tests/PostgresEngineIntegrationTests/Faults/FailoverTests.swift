import PersistenceCore
import PersistenceTesting
import PostgresEngine
import Testing

extension FaultTests {
    @Suite("A server whose replica takes over", .privateServer, .timeLimit(.minutes(5)))
    struct FailoverTests {
        /// What callers may hear while one server goes and the other is not there yet.
        private static let codes: Set<PersistenceError.Code> = [
            .connection, .unavailable, .commitUnknown, .timeout, .readOnly,
        ]

        @Test("under load: what was acknowledged survives, and the same pool goes on with the new primary")
        func takesOver() async throws {
            try await PostgresTestServer.with { (primary) async throws in
                let table = try PostgresIdentifier("written")
                try await primary.query("CREATE TABLE written (\(WriteLoad.columns))")
                let replica = try await primary.makeReplica(named: "second")
                try await replica.start()
                try await primary.replicateSynchronously(to: ["second"])

                var configuration = primary.configuration(maximum: 6)
                configuration.hosts.append(PostgresHost(replica.host, port: replica.port))
                configuration.targetSession = .readWrite
                // Nobody is there to cancel anything when both are down.
                configuration.pool.acquireTimeout = .seconds(5)
                let settings = configuration
                try await PostgresDatabase.with(settings) { (database) async throws in
                    let load = WriteLoad(on: database, table)
                    try await load.untilMore(100, "work is done")
                    try await primary.kill()
                    try await replica.promote()
                    try await load.untilMore(100, "work goes on with the replica")
                    #expect(try await database.one("SELECT inet_server_port()", as: Int32.self) == replica.port)
                    try await replica.withObserver { (observer) async throws in
                        try await load.check(with: observer, allowing: Self.codes)
                    }
                    expectConsistency(of: database.statistics)
                }
                await replica.remove()
            }
        }

        @Test("a commit whose wait for a replica is cancelled is an unknown outcome, although the server says COMMIT")
        func unreplicated() async throws {
            try await PostgresTestServer.with { (server) async throws in
                try await server.query("CREATE TABLE written (n int)")
                // Nobody has this name, so every commit that writes waits for ever.
                try await server.query("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
                try await server.query("SELECT pg_reload_conf()")
                try await server.withDatabase { (database, observer) async throws in
                    let writes: [@Sendable (Int) async throws -> Void] = [
                        { try await database.execute("INSERT INTO written VALUES (\($0))") },
                        { key in
                            try await database.withTransaction { transaction in
                                _ = try await transaction.execute("INSERT INTO written VALUES (\(key))")
                            }
                        },
                        { key in
                            try await database.withTransaction { transaction in
                                _ = try await transaction.execute("INSERT INTO written VALUES (\(key))")
                                _ = try await transaction.commit(AddNumbers(left: 1, right: 2))
                            }
                        },
                    ]
                    for (key, write) in writes.enumerated() {
                        let task = Task { try await write(key) }
                        try await eventually("its commit waits") { try await Self.waiting(observer).count == 1 }
                        // As an administrator would who sees it hang; our own cancel request does the same.
                        let process = try #require(try await Self.waiting(observer).first)
                        try await observer.database.execute("SELECT pg_cancel_backend(\(process))")
                        let error = try await failure { try await task.value }
                        #expect(error.code == .commitUnknown, "\(error)")
                        #expect(error.retrySafety == .unknown)
                    }
                    let cancelled = Task { try await writes[0](3) }
                    try await eventually("its commit waits") { try await Self.waiting(observer).count == 1 }
                    cancelled.cancel()
                    #expect(try await failure { try await cancelled.value }.code == .commitUnknown)
                    // Nothing of that is left behind for the next one.
                    #expect(try await database.one("SELECT count(*) FROM written", as: Int.self) == 4)
                }
            }
        }

        private static func waiting(_ observer: Observer) async throws -> [Int32] {
            try await observer.database.all(
                """
                SELECT pid FROM pg_stat_activity
                    WHERE application_name = \(observer.application) AND wait_event = 'SyncRep'
                """, as: Int32.self)
        }
    }
}
