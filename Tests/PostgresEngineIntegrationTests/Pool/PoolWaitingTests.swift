import PersistenceCore
import PersistenceTesting
import PostgresEngine
import Testing

@Suite("Waiting for a connection", .privateServer, .timeLimit(.minutes(5)))
struct PoolWaitingTests {
    @Test("the wait for a connection ends with the acquire timeout or the deadline, and says so")
    func acquireTimeout() async throws {
        try await FaultServer.plain().withDatabase({
            $0.pool.maximum = 1
            $0.pool.acquireTimeout = .milliseconds(200)
        }) { (database, _) async throws in
            let before = try await Self.openPatiently(database)
            try await database.withConnection { (_) async throws in
                let error = try await failure { try await database.execute("SELECT 1") }
                #expect(error.code == .timeout)
                #expect(error.timeout == .pool)
                #expect(error.retrySafety == .safe)
                #expect(error.summary.contains("1 in use"))
                let late = try await failure {
                    try await withDeadline(.milliseconds(20)) { try await database.withTransaction { _ in } }
                }
                #expect(late.timeout == .pool)
            }
            #expect(try await database.one("SELECT 1", as: Int32.self) == 1)
            #expect(database.statistics.timedOutAcquires == before + 2)
        }
    }

    @Test("one caller more than may wait is refused at once")
    func exhausted() async throws {
        try await FaultServer.plain().withDatabase({
            $0.pool.maximum = 1
            $0.pool.maximumWaiters = 2
        }) { (database, _) async throws in
            try await database.execute("SELECT 1")
            let waiting = try await database.withConnection { (_) async throws in
                let waiting = (0..<2).map { number in Task { try await database.one("SELECT \(number)", as: Int.self) }
                }
                try await eventually("both wait") { database.statistics.waiters == 2 }
                let error = try await failure { try await database.execute("SELECT 1") }
                #expect(error.code == .poolExhausted)
                #expect(error.retrySafety == .safe)
                #expect(error.timeout == nil)
                return waiting
            }
            for (number, task) in waiting.enumerated() {
                let value = try await task.value
                #expect(value == number)
            }
            #expect(database.statistics.refusedAcquires == 1)
        }
    }

    @Test("callers are served in the order they came")
    func order() async throws {
        try await FaultServer.plain().withDatabase({ $0.pool.maximum = 1 }) { (database, _) async throws in
            let served = Shared<[Int]>([])
            try await withThrowingTaskGroup(of: Void.self) { group in
                try await database.withConnection { (_) async throws in
                    for number in 0..<20 {
                        group.addTask {
                            try await database.withConnection { (_) async throws in
                                served.change { $0.append(number) }
                            }
                        }
                        try await eventually("caller \(number) waits") { database.statistics.waiters == number + 1 }
                    }
                }
                try await group.waitForAll()
            }
            #expect(served.value == Array(0..<20))
        }
    }

    @Test("a thousand callers, many of them cancelled at random: the others get their own answers", arguments: [1, 2])
    func thousand(_ seed: UInt64) async throws {
        let server = try await FaultServer.plain()
        try await server.withDatabase({ $0.pool.maximum = 3 }) { (database, observer) async throws in
            var random = SeededGenerator(seed)
            let tasks = (0..<1000).map { number in
                Task { try await database.one("SELECT \(number), pg_sleep(0)", as: (Int, PostgresVoid).self).0 }
            }
            for index in tasks.indices.shuffled(using: &random).prefix(600) {
                tasks[index].cancel()
                if Bool.random(using: &random) { await Task.yield() }
            }
            var answered = 0
            for (number, task) in tasks.enumerated() {
                switch await task.result {
                case .success(let value):
                    #expect(value == number)
                    answered += 1
                case .failure(let error):
                    #expect((error as? PersistenceError)?.code == .cancelled)
                }
            }
            #expect(answered >= 400)
            try await eventually("all connections are back") {
                let statistics = database.statistics
                return statistics.acquired == 0 && statistics.waiters == 0 && statistics.inMaintenance == 0
            }
            #expect(try await observer.sessions() <= 3)
            #expect(ProcessResources.sockets(to: server.port) < 60)
        }
    }

    @Test("beyond the maximum, connections are opened while they are needed, and closed after")
    func overflow() async throws {
        try await FaultServer.plain().withDatabase({
            $0.pool = PostgresPoolConfiguration(maximum: 1, overflow: 2)
        }) { (database, observer) async throws in
            try await database.withConnection { (_) async throws in
                try await database.withConnection { (_) async throws in
                    try await database.withConnection { (_) async throws in
                        #expect(database.statistics.overflow == 2)
                        let error = try await failure {
                            try await withDeadline(.milliseconds(50)) { _ = try await database.execute("SELECT 1") }
                        }
                        #expect(error.timeout == .pool)
                    }
                }
            }
            #expect(database.statistics.total == 1)
            #expect(database.statistics.overflowCloses == 2)
            try await eventually("two sessions have ended") { try await observer.sessions() == 1 }
        }
    }

    /// Opens a connection however busy the machine is, and returns how many waits ran out on the way.
    private static func openPatiently(_ database: PostgresDatabase) async throws -> Int64 {
        try await RetryPolicy(maximumAttempts: 200).execute { _ in _ = try await database.execute("SELECT 1") }
        return database.statistics.timedOutAcquires
    }
}
