import MetricsTestKit
import PersistenceCore
import PersistenceTesting
import Testing

@testable import PostgresEngine

@Suite("Connection pool from start to end", .timeLimit(.minutes(5)))
struct ConnectionPoolLifecycleTests {
    let server = FakeServer()
    let time = ManualTime()

    // MARK: Maintenance

    @Test("fills up to the minimum, tests idle connections and replaces dead ones while it runs")
    func run() async throws {
        let pool = makePool(
            server, time,
            configuration {
                $0.minimum = 2
                $0.maximum = 4
            })
        let maintenance = Task { await pool.run() }
        await until { pool.statistics.idle == 2 }
        await time.elapse(.seconds(60))
        await until { pool.statistics.livenessTests == 2 && pool.statistics.idle == 2 }
        #expect(server.counts.opened == 2)

        server.behave { behaviour in
            behaviour.ping = { (_) async throws(PersistenceError) in throw PersistenceError(.connection) }
        }
        await time.elapse(.seconds(60))
        await until { pool.statistics.failedLivenessTests == 2 && pool.statistics.idle == 2 }
        #expect(server.counts.opened == 4)
        #expect(server.counts.closed == 2)
        maintenance.cancel()
        await maintenance.value
        // The maintenance has ended, the pool has not.
        pool.release(try await pool.acquire())
        #expect(pool.statistics.contradictions.isEmpty)
        pool.close()
    }

    @Test("closes what nobody uses while it runs")
    func idleTimeout() async throws {
        let pool = makePool(server, time)
        let lent = [try await pool.acquire(), try await pool.acquire()]
        for connection in lent { pool.release(connection) }
        let maintenance = Task { await pool.run() }
        time.advance(by: .seconds(1800))
        await time.elapse(.seconds(60))
        await until { pool.statistics.total == 0 }
        #expect(pool.statistics.idleCloses == 2)
        pool.close()
        await maintenance.value
    }

    // MARK: Shutdown

    @Test("drains: those who wait fail, those who have a connection may finish, and the maintenance ends")
    func drain() async throws {
        let pool = makePool(server, time, .init(maximum: 1))
        let maintenance = Task { await pool.run() }
        let connection = try await pool.acquire()
        let waiting = Task { try await pool.acquire() }
        await until { pool.statistics.waiters == 1 }
        let drained = Task { await pool.drain(for: .seconds(10)) }
        let error = await #expect(throws: PersistenceError.self) { try await waiting.value }
        #expect(error?.code == .poolClosed)
        let refused = await #expect(throws: PersistenceError.self) { try await pool.acquire() }
        #expect(refused?.code == .poolClosed)
        #expect(connection.isUsable)
        pool.release(connection)
        #expect(await drained.value == 0)
        await maintenance.value
        #expect(server.counts.opened == server.counts.closed)
        #expect(pool.statistics.contradictions.isEmpty)
        #expect(await pool.drain(for: .seconds(10)) == 0)
    }

    @Test("closes what is still in use when the time to drain is up")
    func drainTimeout() async throws {
        let pool = makePool(server, time)
        let connection = try await pool.acquire()
        let drained = Task { await pool.drain(for: .seconds(10)) }
        await time.elapse(.seconds(10))
        #expect(await drained.value == 1)
        #expect(!connection.isUsable)
        pool.release(connection)
        #expect(server.counts.closed == 1)
        #expect(pool.statistics.contradictions.isEmpty)
    }

    @Test("closes everything at once when the drain is cancelled")
    func drainCancelled() async throws {
        let pool = makePool(server, time)
        let connection = try await pool.acquire()
        let drained = Task { await pool.drain(for: .seconds(10)) }
        drained.cancel()
        #expect(await drained.value == 1)
        #expect(!connection.isUsable)
    }

    @Test("cancels what it is opening when it is closed, and leaks nothing that is opened nevertheless")
    func closeWhileOpening() async throws {
        let gate = Gate()
        server.behave { behaviour in
            behaviour.connect = { () async throws(PersistenceError) in try? await gate.pass() }
        }
        let pool = makePool(server, time)
        let caller = Task { try await pool.acquire() }
        await until { gate.waitingCount == 1 }
        pool.close()
        let error = await #expect(throws: PersistenceError.self) { try await caller.value }
        #expect(error?.code == .poolClosed)
        await pool.untilDrained()
        #expect(server.counts.opened == 1)
        #expect(server.counts.closed == 1)
        #expect(pool.statistics.contradictions.isEmpty)
    }

    // MARK: Hooks

