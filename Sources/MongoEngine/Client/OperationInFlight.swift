internal import PersistenceCore
internal import Synchronization

/// One operation between its caller and the thread that runs it: whoever comes first, the answer or the interruption,
/// decides what the caller gets.
final class OperationInFlight<Value: Sendable>: Sendable {
    typealias Outcome = Result<Value, PersistenceError>

    private enum State {
        /// The caller has not begun to wait.
        case prepared
        /// The caller waits; whether a thread has begun the operation.
        case waiting(UnsafeContinuation<Outcome, Never>, isRunning: Bool)
        /// Nobody waits any more.
        case over(PersistenceError?)
    }

    private let state = Mutex(State.prepared)
    private let hasEndedFlag = Atomic<Bool>(false)
    private let isWrite: Bool
    private let operation: String

    init(operation: String, isWrite: Bool) {
        self.operation = operation
        self.isWrite = isWrite
    }

    /// Begins to wait.
    ///
    /// - Returns: Why not, when the task was cancelled before.
    func wait(_ continuation: UnsafeContinuation<Outcome, Never>) -> PersistenceError? {
        state.withLock { state in
            if case .over(let error) = state { return error ?? PersistenceError(.internal) }
            state = .waiting(continuation, isRunning: false)
            return nil
        }
    }

    /// Tells that a thread begins with the operation.
    ///
    /// - Returns: False when nobody waits for it any more, so that it should not be done.
    func begin() -> Bool {
        state.withLock { state in
            guard case .waiting(let continuation, _) = state else { return false }
            state = .waiting(continuation, isRunning: true)
            return true
        }
    }

    /// Whether the thread has come to the operation's end, whether or not somebody waited for it.
    var hasEnded: Bool { hasEndedFlag.load(ordering: .acquiring) }

    /// Answers the caller, if he still waits.
    func finish(_ outcome: Outcome) {
        hasEndedFlag.store(true, ordering: .releasing)
        let continuation = state.withLock { state -> UnsafeContinuation<Outcome, Never>? in
            guard case .waiting(let continuation, _) = state else { return nil }
            state = .over(nil)
            return continuation
        }
        continuation?.resume(returning: outcome)
    }

    enum Interruption {
        case task
        case deadline
    }

    /// Ends the caller's wait at once.
    ///
    /// - Returns: Whether a thread is at work on the operation.
    func interrupt(_ reason: Interruption) -> Bool {
        let (continuation, error, isRunning) = state.withLock {
            state -> (UnsafeContinuation<Outcome, Never>?, PersistenceError, Bool) in
            switch state {
            case .prepared:
                let error = makeError(reason, isRunning: false)
                state = .over(error)
                return (nil, error, false)
            case .waiting(let continuation, let isRunning):
                let error = makeError(reason, isRunning: isRunning)
                state = .over(error)
                return (continuation, error, isRunning)
            case .over:
                return (nil, PersistenceError(.internal), false)
            }
        }
        continuation?.resume(returning: .failure(error))
        return continuation != nil && isRunning
    }

    private func makeError(_ reason: Interruption, isRunning: Bool) -> PersistenceError {
        let safety: PersistenceError.RetrySafety = isRunning ? (isWrite ? .unknown : .unsafe) : .safe
        switch reason {
        case .task:
            return PersistenceError(.cancelled, operation: operation, retrySafety: safety)
        case .deadline:
            return PersistenceError(
                .timeout, "the deadline passed before the server answered", operation: operation, retrySafety: safety
            ).with { $0.timeout = .statement }
        }
    }
}
