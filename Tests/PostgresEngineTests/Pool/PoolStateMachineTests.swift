import PersistenceCore
import Testing

@testable import PostgresEngine

@Suite("Pool rules")
struct PoolStateMachineTests {
    @Test("opens on demand up to the maximum, then the overflow, and lends the warmest connection first")
    func sizes() {
        let pool = MachineDriver(configuration { $0.overflow = 1 })
        let first = pool.lend()
        let second = pool.lend()
        let third = pool.lend()
        #expect(pool.statistics.total == 3)
        #expect(pool.statistics.overflow == 1)
        let waiting = pool.ask()
        #expect(pool.opening.isEmpty)
        #expect(pool.outcomes[waiting] == nil)
        pool.cancel(waiting)

        pool.release(first)
        #expect(pool.statistics.overflowCloses == 1)
        #expect(!first.isUsable)
        pool.release(second)
        pool.release(third)
        #expect(pool.statistics.idle == 2)
        #expect(pool.lend() === third)
        #expect(pool.lend() === second)
        #expect(pool.statistics.contradictions.isEmpty)
    }

    @Test("keeps a surplus connection as long as somebody waits for it")
    func overflowIsHandedOn() {
        let pool = MachineDriver(configuration { $0.overflow = 1 })
        let lent = [pool.lend(), pool.lend(), pool.lend()]
        let waiting = pool.ask()
        pool.release(lent[0])
        #expect(pool.connection(of: waiting) === lent[0])
        #expect(pool.statistics.overflowCloses == 0)
    }

    @Test("serves those who wait in the order they came, and forgets who was cancelled")
    func fairness() {
        let pool = MachineDriver(.init(maximum: 1))
        let connection = pool.lend()
        let callers = (0..<4).map { _ in pool.ask() }
        pool.cancel(callers[1])
        #expect(pool.error(of: callers[1])?.code == .cancelled)
        for caller in [callers[0], callers[2], callers[3]] {
            #expect(pool.outcomes[caller] == nil)
            pool.release(connection)
            #expect(pool.connection(of: caller) === connection)
        }
        // A cancellation that comes after the connection takes nothing away.
        pool.cancel(callers[3])
        #expect(pool.statistics.acquired == 1)
        #expect(pool.statistics.cancelledAcquires == 1)
        #expect(pool.statistics.contradictions.isEmpty)
    }

    @Test("opens only as many connections at once as it may, and goes on when one is done")
    func storm() {
        let pool = MachineDriver(
            configuration {
                $0.maximum = 10
                $0.maximumConcurrentConnects = 3
            })
        let callers = (0..<10).map { _ in pool.ask() }
        #expect(pool.opening.count == 3)
        pool.open()
        #expect(pool.opening.count == 3)
        #expect(pool.connection(of: callers[0]) != nil)
        while !pool.opening.isEmpty { pool.open() }
        #expect(callers.allSatisfy { pool.connection(of: $0) != nil })
        #expect(pool.statistics.total == 10)
    }

    @Test("refuses one caller more than may wait, but nobody for whom there is room")
    func maximumWaiters() {
        let pool = MachineDriver(
            configuration {
                $0.maximumWaiters = 1
                $0.maximumConcurrentConnects = 1
            })
        let served = [pool.ask(), pool.ask()]
        let queued = pool.ask()
        let refused = pool.ask()
        #expect(pool.error(of: refused)?.code == .poolExhausted)
        #expect(pool.outcomes[queued] == nil)
        pool.open()
        pool.open()
        #expect(served.allSatisfy { pool.connection(of: $0) != nil })
        #expect(pool.error(of: pool.ask())?.code == .poolExhausted)
        #expect(pool.statistics.refusedAcquires == 2)
        #expect(pool.statistics.contradictions.isEmpty)
    }

    @Test("with no waiting allowed, lends what can be opened and refuses the rest")
    func noWaiters() {
        let pool = MachineDriver(
            configuration {
                $0.maximum = 1
                $0.maximumWaiters = 0
            })
        let connection = pool.lend()
        #expect(pool.error(of: pool.ask())?.code == .poolExhausted)
        pool.release(connection)
        #expect(pool.lend() === connection)
    }