    @Test("asks its hooks on the way in and out")
    func hooks() async throws {
        let calls = Calls()
        var hooks = ConnectionPoolHooks<FakeConnection>()
        hooks.beforeConnect = { calls.note("beforeConnect") }
        hooks.afterConnect = { _ in calls.note("afterConnect") }
        hooks.beforeAcquire = { _ in
            calls.note("beforeAcquire")
            return true
        }
        hooks.afterRelease = { _ in
            calls.note("afterRelease")
            return true
        }
        let pool = makePool(server, time, hooks: hooks)
        let connection = try await pool.acquire()
        pool.release(connection)
        await until { pool.statistics.idle == 1 }
        #expect(try await pool.acquire() === connection)
        #expect(
            calls.names == ["beforeConnect", "afterConnect", "beforeAcquire", "afterRelease", "beforeAcquire"])
        #expect(server.counts.resets == 0)
        #expect(pool.statistics.contradictions.isEmpty)
        pool.close()
    }

    @Test("closes a connection that a hook refuses and tries another")
    func refusingHooks() async throws {
        let calls = Calls()
        var hooks = ConnectionPoolHooks<FakeConnection>()
        hooks.beforeAcquire = { _ in
            calls.note("")
            return calls.names.count != 1
        }
        hooks.afterRelease = { _ in false }
        let pool = makePool(server, time, .init(maximum: 1), hooks: hooks)
        let connection = try await pool.acquire()
        #expect(server.counts.opened == 2)
        #expect(server.counts.closed == 1)
        pool.release(connection)
        await until { pool.statistics.total == 0 }
        #expect(pool.statistics.hookRefusals == 2)
        pool.close()
    }

    @Test("counts a hook that throws as a failure to connect, and closes what was opened")
    func throwingHooks() async throws {
        struct Refusal: Error {}
        var hooks = ConnectionPoolHooks<FakeConnection>()
        hooks.afterConnect = { _ in throw Refusal() }
        let pool = makePool(server, time, hooks: hooks)
        let caller = Task { try await pool.acquire() }
        await until { pool.statistics.failedConnects == 1 }
        #expect(server.counts.closed == 1)
        caller.cancel()
        await #expect(throws: PersistenceError.self) { try await caller.value }
        pool.close()

        hooks.afterConnect = nil
        hooks.beforeConnect = { throw PersistenceError(.configuration, "no password in the vault") }
        let other = makePool(server, time, hooks: hooks)
        let error = await #expect(throws: PersistenceError.self) { try await other.acquire() }
        #expect(error?.summary == "no password in the vault")
        #expect(server.counts.attempts == 1)
        other.close()
    }

    @Test("a lent connection is kept until it comes back, whatever becomes of the pool's interest in it")
    func keeping() async throws {
        let pool = makePool(server, time, .init(maximum: 2))
        weak var lent: FakeConnection?
        weak var returned: FakeConnection?
        do {
            let (first, second) = (try await pool.acquire(), try await pool.acquire())
            (lent, returned) = (first, second)
        }
        pool.close()
        #expect(lent?.isUsable == false)
        #expect(returned != nil)
        if let returned { pool.release(returned, disposition: .discard) }
        #expect(returned == nil)
        #expect(lent != nil)
        if let lent { pool.release(lent) }
        #expect(lent == nil)
        #expect(pool.statistics.total == 0)
    }

    // MARK: Metrics

    @Test("reports counts, waits, uses and timeouts as metrics")
    func metrics() async throws {
        let factory = TestMetrics()
        let pool = makePool(
            server, time, .init(maximum: 1), instrumentation: Instrumentation(metrics: factory))
        let connection = try await pool.acquire()
        let name = ("db.client.connection.pool.name", "postgres")
        func connections(_ state: String) throws -> Double? {
            try factory.expectMeter("db.client.connection.count", [name, ("db.client.connection.state", state)])
                .lastValue
        }
        #expect(try connections("used") == 1)
        #expect(try connections("idle") == 0)
        let late = Task { try await pool.acquire() }
        await until { pool.statistics.waiters == 1 }
        let pending = try factory.expectMeter("db.client.connection.pending_requests", [name])
        await until { pending.lastValue == 1 }
        await time.elapse(.seconds(30))
        await #expect(throws: PersistenceError.self) { try await late.value }
        #expect(try factory.expectCounter("db.client.connection.timeouts", [name]).totalValue == 1)
        pool.release(connection)
        #expect(try factory.expectRecorder("db.client.connection.use_time", [name]).values == [30])
        #expect(try factory.expectRecorder("db.client.connection.wait_time", [name]).values == [0])
        #expect(try factory.expectRecorder("db.client.connection.create_time", [name]).values == [0])
        #expect(try connections("idle") == 1)
        #expect(pending.lastValue == 0)
        // The short path is measured as well.
        let again = try #require(pool.acquireIfReady())
        #expect(try connections("used") == 1)
        time.advance(by: .seconds(2))
        pool.release(again)
        #expect(try connections("idle") == 1)
        #expect(try factory.expectRecorder("db.client.connection.use_time", [name]).values == [30, 2])
        #expect(try factory.expectRecorder("db.client.connection.wait_time", [name]).values == [0, 0])
        pool.close()
    }
}
