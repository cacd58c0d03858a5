import PersistenceCore
import Testing

@testable import PostgresEngine

@Suite("Connection pool under load", .timeLimit(.minutes(5)))
struct ConnectionPoolStressTests {
    private struct Tally {
        var asked: Int64 = 0
        var got: Int64 = 0
        var errors: [PersistenceError.Code: Int64] = [:]
        var faults: [String] = []
    }

    @Test(
        "loses and doubles no connection, whoever is cancelled or dies, and its numbers add up",
        arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func stress(seed: UInt64) async throws {
        var random = PoolRandom(seed: seed)
        let server = FakeServer()
        let chance = Shared(PoolRandom(seed: seed &+ 1000))
        let oneIn: @Sendable (Int64) -> Bool = { bound in chance.withLock { $0.nanoseconds(below: bound) == 0 } }
        server.behave { behaviour in
            behaviour.connect = { () async throws(PersistenceError) in
                await Task.yield()
                if oneIn(20) { throw PersistenceError(oneIn(3) ? .authentication : .unavailable) }
            }
            behaviour.ping = { (_) async throws(PersistenceError) in
                await Task.yield()
                if oneIn(5) { throw PersistenceError(.connection) }
            }
            behaviour.reset = { (_) async throws(PersistenceError) in
                await Task.yield()
                if oneIn(5) { throw PersistenceError(.connection) }
            }
        }
        var hooks = ConnectionPoolHooks<FakeConnection>()
        if seed.isMultiple(of: 3) {
            hooks.beforeAcquire = { _ in
                await Task.yield()
                return !oneIn(10)
            }
        }
        let pool = ConnectionPool<FakeConnection, SystemPoolTime>(
            configuration: configuration {
                $0.minimum = 1
                $0.maximum = 4
                $0.overflow = Int(seed % 3)
                $0.maximumWaiters = 40
                $0.acquireTimeout = .milliseconds(300)
                $0.livenessTestAge = seed.isMultiple(of: 2) ? .milliseconds(40) : .microseconds(20)
                $0.healthCheckInterval = .milliseconds(100)
                $0.connectRetryDelay = .milliseconds(1)
                $0.connectRetryDelayLimit = .milliseconds(4)
                $0.maximumLifetime = .milliseconds(100)
                $0.lifetimeJitter = .milliseconds(50)
                $0.idleTimeout = .milliseconds(50)
            },
            time: SystemPoolTime(),
            seed: seed,
            hooks: hooks,
            connect: { (id) async throws(PersistenceError) in try await server.connect(id) },
            reset: { (connection) async throws(PersistenceError) in try await server.reset(connection) }
        )
        let maintenance = Task { await pool.run() }
        let tally = Shared(Tally())

        let use: @Sendable (PoolRandom) async -> Void = { random in
            var random = random
            tally.withLock { $0.asked += 1 }
            do throws(PersistenceError) {
                let connection = try await pool.acquire()
                let isAlone = connection.borrow()
                for _ in 0..<random.nanoseconds(below: 4) { await Task.yield() }
                if random.nanoseconds(below: 30) == 0 { connection.closeNow() }
                let wasBorrowed = connection.giveBack()
                let disposition: PoolReleaseDisposition =
                    [.reusable, .reusable, .reusable, .needsReset, .discard][Int(random.nanoseconds(below: 5))]
                pool.release(connection, disposition: disposition)
                tally.withLock {
                    $0.got += 1
                    if !isAlone || !wasBorrowed { $0.faults.append("two had the same connection") }
                }
            } catch {
                tally.withLock { $0.errors[error.code, default: 0] += 1 }
            }
            let contradictions = pool.statistics.contradictions
            if !contradictions.isEmpty { tally.withLock { $0.faults += contradictions } }
        }

        let seeds = (0..<48).map { _ in random.next() }
        await withDiscardingTaskGroup { group in
            for seed in seeds {
                group.addTask {
                    var random = PoolRandom(seed: seed)
                    for _ in 0..<150 {
                        let inner = PoolRandom(seed: random.next())
                        let task = Task { await use(inner) }
                        if random.nanoseconds(below: 4) == 0 {
                            for _ in 0..<random.nanoseconds(below: 6) { await Task.yield() }
                            task.cancel()
                        }
                        await task.value
                    }
                }
            }
        }

        #expect(await pool.drain(for: .seconds(30)) == 0)
        await maintenance.value
        let statistics = pool.statistics
        let result = tally.withLock { $0 }
        #expect(Array(result.faults.prefix(2)) == [])
        #expect(statistics.contradictions.isEmpty)
        #expect(statistics.total == 0 && statistics.waiters == 0)
        #expect(server.counts.opened == server.counts.closed)
        #expect(statistics.newConnections == Int64(server.counts.opened))
        #expect(statistics.failedConnects == Int64(server.counts.attempts - server.counts.opened))
        #expect(statistics.requests == result.asked)
        #expect(statistics.acquires == result.got)
        #expect(statistics.cancelledAcquires == result.errors[.cancelled, default: 0])
        #expect(statistics.timedOutAcquires == result.errors[.timeout, default: 0])
        #expect(statistics.refusedAcquires == result.errors[.poolExhausted, default: 0])
        // The run is of no use when these did not happen.
        #expect(statistics.acquires > 1000)
        #expect(statistics.resets > 0 && statistics.discards > 0 && statistics.cancelledAcquires > 0)
    }
}
