import Logging
import PersistenceCore
import Synchronization

/// Lends connections, opens them on demand, and closes them in time.
///
/// A pool works as soon as it exists: ``acquire()`` opens connections, and what is too old is closed when it comes back.
/// While ``run()`` runs, the pool also keeps its minimum, tests idle connections, and closes those that nobody uses.
/// End it with ``drain(for:)`` or ``close()``.
///
/// All rules are in ``PoolStateMachine``. This type gives it the time, under one lock, and does what it says.
final class ConnectionPool<Connection: PoolableConnection, Time: PoolTimeSource>: Sendable {
    // Not the checked kind, which allocates: the queue hands every continuation out exactly once, because it forgets it
    // in the same step, and hands all of them out when the pool is drained or closed. A pool cannot be deallocated
    // before, because a caller that waits holds it.
    typealias Waiter = UnsafeContinuation<Result<PoolGrant<Connection>, PersistenceError>, Never>
    typealias Machine = PoolStateMachine<Connection, Waiter>

    struct State: Sendable {
        var machine: Machine
        var timer: Task<Void, Never>?
        var openings: [PoolConnectionID: Task<Void, Never>] = [:]
        var drainers: [UnsafeContinuation<Void, Never>] = []
        /// The sleep of every maintenance that runs.
        var maintenances: [Int: Task<Void, Never>?] = [:]
        var lastMaintenance = 0
    }

    let configuration: PostgresPoolConfiguration
    let time: Time
    let hooks: ConnectionPoolHooks<Connection>
    let connect: @Sendable (PoolConnectionID) async throws(PersistenceError) -> Connection
    let reset: (@Sendable (Connection) async throws(PersistenceError) -> Void)?
    let metrics: PoolMetrics?
    let logger: Logger?
    let state: Mutex<State>
    private let readsTimeAlways: Bool

    /// Creates a pool.
    ///
    /// Nothing is opened yet.
    ///
    /// - Parameters:
    ///   - configuration: How the pool behaves; it must be valid.
    ///   - name: The pool's name in metrics, unique in the process.
    ///   - instrumentation: Gets metrics and warnings.
    ///   - time: Where the pool takes the time from.
    ///   - seed: Decides what is left to chance: jitter of lifetimes and of waits.
    ///   - hooks: What the pool's owner does with connections on their way in and out.
    ///   - connect: Opens a connection under the identity it is given. It must bound its own time. It runs on behalf of
    ///     nobody in particular: without the task-local values and the cancellation of any caller, and is cancelled when
    ///     the pool is closed.
    ///   - reset: Gives a changed session back its initial state. Without it, a changed session is closed.
    init(
        configuration: PostgresPoolConfiguration,
        name: String = "postgres",
        instrumentation: Instrumentation = .disabled,
        time: Time,
        seed: UInt64 = .random(in: 0 ... .max),
        hooks: ConnectionPoolHooks<Connection> = .init(),
        connect: @escaping @Sendable (PoolConnectionID) async throws(PersistenceError) -> Connection,
        reset: (@Sendable (Connection) async throws(PersistenceError) -> Void)? = nil
    ) {
        self.configuration = configuration
        self.time = time
        self.hooks = hooks
        self.connect = connect
        self.reset = reset
        self.metrics = instrumentation.poolMetrics(name: name)
        self.logger = instrumentation.logger
        let limits = PoolLimits(
            configuration,
            checksAlways: hooks.beforeAcquire != nil,
            resetsAlways: hooks.afterRelease != nil,
            readsTimeCheaply: time.readsAreCheap
        )
        self.readsTimeAlways = limits.tickInterval == nil
        self.state = Mutex(State(machine: Machine(limits: limits, seed: seed)))
        metrics?.setLimits(
            maximum: configuration.maximum + configuration.overflow,
            idleMinimum: configuration.minimum,
            idleMaximum: configuration.maximum
        )
        metrics?.setConnections(idle: 0, used: 0)
        metrics?.setPendingRequests(0)
    }

    deinit {
        // No task of the pool runs any more, since each holds it, but for a timer. Whoever still has a connection could
        // not give it back.
        let (timer, slots) = state.withLock { ($0.timer, $0.machine.slots) }
        timer?.cancel()
        for slot in slots { slot.connection?.closeNow() }
    }

    /// The pool's numbers, taken at one moment.
    var statistics: PostgresPoolStatistics {
        state.withLock { $0.machine.statistics }
    }
}

// MARK: Borrowing

extension ConnectionPool {
    /// Borrows a connection if one is ready that needs nothing before use.
    func acquireIfReady() -> Connection? {
        borrowIfReady()?.takeUnretainedValue()
    }

    /// Borrows a connection if one is ready that needs nothing before use, without counting a reference to it.
    ///
    /// A pool keeps every connection that it has lent until it is given back, even one that is closed meanwhile. So it is
    /// enough to keep the pool.
    @inline(__always)
    func borrowIfReady() -> Unmanaged<Connection>? {
        if let metrics { return borrowIfReady(measuredBy: metrics) }
        let reading = readsTimeAlways ? time.now() : nil
        return state.withLock { $0.machine.lendIdle(at: reading) }
    }

    @inline(never)
    private func borrowIfReady(measuredBy metrics: PoolMetrics) -> Unmanaged<Connection>? {
        let now = time.now()
        let (connection, counts) = state.withLock { state -> (Unmanaged<Connection>?, Machine.Counts?) in
            guard let connection = state.machine.lendIdle(at: now) else { return (nil, nil) }
            return (connection, state.machine.countsDue(at: now))
        }
        guard let connection else { return nil }
        metrics.recordNoWait()
        if let counts { report(counts, to: metrics) }
        return connection
    }