    @Test("ends a wait when its time is up, and says how the pool stood")
    func timeout() throws {
        let pool = MachineDriver(.init(maximum: 1))
        _ = pool.lend()
        let late = pool.ask()
        pool.advance(by: .seconds(1))
        let later = pool.ask()
        pool.advance(by: .seconds(29))
        let error = try #require(pool.error(of: late))
        #expect(error.code == .timeout)
        #expect(error.timeout == .pool)
        #expect(error.retrySafety == .safe)
        #expect(error.underlying == nil)
        #expect(error.summary.contains("30000 ms: 1 in use"))
        #expect(pool.outcomes[later] == nil)
        pool.advance(by: .seconds(1))
        #expect(pool.error(of: later)?.code == .timeout)
        #expect(pool.statistics.timedOutAcquires == 2)
        #expect(pool.statistics.contradictions.isEmpty)
    }

    @Test("gives a caller with an earlier deadline its own time")
    func ownDeadline() {
        let pool = MachineDriver(.init(maximum: 1))
        _ = pool.lend()
        let patient = pool.ask()
        let hasty = pool.ask(patience: .seconds(2))
        pool.advance(by: .seconds(2))
        #expect(pool.error(of: hasty)?.code == .timeout)
        #expect(pool.outcomes[patient] == nil)
        pool.advance(by: .seconds(28))
        #expect(pool.error(of: patient)?.code == .timeout)
        #expect(pool.error(of: pool.ask(patience: .seconds(-1)))?.code == .timeout)
    }

    @Test("waits longer after each failure to connect, tries once at a time, and starts anew after a success")
    func backoff() {
        let pool = MachineDriver(configuration { $0.maximum = 8 })
        let callers = (0..<8).map { _ in pool.ask() }
        #expect(pool.opening.count == 4)
        // Attempts that were under way together are one failure.
        for _ in 0..<4 { pool.failOpening(PersistenceError(.connection)) }
        #expect(pool.machine.consecutiveFailures == 1)
        var delays: [Duration] = []
        for _ in 0..<12 {
            #expect(pool.opening.isEmpty)
            let delay = pool.timeToTimer
            delays.append(delay)
            pool.advance(by: delay)
            guard pool.opening.count == 1 else { break }
            pool.failOpening(PersistenceError(.connection))
        }
        for (number, delay) in delays.prefix(8).enumerated() {
            let full = min(Duration.milliseconds(100 << number), .seconds(10))
            #expect(delay <= full && delay >= full / 2, "wait \(number): \(delay)")
        }
        pool.advance(by: .seconds(30))
        #expect(callers.allSatisfy { pool.error(of: $0)?.code == .timeout })

        let caller = pool.ask()
        if pool.opening.isEmpty { pool.advance(by: pool.timeToTimer) }
        pool.open()
        #expect(pool.connection(of: caller) != nil)
        #expect(pool.machine.consecutiveFailures == 0)
        _ = [pool.ask(), pool.ask()]
        #expect(pool.opening.count == 2)
    }

    @Test("names the last failure to connect when a wait runs out")
    func timeoutNamesFailure() throws {
        let pool = MachineDriver(configuration { $0.connectRetryDelay = .seconds(10) })
        let caller = pool.ask(patience: .seconds(4))
        pool.failOpening(PersistenceError(.connection, "connection refused by 127.0.0.1"))
        #expect(pool.outcomes[caller] == nil)
        pool.advance(by: .seconds(4))
        let error = try #require(pool.error(of: caller))
        #expect(error.code == .timeout)
        #expect((error.underlying as? PersistenceError)?.code == .connection)
        #expect(error.summary.contains("connection refused by 127.0.0.1"))
    }

    @Test(
        "gives an error that waiting does not help with to everybody at once, and remembers it for a while",
        arguments: [PersistenceError.Code.authentication, .configuration, .tls, .permission, .invalidStatement])
    func permanentErrors(code: PersistenceError.Code) {
        let pool = MachineDriver(.init(maximum: 1))
        let callers = [pool.ask(), pool.ask()]
        pool.failOpening(PersistenceError(code))
        #expect(callers.allSatisfy { pool.error(of: $0)?.code == code })
        // No storm of attempts that must fail; they can lock an account.
        #expect(pool.error(of: pool.ask())?.code == code)
        #expect(pool.opening.isEmpty)
        pool.advance(by: .milliseconds(100))
        let next = pool.ask()
        #expect(pool.opening.count == 1)
        pool.open()
        #expect(pool.connection(of: next) != nil)
        #expect(pool.statistics.failedAcquires == 3)
        #expect(pool.statistics.contradictions.isEmpty)
    }

