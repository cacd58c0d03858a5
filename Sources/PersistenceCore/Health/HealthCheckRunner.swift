import Synchronization

/// Runs one check at a time, for no longer than its timeout.
///
/// A check that ignores its cancellation is left behind: nobody waits for it, and no other is begun before it ends, so
/// that a database that hangs does not collect tasks.
final class HealthCheckRunner: Sendable {
    enum Outcome: Sendable {
        case success(latency: Duration)
        case failure(PersistenceError, latency: Duration?)
        /// Another caller's check is under way, within its time.
        case alreadyUnderWay
        case cancelled
    }

    private enum State: Equatable {
        case idle
        /// With a number, because by the time a run has ended the next may have begun.
        case underWay(UInt64)
        case overdue
    }

    private let check: any HealthCheck
    private let timeout: Duration
    private let clock: any Clock<Duration>
    private let state = Mutex((now: State.idle, lastRun: UInt64(0)))

    init(check: any HealthCheck, timeout: Duration, clock: any Clock<Duration>) {
        self.check = check
        self.timeout = timeout
        self.clock = clock
    }

    func run() async -> Outcome {
        let (found, id) = state.withLock { state -> (State, UInt64) in
            let found = state.now
            if found == .idle {
                state.lastRun += 1
                state.now = .underWay(state.lastRun)
            }
            return (found, state.lastRun)
        }
        switch found {
        case .idle: break
        case .underWay: return .alreadyUnderWay
        case .overdue:
            return .failure(timeoutError("an earlier check has still not ended"), latency: nil)
        }

        let race = Race()
        let work = Task {
            let outcome = await Self.perform(check, timeout: timeout, clock: clock)
            state.withLock { $0.now = .idle }
            race.decide(outcome)
        }
        let timer = Task {
            // Only a cancelled sleep throws, and then nobody waits for the timer.
            guard (try? await clock.sleep(for: timeout)) != nil else { return }
            race.decide(.failure(timeoutError("the check did not end within \(timeout)"), latency: nil))
        }
        let outcome = await withTaskCancellationHandler {
            await race.outcome()
        } onCancel: {
            race.decide(.cancelled)
        }
        timer.cancel()
        work.cancel()
        state.withLock { state in
            if state.now == .underWay(id) { state.now = .overdue }
        }
        return outcome
    }

    private static func perform(
        _ check: any HealthCheck,
        timeout: Duration,
        clock: some Clock<Duration>
    ) async -> Outcome {
        let start = clock.now
        do {
            try await withDeadline(timeout) { try await check.check() }
            return .success(latency: start.duration(to: clock.now))
        } catch {
            return .failure(describe(error), latency: start.duration(to: clock.now))
        }
    }

    private static func describe(_ error: any Error) -> PersistenceError {
        if let error = error as? PersistenceError { return error }
        // A foreign error's text may hold an address with a password in it.
        return PersistenceError(.unavailable, "the check failed with \(type(of: error))", operation: "health check")
            .with { $0.underlying = error }
    }

    private func timeoutError(_ summary: String) -> PersistenceError {
        PersistenceError(.timeout, summary, operation: "health check").with { $0.timeout = .healthCheck }
    }
}

/// The first outcome of several tasks, for one waiter.
private final class Race: Sendable {
    private enum State {
        case open
        case awaited(CheckedContinuation<HealthCheckRunner.Outcome, Never>)
        case decided(HealthCheckRunner.Outcome)
    }

    private let state = Mutex(State.open)

    func decide(_ outcome: HealthCheckRunner.Outcome) {
        let waiter = state.withLock { state -> CheckedContinuation<HealthCheckRunner.Outcome, Never>? in
            switch state {
            case .open:
                state = .decided(outcome)
                return nil
            case .awaited(let waiter):
                state = .decided(outcome)
                return waiter
            case .decided: return nil
            }
        }
        waiter?.resume(returning: outcome)
    }

    func outcome() async -> HealthCheckRunner.Outcome {
        await withCheckedContinuation { continuation in
            let decided = state.withLock { state -> HealthCheckRunner.Outcome? in
                if case .decided(let outcome) = state { return outcome }
                state = .awaited(continuation)
                return nil
            }
            if let decided { continuation.resume(returning: decided) }
        }
    }
}