    /// Borrows a connection; waits for one when all are in use.
    ///
    /// Callers are served in the order they come. A connection that is ready is lent even to a task that is cancelled or
    /// late: what it does with the connection will fail by itself.
    ///
    /// The wait ends with the acquire timeout or with the deadline of the scope, whichever is earlier.
    ///
    /// - Throws: ``PersistenceError``: `timeout` of the kind `pool`, with the last failure to connect as `underlying`
    ///   when there is one; `cancelled`; `poolExhausted` when too many wait; `poolClosed`; or why no connection can be
    ///   opened, when waiting would not help.
    @inline(__always)
    func acquire() async throws(PersistenceError) -> Connection {
        if let connection = acquireIfReady() { return connection }
        return try await acquireSlowly()
    }

    /// Gives a connection back.
    ///
    /// Never blocks.
    ///
    /// A connection that is not lent is left alone.
    @inline(__always)
    func release(_ connection: Connection, disposition: PoolReleaseDisposition = .reusable) {
        if disposition == .reusable, takeBackIfFit(connection) { return }
        releaseSlowly(connection, disposition: disposition)
    }

    /// Takes a connection back that is as it was lent, when nothing else has to be done.
    ///
    /// - Returns: False when nothing has happened, and ``release(_:disposition:)`` must decide.
    @inline(__always)
    func takeBackIfFit(_ connection: Connection) -> Bool {
        if let metrics { return takeBack(connection, measuredBy: metrics) }
        let reading = readsTimeAlways ? time.now() : nil
        return state.withLock { $0.machine.takeBack(connection, at: reading) } != nil
    }

    @inline(never)
    private func takeBack(_ connection: Connection, measuredBy metrics: PoolMetrics) -> Bool {
        let now = time.now()
        let (lentAt, counts) = state.withLock { state -> (PoolInstant?, Machine.Counts?) in
            guard let lentAt = state.machine.takeBack(connection, at: now) else { return (nil, nil) }
            return (lentAt, state.machine.countsDue(at: now))
        }
        guard let lentAt else { return false }
        metrics.recordUseTime(nanoseconds: now.nanoseconds(since: lentAt))
        if let counts { report(counts, to: metrics) }
        return true
    }

    @inline(never)
    private func acquireSlowly() async throws(PersistenceError) -> Connection {
        let start = time.now()
        var request = PoolRequest(startedAt: start, deadline: deadline(from: start))
        var step = update { $0.acquire(request, now: $1, effects: &$2) }
        while true {
            switch step {
            case .failed(let error):
                throw error
            case .waiting(let ticket):
                request.hasWaited = true
                switch await outcome(of: ticket) {
                case .success(let grant): step = .granted(grant)
                case .failure(let error): step = .failed(error)
                }
            case .granted(let grant) where grant.needsCheck:
                step = await check(grant, for: request)
                // Without effect when the check was passed, because that was the last step.
                request = request.rejected
            case .granted(let grant):
                metrics?.recordWaitTime(.nanoseconds(time.now().nanoseconds(since: start)))
                return grant.connection
            }
        }
    }

    private func deadline(from start: PoolInstant) -> PoolInstant {
        let own = start.advanced(by: configuration.acquireTimeout)
        guard let deadline = Deadline.current else { return own }
        return min(own, start.advanced(by: deadline.remaining))
    }

    private func outcome(of ticket: PoolTicket) async -> Machine.Outcome {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { waiter in
                if let outcome = state.withLock({ $0.machine.attach(waiter, to: ticket) }) {
                    waiter.resume(returning: outcome)
                }
            }
        } onCancel: {
            update { $0.cancel(ticket, now: $1, effects: &$2) }
        }
    }

    /// Tests a connection on behalf of the caller that is to get it.
    private func check(_ grant: PoolGrant<Connection>, for request: PoolRequest) async -> Machine.Step {
        let connection = grant.connection
        let refusal = await withTimeLimit(on: connection, notAfter: request.deadline) { () -> Machine.CloseReason? in
            if grant.needsLivenessTest {
                do { try await connection.ping() } catch { return .failedTest }
            }
            if let beforeAcquire = hooks.beforeAcquire, await !beforeAcquire(connection) { return .refusedByHook }
            return nil
        }
        guard let refusal else {
            return update { $0.confirm(connection, for: request, now: $1, effects: &$2) }
        }
        // The test of a cancelled task says nothing about the next connection.
        if Task.isCancelled {
            update { $0.abandon(connection.poolID, now: $1, effects: &$2) }
            return .failed(PersistenceError(.cancelled, operation: "acquire", retrySafety: .safe))
        }
        return update { $0.reject(connection.poolID, refusal, of: request, now: $1, effects: &$2) }
    }

    @inline(never)
    private func releaseSlowly(_ connection: Connection, disposition: PoolReleaseDisposition) {
        var disposition = disposition
        if disposition == .needsReset && reset == nil { disposition = .discard }
        let (step, used) = update { machine, now, effects in
            machine.release(connection, disposition: disposition, now: now, effects: &effects)
        }
        if let used { metrics?.recordUseTime(.nanoseconds(used)) }
        if case .reset = step {
            // Not a child: the caller goes on at once, and its cancellation must not reach the connection.
            Task.detached { [self] in await resetSession(of: connection, isChanged: disposition == .needsReset) }
        }
    }
}
