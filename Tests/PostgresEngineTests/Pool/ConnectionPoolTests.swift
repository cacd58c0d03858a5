import PersistenceCore
import PersistenceTesting
import Synchronization
import Testing

@testable import PostgresEngine

@Suite("Connection pool", .timeLimit(.minutes(5)))
struct ConnectionPoolTests {
    let server = FakeServer()
    let time = ManualTime()

    @Test("opens lazily, lends, and lends again what came back")
    func lends() async throws {
        let pool = makePool(server, time)
        #expect(server.counts.attempts == 0)
        let connection = try await pool.acquire()
        pool.release(connection)
        #expect(try await pool.acquire() === connection)
        #expect(pool.acquireIfReady() == nil)
        let other = try await pool.acquire()
        #expect(other !== connection)
        #expect(server.counts.opened == 2)
        pool.release(other)
        #expect(pool.acquireIfReady() === other)
        #expect(pool.statistics.contradictions.isEmpty)
        pool.close()
    }

    @Test("works the same when the time is dear and it lives by ticks")
    func ticking() async throws {
        let time = ManualTime(readsAreCheap: false)
        let pool = makePool(server, time)
        let connection = try await pool.acquire()
        pool.release(connection)
        #expect(pool.acquireIfReady() === connection)
        pool.release(connection)
        await time.elapse(.milliseconds(250))
        await time.elapse(.milliseconds(250))
        await until { pool.state.withLock { !$0.machine.isTicking } }
        #expect(pool.acquireIfReady() == nil)
        time.advance(by: .seconds(2))
        #expect(try await pool.acquire() === connection)
        #expect(server.counts.pings == 1)
        pool.close()
    }

    @Test("ends a cancelled wait at once, and the next in line gets the connection")
    func cancellation() async throws {
        let pool = makePool(server, time, .init(maximum: 1))
        let connection = try await pool.acquire()
        let cancelled = Task { try await pool.acquire() }
        await until { pool.statistics.waiters == 1 }
        let patient = Task { try await pool.acquire() }
        await until { pool.statistics.waiters == 2 }
        cancelled.cancel()
        let error = await #expect(throws: PersistenceError.self) { try await cancelled.value }
        #expect(error?.code == .cancelled)
        #expect(error?.retrySafety == .safe)
        pool.release(connection)
        #expect(try await patient.value === connection)
        #expect(pool.statistics.cancelledAcquires == 1)
        pool.close()
    }

    @Test("does not let a task that is already cancelled wait")
    func cancelledBefore() async throws {
        let pool = makePool(server, time, .init(maximum: 1))
        let connection = try await pool.acquire()
        let gate = Gate()
        let task = Task {
            try? await gate.pass()
            return try await pool.acquire()
        }
        task.cancel()
        let error = await #expect(throws: PersistenceError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        #expect(error?.retrySafety == .safe)
        #expect(pool.statistics.waiters == 0)
        pool.release(connection)
        pool.close()
    }

    @Test("throws after the acquire timeout")
    func timeout() async throws {
        let pool = makePool(server, time, .init(maximum: 1))
        let connection = try await pool.acquire()
        let late = Task { try await pool.acquire() }
        await until { pool.statistics.waiters == 1 }
        await time.elapse(.seconds(30))
        let error = await #expect(throws: PersistenceError.self) { try await late.value }
        #expect(error?.code == .timeout)
        #expect(error?.timeout == .pool)
        pool.release(connection)
        #expect(pool.acquireIfReady() === connection)
        pool.close()
    }

