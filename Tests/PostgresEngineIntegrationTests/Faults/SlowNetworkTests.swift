import PersistenceCore
import PersistenceTesting
import PostgresEngine
import Testing

extension FaultTests {
    @Suite("A slow network", .privateServer, .timeLimit(.minutes(5)))
    struct SlowNetworkTests {
        private static func withDatabase(
            _ change: (inout PostgresConfiguration) -> Void = { _ in },
            _ body: (PostgresDatabase, TCPProxy, Observer) async throws -> Void
        ) async throws {
            let server = try await FaultServer.plain()
            try await TCPProxy.with(port: server.port) { (proxy) async throws in
                try await server.withDatabase(
                    {
                        $0.pool.maximum = 1
                        // On a busy machine it would else be a test before use that meets the deadline.
                        $0.pool.livenessTestAge = .seconds(3600)
                        $0.cancellationGrace = .seconds(30)
                        change(&$0)
                    }, through: proxy
                ) { (database, observer) async throws in
                    try await database.execute("SELECT 1")
                    try await body(database, proxy, observer)
                }
            }
        }

        @Test("answers come later, and right; pipelines save the waits")
        func latency() async throws {
            try await Self.withDatabase { (database, proxy, _) async throws in
                proxy.change { $0.latency = .milliseconds(40) }
                let start = ContinuousClock.now
                let sums = try await database.batch((0..<500).map { AddNumbers(left: $0, right: 1) })
                #expect(sums == Array(1...500))
                let elapsed = start.duration(to: .now)
                #expect(elapsed >= .milliseconds(80))
                // One by one, they would take forty seconds at least.
                #expect(elapsed < .seconds(20))
            }
        }

        @Test("deadline and cancellation reach the server, and the connection serves on")
        func interruption() async throws {
            try await Self.withDatabase { (database, proxy, observer) async throws in
                proxy.change { $0.latency = .milliseconds(30) }
                let error = try await failure {
                    try await withDeadline(.milliseconds(300)) {
                        _ = try await database.execute("SELECT pg_sleep(600)")
                    }
                }
                #expect(error.code == .timeout)
                #expect(error.timeout == .statement)
                let task = Task { try await database.execute("SELECT pg_sleep(600) /* slow-cancel */") }
                try await eventually("it runs") { try await observer.running("slow-cancel") == 1 }
                task.cancel()
                #expect(try await failure { _ = try await task.value }.code == .cancelled)
                #expect(try await observer.running("slow-cancel") == 0)
                #expect(try await database.one("SELECT 4", as: Int32.self) == 4)
                #expect(database.statistics.newConnections == 1)
            }
        }

        @Test("a result that comes by drops is whole, or the deadline ends the wait for it")
        func bandwidth() async throws {
            try await Self.withDatabase({ $0.cancellationGrace = .milliseconds(300) }) {
                (database, proxy, _) async throws in
                proxy.change { $0.bytesPerSecond = 100_000 }
                let text = try await database.one("SELECT repeat('x', 50000)", as: String.self)
                #expect(text.utf8.count == 50_000)
                proxy.change { $0.bytesPerSecond = 2_000 }
                let start = ContinuousClock.now
                let error = try await failure {
                    try await withDeadline(.milliseconds(500)) {
                        _ = try await database.one("SELECT repeat('x', 50000)", as: String.self)
                    }
                }
                #expect(error.code == .timeout)
                #expect(error.timeout == .statement)
                #expect(start.duration(to: .now) < .seconds(20))
                proxy.change { $0.bytesPerSecond = nil }
                #expect(try await database.one("SELECT 5", as: Int32.self) == 5)
            }
        }

        @Test("many large parameters and results at once are not mixed up")
        func largeValues() async throws {
            try await Self.withDatabase({ $0.pool.maximum = 4 }) { (database, proxy, _) async throws in
                proxy.change { $0.bytesPerSecond = 20_000_000 }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<16 {
                        group.addTask {
                            let text = String(repeating: "\(number) ", count: 100_000)
                            let back = try await database.one("SELECT \(text)", as: String.self)
                            #expect(back == text)
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }
}
