import PersistenceCore
import Synchronization

// MARK: Maintenance

extension ConnectionPool {
    /// How many idle connections are tested at the same time.
    private var concurrentTests: Int { 4 }

    /// Keeps the minimum open, tests idle connections, and closes those that are too old or not needed.
    ///
    /// Returns when the task is cancelled, or when the pool has been drained or closed and nothing is open any more.
    /// Cancelling it ends the maintenance alone; the pool goes on to lend.
    func run() async {
        let number = state.withLock { state in
            state.lastMaintenance += 1
            state.maintenances.updateValue(nil, forKey: state.lastMaintenance)
            return state.lastMaintenance
        }
        update { $0.setMaintained($0.phase == .running, now: $1, effects: &$2) }
        let interval = configuration.healthCheckInterval
        while !Task.isCancelled, await sleep(for: interval, number: number) {
            update { $0.sweep(now: $1, effects: &$2) }
            await testIdleConnections()
        }
        let isLast = state.withLock { state in
            state.maintenances.removeValue(forKey: number)
            return state.maintenances.isEmpty
        }
        if isLast { update { $0.setMaintained(false, now: $1, effects: &$2) } }
        if !Task.isCancelled { await untilDrained() }
    }

    /// Sleeps until it is time to look after the connections.
    ///
    /// - Returns: False when the pool is no longer running.
    private func sleep(for interval: Duration, number: Int) async -> Bool {
        let deadline = time.now().advanced(by: interval)
        let sleep = Task.detached { [time] in _ = try? await time.sleep(until: deadline) }
        let isRunning = state.withLock { state in
            guard state.machine.phase == .running else { return false }
            state.maintenances.updateValue(sleep, forKey: number)
            return true
        }
        if !isRunning { sleep.cancel() }
        await withTaskCancellationHandler {
            await sleep.value
        } onCancel: {
            sleep.cancel()
        }
        return !Task.isCancelled && state.withLock { $0.machine.phase == .running }
    }

    private func testIdleConnections() async {
        let cutoff = time.now().advanced(by: -configuration.livenessTestAge.saturatedNanoseconds)
        await withDiscardingTaskGroup { group in
            for _ in 0..<concurrentTests {
                group.addTask { [self] in
                    while let connection = update({ machine, _, _ in machine.takeForTest(unverifiedSince: cutoff) }) {
                        await test(connection)
                    }
                }
            }
        }
    }

    private func test(_ connection: Connection) async {
        let isAlive = await withTimeLimit(on: connection) {
            do throws(PersistenceError) { try await connection.ping() } catch { return false }
            return true
        }
        update { $0.testEnded(connection.poolID, isAlive: isAlive, now: $1, effects: &$2) }
    }
}

// MARK: Shutdown

extension ConnectionPool {
    /// Ends the pool in an orderly way.
    ///
    /// From now on nobody gets a connection: callers that wait, and new ones, fail with `poolClosed`. Idle connections
    /// are closed. Lent ones may come back until the time is up; then they are closed, and what runs on them fails.
    /// When the calling task is cancelled, that happens at once. Returns when nothing is open any more.
    ///
    /// - Parameter patience: How long lent connections may still be used.
    /// - Returns: How many connections were closed while they were in use.
    @discardableResult
    func drain(for patience: Duration) async -> Int {
        let deadline = time.now().advanced(by: patience)
        update { $0.drain(now: $1, effects: &$2) }
        let timer = Task.detached { [self] in
            do { try await time.sleep(until: deadline) } catch { return }
            close()
        }
        await withTaskCancellationHandler {
            await untilDrained()
        } onCancel: {
            close()
        }
        timer.cancel()
        return state.withLock { $0.machine.cutOff }
    }

    /// Ends the pool at once: every connection is closed, those in use included, and every wait fails with `poolClosed`.
    func close() {
        _ = update { $0.close(now: $1, effects: &$2) }
    }

    /// Waits until a pool that is draining or closed has nothing open any more.
    func untilDrained() async {
        await withUnsafeContinuation { continuation in
            let isDrained = state.withLock { state in
                guard state.machine.phase == .running || state.machine.total > 0 else { return true }
                state.drainers.append(continuation)
                return false
            }
            if isDrained { continuation.resume() }
        }
    }

    func resumeDrainers() {
        let drainers = state.withLock { state in
            defer { state.drainers = [] }
            return state.drainers
        }
        for drainer in drainers { drainer.resume() }
    }

    func cancelTasks() {
        let tasks = state.withLock { state in
            var tasks = Array(state.openings.values) + state.maintenances.values.compactMap { $0 }
            if let timer = state.timer { tasks.append(timer) }
            state.timer = nil
            return tasks
        }
        for task in tasks { task.cancel() }
    }
}