    @Test("lets callers wait for the connections there are when new ones are refused for good")
    func permanentErrorWithConnections() {
        let pool = MachineDriver(.init(maximum: 2))
        let connection = pool.lend()
        let caller = pool.ask()
        pool.failOpening(PersistenceError(.authentication))
        #expect(pool.outcomes[caller] == nil)
        pool.release(connection)
        #expect(pool.connection(of: caller) === connection)
    }

    @Test("tests a connection that was idle for long before it lends it, and replaces a dead one")
    func livenessTest() {
        let pool = MachineDriver(.init(maximum: 1))
        let connection = pool.lend()
        pool.release(connection)
        pool.advance(by: .milliseconds(999))
        #expect(pool.lend() === connection)
        pool.release(connection)
        pool.advance(by: .seconds(1))
        let alive = pool.ask()
        #expect(pool.grant(of: alive)?.needsLivenessTest == true)
        #expect(pool.statistics.waiters == 1)
        #expect(pool.confirm(alive) === connection)
        pool.release(connection)

        pool.advance(by: .seconds(1))
        let dead = pool.ask()
        pool.reject(dead, .failedTest)
        #expect(!connection.isUsable)
        #expect(pool.outcomes[dead] == nil)
        pool.open()
        #expect(pool.connection(of: dead) !== connection)
        #expect(pool.statistics.livenessTests == 2)
        #expect(pool.statistics.failedLivenessTests == 1)
        #expect(pool.statistics.contradictions.isEmpty)
    }

    @Test("goes on with a caller whose connection was closed while it was tested")
    func closedWhileTested() throws {
        let pool = MachineDriver(.init(maximum: 1))
        let connection = pool.lend()
        pool.release(connection)
        pool.advance(by: .seconds(1))
        let caller = pool.ask()
        pool.expireCheck(connection)
        #expect(!connection.isUsable)
        #expect(pool.statistics.waiters == 1)
        #expect(pool.statistics.contradictions.isEmpty)
        // The test succeeded in the same moment; the connection is gone nevertheless.
        #expect(pool.confirm(caller) == nil)
        pool.open()
        #expect(pool.connection(of: caller) !== connection)
        #expect(pool.statistics.acquired == 1)
        #expect(pool.statistics.contradictions.isEmpty)
    }

    @Test("puts a caller whose connection was dead before those who came later")
    func rejectedGoesFirst() {
        let pool = MachineDriver(configuration { $0.maximum = 1 }, checksAlways: true)
        let first = pool.ask()
        let second = pool.ask()
        pool.open()
        pool.reject(first, .refusedByHook)
        pool.open()
        #expect(pool.outcomes[second] == nil)
        #expect(pool.grant(of: first) != nil)
    }

    @Test("gives up on a hook that refuses every connection")
    func refusesEverything() {
        let pool = MachineDriver(configuration { $0.maximum = 1 }, checksAlways: true)
        let caller = pool.ask()
        var connections = 0
        while pool.error(of: caller) == nil, connections < 100 {
            pool.open()
            connections += 1
            pool.reject(caller, .refusedByHook)
        }
        #expect(connections == 2)
        #expect(pool.error(of: caller)?.code == .connection)
        #expect(pool.statistics.hookRefusals == 2)
        #expect(pool.statistics.contradictions.isEmpty)
    }

    @Test("drops connections that died while they were idle, and takes none back that died in use")
    func deadConnections() {
        let pool = MachineDriver(configuration { $0.maximum = 3 })
        let lent = [pool.lend(), pool.lend(), pool.lend()]
        for connection in lent { pool.release(connection) }
        lent[2].closeNow()
        lent[1].closeNow()
        #expect(pool.lend() === lent[0])
        lent[0].closeNow()
        pool.release(lent[0])
        #expect(pool.statistics.discards == 3)
        #expect(pool.statistics.total == 0)
        #expect(pool.statistics.contradictions.isEmpty)
    }