    @Test("is bound by the deadline of the scope when that is earlier")
    func scopeDeadline() async throws {
        let pool = makePool(server, time, .init(maximum: 1))
        let connection = try await pool.acquire()
        let late = Task { try await withDeadline(.seconds(5)) { try await pool.acquire() } }
        await until { pool.statistics.waiters == 1 }
        await time.elapse(.seconds(5))
        let error = await #expect(throws: PersistenceError.self) { try await late.value }
        #expect(error?.timeout == .pool)

        let tooLate = await #expect(throws: PersistenceError.self) {
            try await withDeadline(.zero) { try await pool.acquire() }
        }
        #expect(tooLate?.code == .timeout)
        pool.release(connection)
        pool.close()
    }

    @Test("gives the connection that it opens no deadline and no cancellation of the caller that came first")
    func connectsForNobodyInParticular() async throws {
        let gate = Gate()
        server.behave { behaviour in
            behaviour.connect = { () async throws(PersistenceError) in
                guard Deadline.current == nil else { throw PersistenceError(.timeout) }
                try await gate.pass()
            }
        }
        let pool = makePool(server, time, .init(maximum: 1))
        let first = Task { try await withDeadline(.seconds(5)) { try await pool.acquire() } }
        await until { gate.waitingCount == 1 }
        let second = Task { try await pool.acquire() }
        await until { pool.statistics.waiters == 2 }
        first.cancel()
        await #expect(throws: PersistenceError.self) { try await first.value }
        gate.open()
        pool.release(try await second.value)
        #expect(server.counts.attempts == 1)
        pool.close()
    }

    @Test("tests an old connection before use and replaces a dead one without the caller's notice")
    func liveness() async throws {
        let pool = makePool(server, time, .init(maximum: 1))
        let connection = try await pool.acquire()
        pool.release(connection)
        time.advance(by: .seconds(1))
        #expect(try await pool.acquire() === connection)
        #expect(server.counts.pings == 1)
        pool.release(connection)

        time.advance(by: .seconds(1))
        server.behave { behaviour in
            behaviour.ping = { (_) async throws(PersistenceError) in throw PersistenceError(.connection) }
        }
        let replacement = try await pool.acquire()
        #expect(replacement !== connection)
        #expect(server.counts.closed == 1)
        pool.close()
    }

    @Test("does not wait longer for a liveness test than it may, and closes the connection that does not answer")
    func hangingTest() async throws {
        let gate = Gate()
        server.behave { behaviour in
            // Answers nothing until its connection is closed.
            behaviour.ping = { (connection) async throws(PersistenceError) in
                await until { !connection.isUsable }
                try await gate.pass()
            }
        }
        gate.open()
        let pool = makePool(server, time, .init(maximum: 1))
        let connection = try await pool.acquire()
        pool.release(connection)
        time.advance(by: .seconds(1))
        let caller = Task { try await pool.acquire() }
        await until { server.counts.pings == 1 }
        await time.elapse(.seconds(5))
        #expect(try await caller.value !== connection)
        #expect(pool.statistics.failedLivenessTests == 1)
        #expect(pool.statistics.contradictions.isEmpty)
        pool.close()
    }

    @Test("closes a connection whose test was cut short by a cancellation, and no other")
    func cancelledTest() async throws {
        let gate = Gate()
        let pool = makePool(server, time)
        let connections = [try await pool.acquire(), try await pool.acquire()]
        for connection in connections { pool.release(connection) }
        time.advance(by: .seconds(1))
        server.behave { behaviour in
            behaviour.ping = { (_) async throws(PersistenceError) in try await gate.pass() }
        }
        let caller = Task { try await pool.acquire() }
        await until { gate.waitingCount == 1 }
        caller.cancel()
        let error = await #expect(throws: PersistenceError.self) { try await caller.value }
        #expect(error?.code == .cancelled)
        #expect(pool.statistics.idle == 1)
        #expect(pool.statistics.contradictions.isEmpty)
        pool.close()
    }

    @Test("hands a failure that no waiting helps with to the caller as it is")
    func permanentFailure() async throws {
        server.behave { behaviour in
            behaviour.connect = { () async throws(PersistenceError) in
                throw PersistenceError(.authentication, "the server refused the password")
            }
        }
        let pool = makePool(server, time)
        let error = await #expect(throws: PersistenceError.self) { try await pool.acquire() }
        #expect(error?.code == .authentication)
        #expect(error?.summary == "the server refused the password")
        pool.close()
    }

    @Test("tries again after a failure that may pass, and the caller never notices")
    func transientFailure() async throws {
        server.behave { behaviour in
            behaviour.connect = { () async throws(PersistenceError) in throw PersistenceError(.unavailable) }
        }
        let pool = makePool(server, time)
        let caller = Task { try await pool.acquire() }
        await until { pool.statistics.failedConnects == 1 }
        server.behave { $0.connect = {} }
        await time.elapse(.milliseconds(100))
        pool.release(try await caller.value)
        #expect(server.counts.attempts == 2)
        pool.close()
    }

    @Test("resets a changed session away from the caller, before anybody else gets it")
    func reset() async throws {
        let gate = Gate()
        server.behave { behaviour in
            behaviour.reset = { (_) async throws(PersistenceError) in try await gate.pass() }
        }
        let pool = makePool(server, time, .init(maximum: 1))
        let connection = try await pool.acquire()
        pool.release(connection, disposition: .needsReset)
        await until { gate.waitingCount == 1 }
        #expect(pool.acquireIfReady() == nil)
        let next = Task { try await pool.acquire() }
        await until { pool.statistics.waiters == 1 }
        gate.open()
        #expect(try await next.value === connection)
        #expect(pool.statistics.resets == 1)
        pool.close()
    }

    @Test("closes a connection whose reset fails or hangs, and one that nobody can reset")
    func failedReset() async throws {
        let pool = makePool(server, time, .init(maximum: 1))
        server.behave { behaviour in
            behaviour.reset = { (_) async throws(PersistenceError) in throw PersistenceError(.server) }
        }
        pool.release(try await pool.acquire(), disposition: .needsReset)
        await until { pool.statistics.failedResets == 1 }
        server.behave { behaviour in
            behaviour.reset = { (connection) async throws(PersistenceError) in await until { !connection.isUsable } }
        }
        pool.release(try await pool.acquire(), disposition: .needsReset)
        await until { server.counts.resets == 2 }
        await time.elapse(.seconds(5))
        await until { pool.statistics.failedResets == 2 }
        #expect(server.counts.closed == 2)

        let simple = FakePool(
            configuration: .init(maximum: 1), time: time,
            connect: { [server] (id) async throws(PersistenceError) in try await server.connect(id) })
        let connection = try await simple.acquire()
        simple.release(connection, disposition: .needsReset)
        #expect(!connection.isUsable)
        pool.close()
    }

    @Test("closes its connections when it is forgotten")
    func forgotten() async throws {
        weak var forgotten: FakePool?
        do {
            let pool = makePool(server, time)
            forgotten = pool
            pool.release(try await pool.acquire())
        }
        // The task that opened the connection may hold the pool a moment longer.
        await until { forgotten == nil }
        #expect(server.counts.closed == 1)
    }
}
