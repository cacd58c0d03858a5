internal import DequeModule
internal import PersistenceCore
internal import Synchronization

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// Events between the reactor that brings them and the one consumer that takes them.
final class NotificationBuffer: Sendable {
    typealias Answer = Result<PostgresNotificationEvent?, PersistenceError>

    private struct State {
        var events: Deque<PostgresNotificationEvent> = []
        var waiter: UnsafeContinuation<Answer, Never>?
        var isFinished = false
        var failure: PersistenceError?
        /// The server's clock at the last proof that nothing is missing.
        var completeUntil: Date
    }

    private let capacity: Int
    private let state: Mutex<State>

    init(capacity: Int, completeUntil: Date) {
        self.capacity = max(capacity, 1)
        state = Mutex(State(completeUntil: completeUntil))
    }

    /// Adds a notification, or notes that there is no room for it.
    func add(_ notification: PostgresNotification) {
        deliver { state in
            if state.events.count < capacity {
                state.events.append(.notification(notification))
            } else if case .gap(let gap)? = state.events.last, case .overflow(let lost) = gap.reason {
                let gap = PostgresNotificationGap(reason: .overflow(lost: lost + 1), since: gap.since)
                state.events[state.events.count - 1] = .gap(gap)
            } else {
                // The one event that is kept beyond the capacity: a loss is never silent.
                state.events.append(
                    .gap(PostgresNotificationGap(reason: .overflow(lost: 1), since: state.completeUntil)))
            }
        }
    }

    /// Tells that the connection has been replaced.
    func addReconnection() {
        deliver { state in
            // Whoever handles a gap looks at the data as it is then, which covers this loss as well.
            if case .gap? = state.events.last { return }
            state.events.append(.gap(PostgresNotificationGap(reason: .reconnected, since: state.completeUntil)))
        }
    }

    /// Notes that the connection was alive at a time of the server's clock.
    func noteComplete(_ time: Date) {
        state.withLock { $0.completeUntil = max($0.completeUntil, time) }
    }

    /// Ends the sequence after the events that are there.
    func finish(_ failure: PersistenceError?) {
        deliver { state in
            guard !state.isFinished else { return }
            state.isFinished = true
            state.failure = failure
        }
    }

    private func deliver(_ change: (inout State) -> Void) {
        let (waiter, answer) = state.withLock { state in
            change(&state)
            guard let waiter = state.waiter, let answer = Self.answer(&state) else {
                return (nil, nil) as (UnsafeContinuation<Answer, Never>?, Answer?)
            }
            state.waiter = nil
            return (waiter, answer)
        }
        if let waiter, let answer { waiter.resume(returning: answer) }
    }

    private static func answer(_ state: inout State) -> Answer? {
        if let event = state.events.popFirst() { return .success(event) }
        guard state.isFinished else { return nil }
        if let failure = state.failure.take() { return .failure(failure) }
        return .success(nil)
    }

    /// Takes the next event, waiting for it; `nil` at the end, and when the task is cancelled.
    func next() async throws(PersistenceError) -> PostgresNotificationEvent? {
        let answer = await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Answer, Never>) in
                let answer: Answer? = state.withLock { state in
                    guard state.waiter == nil else {
                        return .failure(
                            PersistenceError(.invalidArgument, "a subscription to notifications has one consumer"))
                    }
                    // Checked under the lock: a cancellation that comes later finds the waiter.
                    if Task.isCancelled { return .success(nil) }
                    if let answer = Self.answer(&state) { return answer }
                    state.waiter = continuation
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            state.withLock { $0.waiter.take() }?.resume(returning: .success(nil))
        }
        return try answer.get()
    }
}
