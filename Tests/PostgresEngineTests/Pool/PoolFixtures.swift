import PersistenceCore
import PersistenceTesting
import Synchronization

@testable import PostgresEngine

/// The time of a pool in a test: it stands still until the test moves it.
struct ManualTime: PoolTimeSource {
    let clock = ManualClock()
    var readsAreCheap = true

    // Any clock starts somewhere; a machine's does not start at zero.
    private static let start = PoolInstant(nanoseconds: 1_000_000_000_000)

    func now() -> PoolInstant { Self.start.advanced(by: clock.now.offset) }

    func sleep(until deadline: PoolInstant) async throws {
        let now = clock.now
        let rest = deadline.nanoseconds(since: Self.start.advanced(by: now.offset))
        try await clock.sleep(until: now.advanced(by: .nanoseconds(rest)))
    }

    func advance(by duration: Duration) { clock.advance(by: duration) }

    /// Waits until somebody sleeps who will wake within `duration`, then moves the clock by it.
    func elapse(_ duration: Duration) async {
        await until { clock.sleeps.first.map { $0 <= duration } ?? false }
        clock.advance(by: duration)
    }
}

/// Lets other tasks run until a condition holds; a test's time limit ends it otherwise.
func until(_ condition: () -> Bool) async {
    while !condition() && !Task.isCancelled { await Task.yield() }
}

/// A connection to nothing.
final class FakeConnection: PoolableConnection {
    let poolID: PoolConnectionID
    private let server: FakeServer
    private let isOpen = Atomic(true)
    private let isBorrowed = Atomic(false)

    init(poolID: PoolConnectionID, server: FakeServer) {
        self.poolID = poolID
        self.server = server
    }

    var isUsable: Bool { isOpen.load(ordering: .acquiring) }

    func closeNow() {
        if isOpen.exchange(false, ordering: .acquiringAndReleasing) {
            server.noteClosed()
        }
    }

    func ping() async throws(PersistenceError) {
        try await server.answerPing(of: self)
        guard isUsable else { throw PersistenceError(.connection) }
    }

    /// Tells whether nobody else had the connection.
    func borrow() -> Bool { !isBorrowed.exchange(true, ordering: .acquiringAndReleasing) }

    /// Tells whether it was borrowed.
    func giveBack() -> Bool { isBorrowed.exchange(false, ordering: .acquiringAndReleasing) }
}

/// What the fake connections talk to.
final class FakeServer: Sendable {
    struct Counts: Equatable {
        var attempts = 0
        var opened = 0
        var closed = 0
        var pings = 0
        var resets = 0
    }

    struct Behaviour: Sendable {
        var connect: @Sendable () async throws(PersistenceError) -> Void = {}
        var ping: @Sendable (FakeConnection) async throws(PersistenceError) -> Void = { _ in }
        var reset: @Sendable (FakeConnection) async throws(PersistenceError) -> Void = { _ in }
    }

    private let state = Mutex((counts: Counts(), behaviour: Behaviour()))

    var counts: Counts { state.withLock { $0.counts } }

    func behave(_ change: @Sendable (inout Behaviour) -> Void) {
        state.withLock { change(&$0.behaviour) }
    }

    func connect(_ id: PoolConnectionID) async throws(PersistenceError) -> FakeConnection {
        let behaviour = state.withLock { state in
            state.counts.attempts += 1
            return state.behaviour
        }
        try await behaviour.connect()
        state.withLock { $0.counts.opened += 1 }
        return FakeConnection(poolID: id, server: self)
    }

    func reset(_ connection: FakeConnection) async throws(PersistenceError) {
        let behaviour = state.withLock { state in
            state.counts.resets += 1
            return state.behaviour
        }
        try await behaviour.reset(connection)
    }

    func answerPing(of connection: FakeConnection) async throws(PersistenceError) {
        let behaviour = state.withLock { state in
            state.counts.pings += 1
            return state.behaviour
        }
        try await behaviour.ping(connection)
    }

    func noteClosed() {
        state.withLock { $0.counts.closed += 1 }
    }
}

/// Holds whoever passes until it is opened, or until the waiting task is cancelled.
final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var lastNumber = 0
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
        var cancelled: Set<Int> = []
    }

    private let state = Mutex(State())

    var waitingCount: Int { state.withLock { $0.waiting.count } }

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [:] }
            return state.waiting.values.map { $0 }
        }
        for continuation in waiting { continuation.resume() }
    }

    func pass() async throws(PersistenceError) {
        let number = state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let passes = state.withLock { state in
                    if state.isOpen || state.cancelled.contains(number) { return true }
                    state.waiting[number] = continuation
                    return false
                }
                if passes { continuation.resume() }
            }
        } onCancel: {
            let continuation = state.withLock { state in
                state.cancelled.insert(number)
                return state.waiting.removeValue(forKey: number)
            }
            continuation?.resume()
        }
        if state.withLock({ !$0.isOpen }) { throw PersistenceError(.cancelled) }
    }
}

typealias FakePool = ConnectionPool<FakeConnection, ManualTime>

func makePool(
    _ server: FakeServer,
    _ time: ManualTime,
    _ configuration: PostgresPoolConfiguration = .init(maximum: 2),
    instrumentation: Instrumentation = .disabled,
    hooks: ConnectionPoolHooks<FakeConnection> = .init()
) -> FakePool {
    FakePool(
        configuration: configuration,
        instrumentation: instrumentation,
        time: time,
        seed: 1,
        hooks: hooks,
        connect: { (id) async throws(PersistenceError) in try await server.connect(id) },
        reset: { (connection) async throws(PersistenceError) in try await server.reset(connection) }
    )
}

/// A pool of two with changes.
func configuration(_ change: (inout PostgresPoolConfiguration) -> Void) -> PostgresPoolConfiguration {
    var configuration = PostgresPoolConfiguration(maximum: 2)
    change(&configuration)
    return configuration
}

extension PostgresPoolStatistics {
    /// The rules of the type's documentation that do not hold; empty when the numbers add up.
    var contradictions: [String] {
        var found: [String] = []
        if total != constructing + idle + acquired + inMaintenance { found.append("connections: \(self)") }
        if newConnections != Int64(total - constructing) + closedConnections { found.append("lives: \(self)") }
        let ended = acquires + cancelledAcquires + timedOutAcquires + refusedAcquires + failedAcquires
        if requests != ended + Int64(waiters) { found.append("callers: \(self)") }
        if [total, constructing, idle, acquired, inMaintenance, waiters].contains(where: { $0 < 0 }) {
            found.append("negative: \(self)")
        }
        return found
    }
}

/// What was called, in order.
final class Calls: Sendable {
    private let state = Mutex<[String]>([])

    var names: [String] { state.withLock { $0 } }

    func note(_ name: String) {
        state.withLock { $0.append(name) }
    }
}

/// Something that several tasks change.
final class Shared<Value: Sendable>: Sendable {
    private let state: Mutex<Value>

    init(_ value: Value) {
        state = Mutex(value)
    }

    func withLock<R: Sendable>(_ body: (inout Value) -> R) -> R {
        state.withLock { body(&$0) }
    }
}