    @Test("replaces a connection after its lifetime, and lifetimes differ within the jitter")
    func lifetime() {
        let pool = MachineDriver(
            configuration {
                $0.maximum = 20
                $0.maximumConcurrentConnects = 20
                $0.lifetimeJitter = .seconds(600)
            })
        let lent = (0..<20).map { _ in pool.lend() }
        let ends = pool.machine.slots.map { $0.expiresAt.nanoseconds(since: pool.now) / 1_000_000_000 }
        #expect(Set(ends).count > 10)
        #expect(ends.allSatisfy { (3600..<4200).contains($0) })
        pool.advance(by: .seconds(4200))
        pool.release(lent[0])
        #expect(pool.statistics.maximumLifetimeCloses == 1)
        #expect(!lent[0].isUsable)
        #expect(pool.statistics.contradictions.isEmpty)
    }

    @Test("closes what nobody uses, the coldest first, down to the minimum, and replaces what is too old")
    func sweep() {
        let pool = MachineDriver(
            configuration {
                $0.minimum = 2
                $0.maximum = 4
            })
        let lent = (0..<4).map { _ in pool.lend() }
        for connection in lent { pool.release(connection) }
        pool.setMaintained(true)
        pool.advance(by: .seconds(1800))
        pool.sweep()
        #expect(pool.statistics.idleCloses == 2)
        #expect(lent.map(\.isUsable) == [false, false, true, true])
        #expect(pool.opening.isEmpty)
        pool.advance(by: .seconds(2400))
        pool.sweep()
        #expect(pool.statistics.maximumLifetimeCloses == 2)
        #expect(pool.opening.count == 2)
        while !pool.opening.isEmpty { pool.open() }
        #expect(pool.statistics.idle == 2)
        #expect(pool.statistics.contradictions.isEmpty)
    }

    @Test("fills up to the minimum while it is maintained, and only then")
    func minimum() {
        let pool = MachineDriver(
            configuration {
                $0.minimum = 2
                $0.maximum = 4
            })
        let connection = pool.lend()
        pool.release(connection, .discard)
        #expect(pool.opening.isEmpty)
        pool.setMaintained(true)
        #expect(pool.opening.count == 2)
        pool.failOpening(PersistenceError(.unavailable))
        pool.failOpening(PersistenceError(.unavailable))
        #expect(pool.opening.isEmpty)
        pool.advance(by: .milliseconds(100))
        pool.open()
        pool.open()
        #expect(pool.statistics.idle == 2)
    }

    @Test("tests idle connections in the background without making them warmer")
    func backgroundTest() throws {
        let pool = MachineDriver(.init(maximum: 3))
        let lent = [pool.lend(), pool.lend(), pool.lend()]
        for connection in lent {
            pool.advance(by: .milliseconds(1))
            pool.release(connection)
        }
        pool.advance(by: .seconds(60))
        let cutoff = pool.now.advanced(by: -1_000_000_000)
        #expect(pool.takeForTest(unverifiedSince: cutoff) === lent[0])
        #expect(pool.takeForTest(unverifiedSince: cutoff) === lent[1])
        #expect(pool.statistics.inMaintenance == 2)
        pool.testEnded(lent[0], isAlive: true)
        pool.testEnded(lent[1], isAlive: false)
        #expect(pool.takeForTest(unverifiedSince: cutoff) === lent[2])
        #expect(pool.takeForTest(unverifiedSince: cutoff) == nil)
        pool.testEnded(lent[2], isAlive: true)
        #expect(pool.lend() === lent[2])
        #expect(pool.lend() === lent[0])
        #expect(pool.statistics.failedLivenessTests == 1)
        #expect(pool.statistics.livenessTests == 3)
        #expect(pool.statistics.contradictions.isEmpty)
    }

