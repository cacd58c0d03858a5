internal import PersistenceCore
internal import Synchronization

/// One operation between its caller and the thread that runs it: whoever comes first, the answer or the interruption,
/// decides what the caller gets.
///
/// One object for all kinds of answers: the caller and the body share a place for the answer itself.
final class OperationInFlight: Sendable {
    /// The calls into the driver.
    typealias Body = @Sendable (inout MongoCall) -> MongoFailure?
    /// Gets the error, or nil when the operation was done.
    typealias Waiter = UnsafeContinuation<PersistenceError?, Never>

    private enum Phase {
        /// The caller has not begun to wait.
        case prepared
        /// The caller waits; whether a thread has begun the operation.
        case waiting(Waiter, isRunning: Bool)
        /// Nobody waits any more.
        case over(PersistenceError?)
    }

    private struct State {
        var phase = Phase.prepared
        var body: Body?
        /// The client that a thread is at work on for the operation.
        var client: PooledClient?
    }

    let operation: MongoOperation
    let session: SessionScope?
    let deadline: Deadline?
    let span: OperationSpan?
    private let state: Mutex<State>

    init(
        _ operation: MongoOperation, session: SessionScope?, deadline: Deadline?, span: OperationSpan?,
        body: @escaping Body
    ) {
        self.operation = operation
        self.session = session
        self.deadline = deadline
        self.span = span
        state = Mutex(State(body: body))
    }

    /// Begins to wait.
    ///
    /// - Returns: Why not, when the task was cancelled before.
    func wait(_ waiter: Waiter) -> PersistenceError? {
        state.withLock { state in
            if case .over(let error) = state.phase { return error ?? PersistenceError(.internal) }
            state.phase = .waiting(waiter, isRunning: false)
            return nil
        }
    }

    /// Tells that a thread begins with the operation.
    ///
    /// - Returns: What it has to do; nothing when nobody waits for it any more.
    func begin(on client: PooledClient) -> Body? {
        state.withLock { state in
            // Once it was done, what it holds goes with it, and not with whoever looks after an interruption.
            let body = state.body.take()
            guard case .waiting(let waiter, _) = state.phase else { return nil }
            state.phase = .waiting(waiter, isRunning: true)
            state.client = client
            return body
        }
    }

    /// Tells that the thread has come to the operation's end, and will not use the client for it any more.
    ///
    /// - Returns: The caller, if he still waits, to be told of the outcome.
    func end() -> Waiter? {
        state.withLock { state in
            state.client = nil
            state.body = nil
            guard case .waiting(let waiter, _) = state.phase else { return nil }
            state.phase = .over(nil)
            return waiter
        }
    }

    enum Interruption {
        case task
        case deadline
    }

    /// Ends the caller's wait at once.
    ///
    /// - Returns: Whether a thread is at work on the operation.
    func interrupt(_ reason: Interruption) -> Bool {
        let (waiter, error, isRunning) = state.withLock { state -> (Waiter?, PersistenceError?, Bool) in
            switch state.phase {
            case .prepared:
                state.phase = .over(makeError(reason, isRunning: false))
                return (nil, nil, false)
            case .waiting(let waiter, let isRunning):
                let error = makeError(reason, isRunning: isRunning)
                state.phase = .over(error)
                return (waiter, error, isRunning)
            case .over:
                return (nil, nil, false)
            }
        }
        waiter?.resume(returning: error)
        return isRunning
    }

    /// Closes the connections that the operation uses, so that it comes to an end.
    ///
    /// - Returns: False when it has come to its end.
    func interruptClient(olderThan age: Duration) -> Bool {
        state.withLock { state in
            guard let client = state.client else { return false }
            // With the lock held, so that the client is not somebody else's in the meantime.
            client.interrupt(olderThan: age)
            return true
        }
    }

    private func makeError(_ reason: Interruption, isRunning: Bool) -> PersistenceError {
        let safety: PersistenceError.RetrySafety = isRunning ? (operation.isWrite ? .unknown : .unsafe) : .safe
        switch reason {
        case .task:
            return PersistenceError(.cancelled, operation: operation.name, retrySafety: safety)
        case .deadline:
            return PersistenceError(
                .timeout, "the deadline passed before the server answered", operation: operation.name,
                retrySafety: safety
            ).with { $0.timeout = .statement }
        }
    }
}

/// Where the answer to an operation is put by the thread that runs it.
///
/// @unchecked: the thread writes before it tells the caller that the operation was done, and the caller reads when he was
/// told so.
final class OperationAnswer<Value: Sendable>: @unchecked Sendable {
    var value: Value?
}
