import PersistenceCore
import PersistenceTesting
import PostgresEngine
import Testing

private struct ClosureError: Error {}

extension FaultTests {
    @Suite("A network that says nothing any more", .privateServer, .timeLimit(.minutes(5)))
    struct SilentNetworkTests {
        /// Lends an open database behind a proxy; whatever happens, the sessions on the server end with the proxy.
        private static func withDatabase(
            _ change: (inout PostgresConfiguration) -> Void = { _ in },
            _ body: (PostgresDatabase, TCPProxy, Observer) async throws -> Void
        ) async throws {
            let server = try await FaultServer.plain()
            try await TCPProxy.with(port: server.port) { (proxy) async throws in
                try await server.withDatabase(
                    {
                        $0.pool.maximum = 1
                        // On a busy machine it would else be a test before use that meets the fault.
                        $0.pool.livenessTestAge = .seconds(3600)
                        $0.cancellationGrace = .milliseconds(300)
                        change(&$0)
                    }, through: proxy
                ) { (database, observer) async throws in
                    // Prepared and open, so that what is timed below is the network.
                    try await RetryPolicy(maximumAttempts: 50, isRetryable: { _ in true }).execute { _ in
                        _ = try await database.execute("SELECT 1")
                    }
                    try await body(database, proxy, observer)
                    proxy.change { $0.isBlackHole = false }
                    proxy.resetConnections()
                    try await observer.terminateAll()
                }
            }
        }

        /// Time enough for a loaded machine, and far from for ever.
        private static let patience = Duration.seconds(30)

        private func timed(_ body: () async throws -> Void) async throws -> PersistenceError {
            let start = ContinuousClock.now
            let error = try await failure(of: body)
            #expect(start.duration(to: .now) < Self.patience)
            return error
        }

        @Test("a statement ends at its deadline, and the connection with it; afterwards the pool serves on")
        func statement() async throws {
            try await Self.withDatabase { (database, proxy, _) async throws in
                proxy.change { $0.isBlackHole = true }
                let error = try await timed {
                    try await withDeadline(.milliseconds(200)) { _ = try await database.execute("SELECT 1") }
                }
                #expect(error.code == .timeout)
                #expect(error.timeout == .statement)
                #expect(error.retrySafety == .unknown)
                #expect(database.statistics.discards == 1)
                proxy.change { $0.isBlackHole = false }
                #expect(try await database.one("SELECT 2", as: Int32.self) == 2)
            }
        }

        @Test("a cancelled statement does not wait for ever for the server's consent")
        func cancelled() async throws {
            try await Self.withDatabase { (database, proxy, observer) async throws in
                let task = Task { try await database.execute("SELECT pg_sleep(600) /* silent-cancel */") }
                try await eventually("it runs") { try await observer.running("silent-cancel") == 1 }
                proxy.change { $0.isBlackHole = true }
                task.cancel()
                let error = try await timed { _ = try await task.value }
                #expect(error.code == .cancelled)
                #expect(error.retrySafety == .unknown)
            }
        }

        @Test("the wait for a connection ends as a wait for the pool, and names what opening it failed with")
        func acquire() async throws {
            try await Self.withDatabase({
                $0.connectTimeout = .milliseconds(500)
                $0.pool.acquireTimeout = .seconds(5)
            }) { (database, proxy, _) async throws in
                proxy.change { $0.isBlackHole = true }
                // The only connection goes first.
                _ = try await timed {
                    try await withDeadline(.milliseconds(100)) { _ = try await database.execute("SELECT 1") }
                }
                let error = try await failureToConnect(database, within: .seconds(2))
                #expect(error.code == .timeout)
                #expect(error.timeout == .pool)
                #expect(error.retrySafety == .safe)
                let cause = error.underlying as? PersistenceError
                #expect(cause?.code == .timeout)
                #expect(cause?.timeout == .connect)
            }
        }

        @Test("COMMIT without an answer is an unknown outcome")
        func commit() async throws {
            try await Self.withDatabase { (database, proxy, observer) async throws in
                try await observer.withTable("n int") { (table) async throws in
                    let error = try await timed {
                        try await withDeadline(.seconds(3)) {
                            try await database.withTransaction { transaction in
                                try await transaction.execute("INSERT INTO \(table) VALUES (1)")
                                proxy.change { $0.isBlackHole = true }
                            }
                        }
                    }
                    #expect(error.code == .commitUnknown)
                    #expect(error.retrySafety == .unknown)
                    proxy.change { $0.isBlackHole = false }
                    proxy.resetConnections()
                    try await observer.terminateAll()
                }
            }
        }

        @Test("a transaction whose closure throws is given up as soon as the server had time to roll back")
        func rollback() async throws {
            try await Self.withDatabase { (database, proxy, observer) async throws in
                let start = ContinuousClock.now
                await #expect(throws: ClosureError.self) {
                    try await database.withTransaction { transaction in
                        try await transaction.execute("SELECT 1")
                        proxy.change { $0.isBlackHole = true }
                        throw ClosureError()
                    }
                }
                #expect(start.duration(to: .now) < Self.patience)
                #expect(database.statistics.discards == 1)
            }
        }

        @Test("a shutdown ends at its deadline")
        func shutdown() async throws {
            try await Self.withDatabase { (database, proxy, _) async throws in
                proxy.change { $0.isBlackHole = true }
                let statement = Task { try await database.execute("SELECT 1") }
                try await eventually("it is on its way") { database.statistics.acquired == 1 }
                let start = ContinuousClock.now
                let cutOff = await database.shutdown(within: .milliseconds(200))
                #expect(start.duration(to: .now) < Self.patience)
                #expect(cutOff == 1)
                #expect(try await failure { _ = try await statement.value }.code == .connection)
            }
        }

        @Test("more statements than there are threads to cancel them all come back")
        func manyCancelled() async throws {
            try await Self.withDatabase({ $0.pool.maximum = 12 }) { (database, proxy, observer) async throws in
                let tasks = (0..<12).map { _ in
                    Task { try await database.execute("SELECT pg_sleep(600) /* silent-many */") }
                }
                try await eventually("all run") { try await observer.running("silent-many") == 12 }
                proxy.change { $0.isBlackHole = true }
                for task in tasks { task.cancel() }
                for task in tasks {
                    let error = try await timed { _ = try await task.value }
                    #expect(error.code == .cancelled)
                }
                proxy.change { $0.isBlackHole = false }
                #expect(try await database.one("SELECT 3", as: Int32.self) == 3)
            }
        }
    }
}
