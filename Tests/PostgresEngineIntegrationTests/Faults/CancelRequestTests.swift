import PersistenceCore
import PersistenceTesting
import PostgresEngine
import Testing

extension FaultTests {
    @Suite("Cancel requests that get no answer", .privateServer, .timeLimit(.minutes(5)))
    struct CancelRequestTests {
        /// Lends a database whose connections go through one proxy; cancel requests go the same way.
        private static func withDatabase(
            grace: Duration, maximum: Int = 1, _ body: (PostgresDatabase, TCPProxy, Observer) async throws -> Void
        ) async throws {
            let server = try await FaultServer.plain()
            try await TCPProxy.with(port: server.port) { (proxy) async throws in
                try await server.withDatabase(
                    {
                        $0.pool.maximum = maximum
                        $0.cancellationGrace = grace
                    }, through: proxy
                ) { (database, observer) async throws in
                    try await database.execute("SELECT 1")
                    try await body(database, proxy, observer)
                    proxy.change { $0.freezesNewConnections = false }
                    proxy.resetConnections()
                    try await observer.terminateAll()
                }
            }
        }

        @Test("do not hold back a statement's own answer for longer than the grace")
        func answered() async throws {
            try await Self.withDatabase(grace: .seconds(3)) { (database, proxy, observer) async throws in
                try await observer.database.withConnection { (holder) async throws in
                    try await holder.execute("SELECT pg_advisory_lock(4711)")
                    let task = Task {
                        try await database.one(
                            "SELECT 42 /* waits */ FROM (SELECT pg_advisory_lock(4711)) AS l", as: Int32.self)
                    }
                    try await eventually("it waits") { try await observer.running("waits") == 1 }
                    // From here on the way to the server is open for answers and closed for cancel requests.
                    proxy.change { $0.freezesNewConnections = true }
                    task.cancel()
                    try await eventually("the request is on its way") { proxy.traffic.accepted >= 2 }
                    try await holder.execute("SELECT pg_advisory_unlock(4711)")
                    #expect(try await task.value == 42)
                }
                // The request may still arrive, and would hit whatever the connection does next.
                #expect(database.statistics.discards == 1)
                proxy.change { $0.freezesNewConnections = false }
                #expect(try await database.one("SELECT 1", as: Int32.self) == 1)
            }
        }

        @Test("do not keep others from theirs")
        func others() async throws {
            try await Self.withDatabase(grace: .seconds(60), maximum: 12) { (database, proxy, observer) async throws in
                func sleepers() -> [Task<Int, any Error>] {
                    (0..<6).map { _ in Task { try await database.execute("SELECT pg_sleep(600) /* hangs */") } }
                }
                let stuck = sleepers()
                try await eventually("they run") { try await observer.running("hangs") == 6 }
                proxy.change { $0.freezesNewConnections = true }
                for task in stuck { task.cancel() }
                try await eventually("requests hang") { proxy.traffic.accepted >= 6 + 4 }
                proxy.change { $0.freezesNewConnections = false }
                let fresh = sleepers()
                try await eventually("they run") { try await observer.running("hangs") == 12 }
                // Once the first ones have hung for a second, they no longer count.
                for task in fresh { task.cancel() }
                for task in fresh { #expect(try await failure { _ = try await task.value }.code == .cancelled) }
                proxy.resetConnections()
                for task in stuck { _ = await task.result }
            }
        }
    }
}
