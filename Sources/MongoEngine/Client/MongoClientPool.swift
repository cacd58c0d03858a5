internal import CMongoC
internal import PersistenceCore
internal import Synchronization

/// The driver's pool of clients, and the queue for it.
///
/// The driver's own queue blocks a thread for each caller that waits, so it is never used: the permits given out here
/// are as many as the driver has clients, and a caller with a permit finds a client at once.
final class MongoClientPool: Sendable {
    private enum Outcome {
        case granted
        case failed(PersistenceError)
    }

    private typealias Waiter = UnsafeContinuation<Outcome, Never>

    private struct State: ~Copyable {
        var queue: ClientQueue<Waiter, Outcome>
        var statistics = MongoPoolStatistics()
        /// Since when clients are lent, where the time is recorded.
        var lentSince: [ObjectIdentifier: ContinuousClock.Instant] = [:]
        var drainers: [UnsafeContinuation<Void, Never>] = []
        /// The most clients that were lent at the same time; the driver keeps them all.
        var highWater = 0
    }

    let workers: DriverThreads
    let driver: DriverPool
    let cleanUpWatch: CleanUpWatch
    private let configuration: MongoPoolConfiguration
    private let metrics: PoolMetrics?
    private let state: SharedState<State>

    init(
        configuration: MongoConfiguration, driver: DriverPool, workers: DriverThreads, metrics: PoolMetrics?
    ) {
        self.configuration = configuration.pool
        cleanUpWatch = CleanUpWatch(limit: max(configuration.cancellationGrace, .seconds(1)))
        self.driver = driver
        self.workers = workers
        self.metrics = metrics
        let maximum = configuration.pool.maximum
        let queue = ClientQueue<Waiter, Outcome>(limit: maximum, maximumWaiters: configuration.pool.maximumWaiters)
        state = SharedState(State(queue: queue))
        metrics?.setLimits(maximum: maximum, idleMinimum: 0, idleMaximum: maximum)
    }

    var statistics: MongoPoolStatistics {
        var copy = state.withLock { state in
            var copy = state.statistics
            copy.acquired = state.queue.lent
            copy.waiters = state.queue.waiting
            return copy
        }
        copy.maximum = configuration.maximum
        copy.threads = workers.threadCount
        copy.connections = driver.connections.open
        copy.newConnections = driver.connections.opened
        copy.interruptedConnections = driver.connections.interrupted
        return copy
    }

    // MARK: Waiting

    /// Takes a permit for a client, if there is one for somebody who does not wait.
    func takePermitAtOnce() -> Bool {
        guard metrics == nil else { return false }
        return state.withLock { state in
            guard state.queue.takeAtOnce() else { return false }
            state.statistics.acquires += 1
            state.highWater = max(state.highWater, state.queue.lent)
            return true
        }
    }

    /// Waits for a permit for a client, which is given back with ``push(_:)`` or ``release()``.
    ///
    /// - Parameter deadline: When to give up, if that is before the configured timeout.
    /// - Throws: ``PersistenceError``: `timeout` of the kind `pool`, `cancelled`, `poolExhausted` or `poolClosed`.
    func permit(until deadline: Deadline?) async throws(PersistenceError) {
        switch state.withLock({ $0.queue.request() }) {
        case .granted: noteGranted(after: nil)
        case .closed: throw Self.closed
        case .tooManyWaiters:
            state.withLock { $0.statistics.refusedAcquires += 1 }
            throw PersistenceError(
                .poolExhausted, "too many callers wait for a client: \(loadDescription)", operation: "acquire")
        case .wait(let ticket): try await wait(ticket, until: deadline)
        }
    }

    private func wait(_ ticket: UInt64, until deadline: Deadline?) async throws(PersistenceError) {
        let start = ContinuousClock.now
        let own = Deadline.after(configuration.acquireTimeout)
        let limit = deadline.map { min($0, own) } ?? own
        let timer = Task.detached { [self] in
            do { try await Task.sleep(until: limit.instant, clock: .continuous) } catch { return }
            let error = Self.timedOut(after: start.duration(to: .now), load: loadDescription)
            if giveUp(ticket, error, { $0.timedOutAcquires += 1 }) { metrics?.recordTimeout() }
        }
        reportWaiters()
        let outcome = await withTaskCancellationHandler {
            await withUnsafeContinuation { waiter in
                if let early = state.withLock({ $0.queue.attach(waiter, to: ticket) }) {
                    waiter.resume(returning: early)
                }
            }
        } onCancel: {
            let error = PersistenceError(.cancelled, operation: "acquire", retrySafety: .safe)
            _ = giveUp(ticket, error) { $0.cancelledAcquires += 1 }
        }
        timer.cancel()
        reportWaiters()
        switch outcome {
        case .granted: noteGranted(after: start.duration(to: .now))
        case .failed(let error): throw error
        }
    }

    private func giveUp(
        _ ticket: UInt64, _ error: PersistenceError, _ count: (inout MongoPoolStatistics) -> Void
    ) -> Bool {
        let (isFirst, waiter) = state.withLock { state in
            let (isFirst, waiter) = state.queue.settle(ticket, .failed(error))
            if isFirst { count(&state.statistics) }
            return (isFirst, waiter)
        }
        waiter?.resume(returning: .failed(error))
        return isFirst
    }

    private func noteGranted(after wait: Duration?) {
        let (lent, idle) = state.withLock { state in
            state.statistics.acquires += 1
            if let wait {
                state.statistics.emptyAcquires += 1
                state.statistics.emptyAcquireWait += wait
            }
            state.highWater = max(state.highWater, state.queue.lent)
            return (state.queue.lent, state.highWater - state.queue.lent)
        }
        metrics?.recordWaitTime(wait ?? .zero)
        metrics?.setConnections(idle: idle, used: lent)
    }

