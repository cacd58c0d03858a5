import PersistenceCore
import PersistenceTesting
import PostgresEngine
import Testing

extension FaultTests {
    @Suite("A pool under pressure", .privateServer, .timeLimit(.minutes(5)))
    struct PoolPressureTests {
        @Test("with a thousand waiters, many of them cancelled, and its backends ended: the others are served")
        func exhausted() async throws {
            try await FaultServer.plain().withDatabase({ $0.pool.maximum = 3 }) { (database, observer) async throws in
                var random = SeededGenerator(1000)
                let options = PostgresTransactionOptions().retrying(
                    RetryPolicy(maximumAttempts: 50, baseDelay: .milliseconds(1)))
                // Nobody is served until all wait.
                let gate = Shared(false)
                let holders = (0..<3).map { _ in
                    Task {
                        try await database.withConnection { _ in
                            try await eventually("all wait") { gate.value }
                        }
                    }
                }
                try await eventually("the pool is empty") { database.statistics.acquired == 3 }
                let tasks = (0..<1000).map { number in
                    Task {
                        try await database.withTransaction(options) { transaction in
                            try await transaction.one("SELECT \(number)", as: Int.self)
                        }
                    }
                }
                try await eventually("all wait") { database.statistics.waiters == 1000 }
                let cancelled = Set(tasks.indices.shuffled(using: &random).prefix(500))
                for index in cancelled.prefix(250) { tasks[index].cancel() }
                gate.change { $0 = true }
                for index in cancelled.dropFirst(250) {
                    tasks[index].cancel()
                    if index % 50 == 0 { try await observer.terminateAll() }
                }
                for holder in holders { try await holder.value }
                for (number, task) in tasks.enumerated() {
                    switch await task.result {
                    case .success(let value): #expect(value == number)
                    case .failure(let error):
                        // A backend that was ended between COMMIT and its answer leaves the outcome unknown, and
                        // what is unknown is not repeated.
                        let code = (error as? PersistenceError)?.code
                        let isTold = code == .commitUnknown || code == .cancelled && cancelled.contains(number)
                        #expect(isTold, "\(error)")
                    }
                }
                #expect(database.statistics.waiters == 0)
                #expect(database.statistics.acquired == 0)
            }
        }

        @Test("ten thousand cancelled tasks leave it as it was")
        func cancelled() async throws {
            try await FaultServer.plain().withDatabase({ $0.pool.maximumWaiters = 20_000 }) {
                (database, observer) async throws in
                var random = SeededGenerator(10_000)
                let tasks = (0..<10_000).map { number in
                    Task { try await database.one("SELECT \(number)", as: Int.self) }
                }
                for (index, task) in tasks.shuffled(using: &random).enumerated() {
                    task.cancel()
                    if index % 100 == 0 { await Task.yield() }
                }
                var answers = 0
                for (number, task) in tasks.enumerated() {
                    switch await task.result {
                    case .success(let value):
                        #expect(value == number)
                        answers += 1
                    case .failure(let error): #expect((error as? PersistenceError)?.code == .cancelled, "\(error)")
                    }
                }
                #expect(answers < 10_000)
                let statistics = database.statistics
                #expect(statistics.requests <= 10_000)
                #expect(statistics.waiters == 0)
                #expect(statistics.acquired == 0)
                #expect(try await observer.sessions() <= 4)
                #expect(try await database.one("SELECT 1", as: Int32.self) == 1)
            }
        }

        @Test("a shutdown under load ends at its deadline, and every caller is told the truth")
        func shutdown() async throws {
            let server = try await FaultServer.plain()
            try await server.withDatabase { (_, observer) async throws in
                try await observer.withTable(WriteLoad.columns) { (table) async throws in
                    let database = try PostgresDatabase(
                        configuration: server.configuration(application: observer.application))
                    let stubborn = Task { try await database.execute("SELECT pg_sleep(600) /* stubborn-load */") }
                    try await eventually("it runs") { try await observer.running("stubborn-load") == 1 }
                    let load = WriteLoad(on: database, table)
                    try await load.untilMore(50)
                    let start = ContinuousClock.now
                    let cutOff = await database.shutdown(within: .milliseconds(300))
                    #expect(start.duration(to: .now) < .seconds(30))
                    #expect(cutOff >= 1)
                    #expect(try await failure { _ = try await stubborn.value }.code == .connection)
                    await load.stop()
                    try await eventually("no session is left") { try await observer.sessions() == 0 }
                    try await load.check(
                        with: observer.database, allowing: [.poolClosed, .connection, .commitUnknown])
                    #expect(database.statistics.total == 0)
                    expectConsistency(of: database.statistics)
                }
            }
        }

        @Test("half-open connections, all of them at once, are found before they are lent")
        func halfOpen() async throws {
            let server = try await FaultServer.plain()
            try await TCPProxy.with(port: server.port) { (proxy) async throws in
                try await server.withDatabase(
                    {
                        $0.pool.maximum = 6
                        $0.pool.livenessTestAge = .zero
                        $0.pool.livenessTestTimeout = .seconds(1)
                    }, through: proxy
                ) { (database, observer) async throws in
                    try await Self.useAll(6, of: database)
                    proxy.freezeConnections()
                    try await Self.useAll(6, of: database)
                    #expect(database.statistics.failedLivenessTests >= 1)
                    #expect(database.statistics.failedAcquires == 0)
                    proxy.resetConnections()
                    try await observer.terminateAll()
                }
            }
        }

        /// Holds so many connections at the same time, and uses each.
        private static func useAll(_ count: Int, of database: PostgresDatabase) async throws {
            let held = Shared(0)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<count {
                    group.addTask {
                        try await database.withConnection { connection in
                            try await connection.execute("SELECT 1")
                            held.change { $0 += 1 }
                            try await eventually("all are held") { held.value == count }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}
