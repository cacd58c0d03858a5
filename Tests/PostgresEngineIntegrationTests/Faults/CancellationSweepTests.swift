import PersistenceCore
import PersistenceTesting
import PostgresEngine
import Testing

extension FaultTests {
    @Suite("Tasks that are cancelled anywhere", .privateServer, .timeLimit(.minutes(5)))
    struct CancellationSweepTests {
        /// A transaction of several steps; `at` runs before each of them.
        private static func work(
            _ database: PostgresDatabase, _ table: PostgresIdentifier, _ key: Int, isPipelined: Bool,
            at step: (Int) -> Void = { _ in }
        ) async throws {
            step(0)
            try await database.withTransaction(.repeatableRead.tenant("acme")) { transaction in
                step(1)
                try await transaction.execute("INSERT INTO \(table) VALUES (\(key))")
                step(2)
                try await transaction.withSavepoint { savepoint in
                    step(3)
                    try await savepoint.execute("SELECT pg_sleep(0.002)")
                    step(4)
                }
                step(5)
                _ = try await transaction.pipeline(AddNumbers(left: 1, right: 2), CountTo(limit: 10))
                step(6)
                if isPipelined { _ = try await transaction.commit(AddNumbers(left: 3, right: 4)) }
                step(7)
            }
            step(8)
        }

        /// Whether a key is there, by what became of its transaction; `nil` is not known.
        private static func check(
            _ outcomes: [Int: Result<Void, any Error>], in table: PostgresIdentifier, _ observer: Observer
        ) async throws {
            let rows = try await observer.database.all("SELECT n FROM \(table)", as: Int.self)
            let there = Set(rows)
            #expect(there.count == rows.count)
            for (key, outcome) in outcomes {
                switch outcome {
                case .success: #expect(there.contains(key), "\(key) was acknowledged")
                case .failure(let error):
                    let error = try #require(error as? PersistenceError)
                    if error.code == .commitUnknown { continue }
                    #expect(error.code == .cancelled, "\(error)")
                    #expect(!there.contains(key), "\(key) failed with \(error)")
                }
            }
        }

        @Test("before every step of a transaction", arguments: [false, true])
        func everyStep(_ isPipelined: Bool) async throws {
            try await FaultServer.plain().withDatabase({ $0.pool.maximum = 2 }) { (database, observer) async throws in
                try await observer.withTable("n int") { (table) async throws in
                    var outcomes: [Int: Result<Void, any Error>] = [:]
                    for step in 0...8 {
                        let task = Task {
                            try await Self.work(database, table, step, isPipelined: isPipelined) { reached in
                                if reached == step { withUnsafeCurrentTask { $0?.cancel() } }
                            }
                        }
                        outcomes[step] = await task.result
                    }
                    try await Self.check(outcomes, in: table, observer)
                    // What comes after the last statement was sent cannot be cancelled any more.
                    let succeeded = outcomes.filter { (try? $0.value.get()) != nil }.keys
                    #expect(succeeded.contains(8))
                    #expect(!succeeded.contains(0))
                    #expect(!succeeded.contains(3))
                }
            }
        }

        @Test("at any moment of it", arguments: [UInt64(11), 12, 13])
        func anyMoment(_ seed: UInt64) async throws {
            try await FaultServer.plain().withDatabase({ $0.pool.maximum = 3 }) { (database, observer) async throws in
                try await observer.withTable("n int") { (table) async throws in
                    var random = SeededGenerator(seed)
                    var outcomes: [Int: Result<Void, any Error>] = [:]
                    for key in 0..<150 {
                        let patience = Int.random(in: 0..<400, using: &random)
                        let isPipelined = Bool.random(using: &random)
                        let task = Task { try await Self.work(database, table, key, isPipelined: isPipelined) }
                        for _ in 0..<patience { await Task.yield() }
                        task.cancel()
                        outcomes[key] = await task.result
                    }
                    try await Self.check(outcomes, in: table, observer)
                    let idle = try await observer.database.one(
                        """
                        SELECT count(*) FROM pg_stat_activity
                            WHERE application_name = \(observer.application) AND state LIKE 'idle in transaction%'
                        """, as: Int.self)
                    #expect(idle == 0)
                }
            }
        }

        @Test("two thousand of them: no connection, socket or thread is left behind")
        func twoThousand() async throws {
            let server = try await FaultServer.plain()
            let sockets = ProcessResources.sockets(to: server.port)
            try await server.withDatabase({ $0.pool.maximum = 8 }) { (database, observer) async throws in
                try await observer.withTable("n int") { (table) async throws in
                    var random = SeededGenerator(2000)
                    var outcomes: [Int: Result<Void, any Error>] = [:]
                    for batch in 0..<20 {
                        let tasks = (0..<100).map { number in
                            let key = batch * 100 + number
                            return (key, Task { try await Self.work(database, table, key, isPipelined: key % 2 == 0) })
                        }
                        for (_, task) in tasks.shuffled(using: &random) {
                            task.cancel()
                            if Int.random(in: 0..<4, using: &random) == 0 { await Task.yield() }
                        }
                        for (key, task) in tasks { outcomes[key] = await task.result }
                    }
                    try await Self.check(outcomes, in: table, observer)
                    let statistics = database.statistics
                    #expect(statistics.acquired == 0)
                    #expect(statistics.waiters == 0)
                    #expect(statistics.total <= 8)
                    #expect(try await database.one("SELECT 1", as: Int32.self) == 1)
                }
            }
            try await eventually("every socket is closed") { ProcessResources.sockets(to: server.port) <= sockets + 8 }
        }

        @Test(
            "a database that is made and shut down leaves no descriptor and no thread",
            .enabled(if: ProcessResources.isKnown))
        func databases() async throws {
            let server = try await FaultServer.plain()
            func cycle() async throws {
                try await PostgresDatabase.with(server.configuration()) { (database) async throws in
                    let cancelled = Task { try await database.execute("SELECT pg_sleep(600)") }
                    try await database.execute("SELECT 1")
                    cancelled.cancel()
                    _ = await cancelled.result
                }
            }
            try await cycle()
            let descriptors = ProcessResources.descriptors()
            let threads = ProcessResources.threads(named: "pg-reactor")
            for _ in 0..<100 { try await cycle() }
            // Other suites run in the same process: their dozens come and go, the hundred of a leak would stay.
            try await eventually("no thread is left", within: .seconds(30)) {
                ProcessResources.threads(named: "pg-reactor") < threads + 50
            }
            try await eventually("no descriptor is left", within: .seconds(30)) {
                ProcessResources.descriptors() < descriptors + 90
            }
        }
    }
}