    private func reportWaiters() {
        guard let metrics else { return }
        metrics.setPendingRequests(state.withLock { $0.queue.waiting })
    }

    /// Counts an operation that the driver has tried again: of which a command failed, and not the last one alone.
    func countRetry(of tally: CommandTally, _ failure: MongoFailure?) {
        if failure != nil, tally.failures < 2 { return }
        state.withLock { $0.statistics.retriedOperations += 1 }
    }

    func countInterruption() {
        state.withLock { $0.statistics.interruptedOperations += 1 }
    }

    private var loadDescription: String {
        state.withLock { "\($0.queue.lent) of \(configuration.maximum) in use, \($0.queue.waiting) waiting" }
    }

    private static var closed: PersistenceError { PersistenceError(.poolClosed, operation: "acquire") }

    private static func timedOut(after wait: Duration, load: String) -> PersistenceError {
        let seconds = (wait / .seconds(1) * 1000).rounded() / 1000
        return PersistenceError(
            .timeout, "no client was free within \(seconds) s: \(load)", operation: "acquire", retrySafety: .safe
        ).with { $0.timeout = .pool }
    }

    // MARK: Clients

    /// Takes a client out of the driver's pool; the caller has a permit, and a thread that may block.
    func pop() -> PooledClient? {
        let client = driver.pop()
        if let client, metrics != nil { state.withLock { $0.lentSince[ObjectIdentifier(client)] = .now } }
        return client
    }

    /// Gives a client and its permit back.
    func push(_ client: PooledClient) {
        if let metrics {
            let start = state.withLock { $0.lentSince.removeValue(forKey: ObjectIdentifier(client)) }
            if let start { metrics.recordUseTime(start.duration(to: .now)) }
        }
        driver.push(client)
        release()
    }

    /// Gives a permit back.
    func release() {
        let (next, drainers, lent, idle) = state.withLock { state in
            let next = state.queue.giveBack(granting: .granted)
            var drainers: [UnsafeContinuation<Void, Never>] = []
            if state.queue.isClosed, state.queue.lent == 0 { swap(&drainers, &state.drainers) }
            return (next, drainers, state.queue.lent, state.highWater - state.queue.lent)
        }
        next?.resume(returning: .granted)
        for drainer in drainers { drainer.resume() }
        metrics?.setConnections(idle: idle, used: lent)
    }

    // MARK: Shutdown

    /// Lends no more clients; those who wait are refused.
    func close() {
        let (refused, drainers) = state.withLock { state in
            let refused = state.queue.close(refusing: .failed(Self.closed))
            var drainers: [UnsafeContinuation<Void, Never>] = []
            // With no client lent there is none whose return would wake them.
            if state.queue.lent == 0 { swap(&drainers, &state.drainers) }
            return (refused, drainers)
        }
        for waiter in refused { waiter.resume(returning: .failed(Self.closed)) }
        for drainer in drainers { drainer.resume() }
    }

    /// Lends no more clients, waits for those in use, cuts off what still runs when time is up, and frees all.
    ///
    /// - Returns: How many clients were cut off.
    func drain(for patience: Duration) async -> Int {
        close()
        let timer = Task.detached { [self] () -> Int in
            do { try await Task.sleep(for: patience) } catch { return 0 }
            let cutOff = interruptAll()
            // What was cut off ends by itself. Whoever keeps a session or a cursor without using it is not waited for:
            // the driver's pool goes when the last client has come back.
            do { try await Task.sleep(for: Self.settlingTime) } catch { return cutOff }
            resumeDrainers()
            return cutOff
        }
        await withTaskCancellationHandler {
            await untilDrained()
        } onCancel: {
            _ = interruptAll()
        }
        timer.cancel()
        let cutOff = await timer.value
        if state.withLock({ $0.queue.lent == 0 }) { await destroyDriver() }
        return cutOff
    }

    /// Frees the driver's pool, and waits for that, but not for long.
    ///
    /// The driver tells a server that its sessions have ended. When there is none it looks for one, for as long as any
    /// operation would; it may do so on its thread while the service goes on to its own end.
    private func destroyDriver() async {
        await withUnsafeContinuation { continuation in
            let waiting = SingleWait(continuation)
            let timer = Task.detached {
                try? await Task.sleep(for: Self.settlingTime)
                waiting.end()
            }
            workers.submit { [driver] in
                driver.destroy()
                timer.cancel()
                waiting.end()
            }
        }
    }

    private static let settlingTime = Duration.seconds(2)

    private func resumeDrainers() {
        let drainers = state.withLock { state in
            var drainers: [UnsafeContinuation<Void, Never>] = []
            swap(&drainers, &state.drainers)
            return drainers
        }
        for drainer in drainers { drainer.resume() }
    }

    private func interruptAll() -> Int {
        let clients = driver.clientsInUse
        for client in clients { client.interrupt() }
        return clients.count
    }

    /// Waits until the pool is closed and nobody has a client.
    func untilDrained() async {
        await withUnsafeContinuation { continuation in
            let isDrained = state.withLock { state in
                guard !state.queue.isClosed || state.queue.lent > 0 else { return true }
                state.drainers.append(continuation)
                return false
            }
            if isDrained { continuation.resume() }
        }
    }
}

/// A wait that whoever comes first ends.
private final class SingleWait: Sendable {
    private let continuation: Mutex<UnsafeContinuation<Void, Never>?>

    init(_ continuation: UnsafeContinuation<Void, Never>) {
        self.continuation = Mutex(continuation)
    }

    func end() {
        continuation.withLock { $0.take() }?.resume()
    }
}
