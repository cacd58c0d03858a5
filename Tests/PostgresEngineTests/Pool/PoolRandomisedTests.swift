import PersistenceCore
import Testing

@testable import PostgresEngine

@Suite("Pool rules under random use")
struct PoolRandomisedTests {
    @Test(
        "never contradict themselves, lend a connection twice or keep one back",
        arguments: (1...60).map { UInt64($0) })
    func randomSteps(seed: UInt64) {
        var random = PoolRandom(seed: seed)
        func pick(_ bound: Int) -> Int { Int(random.nanoseconds(below: Int64(bound))) }

        let limits = configuration {
            $0.maximum = 1 + pick(6)
            $0.minimum = pick($0.maximum + 1)
            $0.overflow = pick(3)
            $0.maximumWaiters = pick(12)
            $0.maximumLifetime = .seconds(40)
            $0.lifetimeJitter = .seconds(20)
            $0.idleTimeout = .seconds(15)
        }
        let pool = MachineDriver(
            limits, checksAlways: pick(3) == 0, readsTimeCheaply: pick(2) == 0, seed: seed)
        pool.setMaintained(pick(2) == 0)
        var users: [Int] = []
        var resetting: [FakeConnection] = []
        var testing: [FakeConnection] = []
        var callers: [Int] = []

        func take(_ list: inout [FakeConnection]) -> FakeConnection? {
            list.isEmpty ? nil : list.remove(at: pick(list.count))
        }

        func release(_ caller: Int) {
            guard let connection = pool.connection(of: caller) else { return }
            if pick(10) == 0 { connection.closeNow() }
            let disposition: PoolReleaseDisposition = [.reusable, .reusable, .needsReset, .discard][pick(4)]
            if pool.release(connection, disposition) == .reset { resetting.append(connection) }
        }

        for step in 0..<1500 {
            if step == 1400 { pool.drain() }
            switch pick(14) {
            case 0...3: callers.append(pool.ask(patience: .milliseconds(pick(20_000))))
            case 4...6:
                if !users.isEmpty { release(users.remove(at: pick(users.count))) }
            case 7, 8: pool.open()
            case 9:
                let codes: [PersistenceError.Code] = [.connection, .unavailable, .authentication]
                pool.failOpening(PersistenceError(codes[pick(3)]))
            case 10:
                if let connection = take(&resetting) {
                    pool.resetEnded(connection, failure: pick(4) == 0 ? .failedReset : nil)
                }
            case 11:
                if let connection = take(&testing) {
                    pool.testEnded(connection, isAlive: pick(4) != 0)
                } else {
                    let cutoff = pool.now.advanced(by: -1_000_000_000)
                    if let connection = pool.takeForTest(unverifiedSince: cutoff) { testing.append(connection) }
                }
            case 12:
                if let caller = callers.randomElement(using: &random) { pool.cancel(caller) }
                pool.sweep()
            default: pool.advance(by: .milliseconds(pick(1500)))
            }
            // Those who got something go on: test it, or use it.
            for caller in callers {
                guard let grant = pool.grant(of: caller), !users.contains(caller) else { continue }
                if grant.needsCheck {
                    if pick(5) == 0 { pool.reject(caller, .failedTest) } else { _ = pool.confirm(caller) }
                }
                if let grant = pool.grant(of: caller), !grant.needsCheck { users.append(caller) }
            }
            callers.removeAll { pool.error(of: $0) != nil || users.contains($0) }

            let statistics = pool.statistics
            #expect(statistics.contradictions.isEmpty)
            #expect(statistics.total <= limits.maximum + limits.overflow)
            #expect(statistics.idle == 0 || pool.machine.waiters.isEmpty, "somebody waits beside an idle connection")
            let held = users.compactMap { pool.connection(of: $0) }
            #expect(Set(held.map(\.poolID)).count == held.count, "a connection was lent twice")
            #expect(statistics.acquired == held.count)
        }
        while !users.isEmpty { release(users.removeLast()) }
        while let connection = take(&resetting) { pool.resetEnded(connection, failure: nil) }
        while let connection = take(&testing) { pool.testEnded(connection, isAlive: true) }
        while !pool.opening.isEmpty { pool.open() }
        #expect(pool.isDrained)
        #expect(pool.statistics.total == 0)
        #expect(pool.statistics.contradictions.isEmpty)
        #expect(Int64(pool.server.counts.closed) == pool.statistics.closedConnections)
    }
}
