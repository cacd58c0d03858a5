import PersistenceCore

extension PoolStateMachine {
    /// Makes sure that the timer rings no later than at `moment`.
    mutating func setTimer(_ moment: PoolInstant, _ effects: inout Effects) {
        guard moment < .distantFuture, phase == .running else { return }
        if let timerAt, timerAt <= moment { return }
        timerAt = moment
        timerGeneration += 1
        effects.timer = Effects.Timer(at: moment, generation: timerGeneration)
    }

    /// Takes note of the time, and has it refreshed while the pool is in use.
    mutating func noteActivity(_ now: PoolInstant, _ effects: inout Effects) {
        touch(now)
        guard let interval = limits.tickInterval, !isTicking, phase == .running else { return }
        isTicking = true
        acquiresAtLastTick = -1
        nextTickAt = now.advanced(by: interval)
        setTimer(nextTickAt, &effects)
    }

    /// Does what is due: ends waits, refreshes the time, opens connections after a wait, and sets the next timer.
    mutating func timerRang(generation: UInt64, now: PoolInstant, effects: inout Effects) {
        guard generation == timerGeneration, phase == .running else { return }
        touch(now)
        timerAt = nil
        for ticket in waiters.tickets(where: { $0.deadline <= now }) {
            counters.timedOutAcquires += 1
            effects.timeouts += 1
            settle(ticket, .failure(timeoutError(of: waiters.request(of: ticket), now)), &effects)
        }
        if isTicking, let interval = limits.tickInterval, nextTickAt <= now {
            // An idle pool stops ticking; whoever comes next reads the clock and starts it again.
            isTicking = acquiresAtLastTick != counters.acquires
            acquiresAtLastTick = counters.acquires
            nextTickAt = now.advanced(by: interval)
        }
        balance(now, &effects)
        if isTicking { setTimer(nextTickAt, &effects) }
        if let deadline = waiters.earliestDeadline { setTimer(deadline, &effects) }
    }
}

// MARK: Errors

extension PoolStateMachine {
    func timeoutError(of request: PoolRequest, _ now: PoolInstant) -> PersistenceError {
        let waited = Duration.nanoseconds(now.nanoseconds(since: request.startedAt))
        var summary = "no connection was free within \(waited.milliseconds) ms: \(loadDescription)"
        if consecutiveFailures > 0, let lastConnectError {
            summary += "; the last attempt to connect failed: \(lastConnectError.summary)"
        }
        return PersistenceError(.timeout, summary, operation: "acquire", retrySafety: .safe).with {
            $0.timeout = .pool
            if consecutiveFailures > 0 { $0.underlying = lastConnectError }
        }
    }

    func refusal() -> PersistenceError {
        PersistenceError(
            .poolExhausted, "too many callers wait for a connection: \(loadDescription)", operation: "acquire")
    }

    private var loadDescription: String {
        let size = limits.overflow > 0 ? "\(limits.maximum)+\(limits.overflow)" : "\(limits.maximum)"
        return "\(lentCount + checkingCount) in use, \(resettingCount + testingCount) in maintenance, "
            + "\(openingCount) being opened, at most \(size), \(waiters.count) waiting"
    }
}

extension PersistenceError {
    static var closedPool: PersistenceError {
        PersistenceError(.poolClosed, operation: "acquire")
    }

    static var everyConnectionRejected: PersistenceError {
        PersistenceError(
            .connection, "every connection failed its liveness test or was refused by the hook before acquire",
            operation: "acquire", retrySafety: .safe)
    }
}

extension Duration {
    fileprivate var milliseconds: Int64 { saturatedNanoseconds / 1_000_000 }
}
