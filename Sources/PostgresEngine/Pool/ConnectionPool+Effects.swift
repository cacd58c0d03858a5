import Logging
import PersistenceCore
import Synchronization

extension ConnectionPool {
    /// Changes the state, then does what follows from the change.
    @discardableResult
    func update<R: Sendable>(
        _ change: (inout Machine, PoolInstant, inout Machine.Effects) -> R
    ) -> R {
        let now = time.now()
        let (result, effects) = state.withLock { state in
            var effects = Machine.Effects()
            let result = change(&state.machine, now, &effects)
            return (result, effects)
        }
        perform(effects)
        return result
    }

    private func perform(_ effects: Machine.Effects) {
        // Before those who waited go on: what they have seen has been counted.
        if let metrics { for _ in 0..<effects.timeouts { metrics.recordTimeout() } }
        for connection in effects.close { connection.closeNow() }
        for (waiter, outcome) in effects.resume { waiter.resume(returning: outcome) }
        if let timer = effects.timer { set(timer) }
        for id in effects.open { open(id) }
        if effects.cancelsOpening { cancelTasks() }
        if effects.isDrained { resumeDrainers() }
        if let metrics { report(state.withLock { $0.machine.counts }, to: metrics) }
    }

    func report(_ counts: Machine.Counts, to metrics: PoolMetrics) {
        metrics.setConnections(idle: counts.idle, used: counts.used)
        metrics.setPendingRequests(counts.waiters)
    }

    // MARK: Timer

    private func set(_ timer: Machine.Effects.Timer) {
        let task = Task.detached { [weak self, time] in
            do { try await time.sleep(until: timer.at) } catch { return }
            self?.update { $0.timerRang(generation: timer.generation, now: $1, effects: &$2) }
        }
        let outdated = state.withLock { state -> Task<Void, Never>? in
            guard state.machine.timerGeneration == timer.generation else { return task }
            defer { state.timer = task }
            return state.timer
        }
        outdated?.cancel()
    }

    // MARK: Opening

    private func open(_ id: PoolConnectionID) {
        // Detached: neither the deadline nor the trace of the caller that came first may reach a connection that serves
        // many.
        let task = Task.detached { [self] in
            let start = time.now()
            do throws(PersistenceError) {
                let connection = try await openedConnection(id)
                metrics?.recordCreateTime(.nanoseconds(time.now().nanoseconds(since: start)))
                state.withLock { _ = $0.openings.removeValue(forKey: id) }
                update { $0.opened(id, connection, now: $1, effects: &$2) }
            } catch {
                state.withLock { _ = $0.openings.removeValue(forKey: id) }
                let isExpected = update { machine, now, effects in
                    machine.openFailed(id, error, now: now, effects: &effects)
                    return machine.phase != .running
                }
                if !isExpected { logger?.warning("a connection could not be opened", metadata: ["error": "\(error)"]) }
            }
        }
        let isWanted = state.withLock { state in
            // The task may have ended already, or the pool may have been closed meanwhile.
            guard state.machine.isOpening(id) else { return false }
            state.openings[id] = task
            return true
        }
        if !isWanted { task.cancel() }
    }

    private func openedConnection(_ id: PoolConnectionID) async throws(PersistenceError) -> Connection {
        if let beforeConnect = hooks.beforeConnect {
            do { try await beforeConnect() } catch { throw .hookFailed("before connect", error) }
        }
        let connection = try await connect(id)
        if let afterConnect = hooks.afterConnect {
            do {
                try await afterConnect(connection)
            } catch {
                connection.closeNow()
                throw .hookFailed("after connect", error)
            }
        }
        return connection
    }

    // MARK: Resetting and testing

    func resetSession(of connection: Connection, isChanged: Bool) async {
        let failure = await withTimeLimit(on: connection) { () -> Machine.CloseReason? in
            if isChanged, let reset {
                do { try await reset(connection) } catch { return .failedReset }
            }
            if let afterRelease = hooks.afterRelease, await !afterRelease(connection) { return .refusedByHook }
            return nil
        }
        update { machine, now, effects in
            machine.resetEnded(
                connection.poolID, failure: failure, wasReset: isChanged && failure != .failedReset, now: now,
                effects: &effects)
        }
    }

    /// Runs a test or a reset, and closes the connection when that takes too long, which makes it fail.
    func withTimeLimit<R>(
        on connection: Connection, notAfter deadline: PoolInstant = .distantFuture, _ body: () async -> R
    ) async -> R {
        let limit = min(deadline, time.now().advanced(by: configuration.livenessTestTimeout))
        let watchdog = Task.detached { [self] in
            do { try await time.sleep(until: limit) } catch { return }
            update { $0.expireCheck(connection.poolID, now: $1, effects: &$2) }
        }
        defer { watchdog.cancel() }
        return await body()
    }
}

extension PersistenceError {
    fileprivate static func hookFailed(_ hook: String, _ error: any Error) -> PersistenceError {
        if let error = error as? PersistenceError { return error }
        if error is CancellationError { return PersistenceError(.cancelled, operation: "connect") }
        return PersistenceError(.connection, "the hook \(hook) failed", operation: "connect").with {
            $0.underlying = error
        }
    }
}