    @Test("hands a connection on only after its reset, and closes it when that fails")
    func reset() {
        let pool = MachineDriver(.init(maximum: 1))
        let connection = pool.lend()
        let caller = pool.ask()
        #expect(pool.release(connection, .needsReset) == .reset)
        #expect(pool.outcomes[caller] == nil)
        #expect(pool.opening.isEmpty)
        pool.resetEnded(connection, failure: nil)
        #expect(pool.connection(of: caller) === connection)
        #expect(pool.release(connection, .needsReset) == .reset)
        let next = pool.ask()
        pool.resetEnded(connection, failure: .failedReset)
        #expect(!connection.isUsable)
        pool.open()
        #expect(pool.connection(of: next) != nil)
        #expect(pool.statistics.resets == 1)
        #expect(pool.statistics.failedResets == 1)
        #expect(pool.statistics.contradictions.isEmpty)
    }

    @Test("ignores a connection that is returned twice, or that belongs to nobody")
    func doubleRelease() {
        let pool = MachineDriver(.init(maximum: 2))
        let connection = pool.lend()
        pool.release(connection)
        pool.release(connection)
        #expect(pool.statistics.idle == 1)
        for id in [PoolConnectionID(index: 0, generation: 99), PoolConnectionID(index: 99, generation: 0)] {
            pool.release(FakeConnection(poolID: id, server: FakeServer()))
        }
        #expect(pool.statistics.idle == 1)
        #expect(pool.statistics.contradictions.isEmpty)
    }

    @Test("refuses a new connection that goes by another name")
    func wrongName() {
        let pool = MachineDriver(.init(maximum: 1))
        let caller = pool.ask()
        let stranger = FakeConnection(poolID: PoolConnectionID(index: 7, generation: 7), server: FakeServer())
        pool.open(as: stranger)
        #expect(!stranger.isUsable)
        #expect(pool.error(of: caller)?.code == .internal)
        #expect(pool.statistics.total == 0)
    }

    @Test("drained, lends no more, and is done when the last connection is back")
    func drain() {
        let pool = MachineDriver(.init(maximum: 3))
        let lent = [pool.lend(), pool.lend(), pool.lend()]
        pool.release(lent[0])
        pool.release(lent[1], .needsReset)
        pool.drain()
        #expect(!lent[0].isUsable)
        #expect(!pool.isDrained)
        #expect(pool.error(of: pool.ask())?.code == .poolClosed)
        pool.resetEnded(lent[1], failure: nil)
        #expect(!lent[1].isUsable)
        pool.release(lent[2])
        #expect(pool.isDrained)
        #expect(pool.statistics.shutdownCloses == 3)
        #expect(pool.statistics.contradictions.isEmpty)
    }

    @Test("closed, closes what is in use, and whatever is still being opened when it comes")
    func close() {
        let pool = MachineDriver(.init(maximum: 2))
        let connection = pool.lend()
        let caller = pool.ask()
        #expect(pool.close() == 1)
        #expect(!connection.isUsable)
        #expect(pool.error(of: caller)?.code == .poolClosed)
        #expect(!pool.isDrained)
        pool.open()
        #expect(pool.isDrained)
        pool.release(connection)
        #expect(pool.statistics.shutdownCloses == 2)
        #expect(pool.close() == 0)
        #expect(pool.statistics.contradictions.isEmpty)
    }

    @Test("lives by ticks while it is busy, stops ticking when it is not, and never trusts a stale time")
    func ticks() {
        let pool = MachineDriver(.init(maximum: 1), readsTimeCheaply: false)
        let connection = pool.lend()
        #expect(pool.machine.isTicking)
        #expect(pool.takeBack(connection))
        for _ in 0..<8 {
            #expect(pool.lendIdle() === connection)
            pool.advance(by: .milliseconds(250))
            #expect(pool.takeBack(connection))
        }
        // Two ticks without use, then silence.
        pool.advance(by: .milliseconds(250))
        pool.advance(by: .milliseconds(250))
        #expect(!pool.machine.isTicking)
        #expect(pool.machine.timerAt == nil)
        #expect(pool.lendIdle() == nil)
        pool.advance(by: .milliseconds(500))
        let caller = pool.ask()
        #expect(pool.grant(of: caller)?.needsLivenessTest == true)
        #expect(pool.machine.isTicking)
        #expect(pool.confirm(caller) === connection)
        #expect(pool.statistics.contradictions.isEmpty)
    }
}
