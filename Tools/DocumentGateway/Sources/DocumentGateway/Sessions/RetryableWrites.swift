internal import Synchronization

/// Knows for each session which retryable write was the last, so that one that comes again is not done again.
///
/// The reply itself is recorded in the engine, in the statement of the write; this only spares looking there when nothing
/// can be there.
package final class RetryableWrites: Sendable {
    /// What to do with a write.
    package enum Decision: Equatable {
        /// Nobody did it yet.
        case execute
        /// It may have been done, by a gateway before this one or by a connection that was lost: the engine's record
        /// tells.
        case lookUp
        /// It was done; the engine has the reply.
        case replay
        /// A later write of the session is known.
        case tooOld
    }

    private enum State {
        case running([CheckedContinuation<Void, Never>])
        case done
        /// It had no effect, so it may be done.
        case failed
        case unknown
    }

    private struct Entry {
        var number: Int64
        var state: State
        var lastUsed: ContinuousClock.Instant
    }

    package init() {}

    private let entries = Mutex<[SessionKey: Entry]>([:])

    /// Begins a write; after `execute` and `lookUp`, ``finish(_:_:outcome:)`` must follow.
    ///
    /// Waits while the same write is running already, on a connection that the client has given up.
    package func begin(_ key: SessionKey, _ number: Int64) async -> Decision {
        while true {
            let decision = entries.withLock { entries -> Decision? in
                guard let entry = entries[key] else {
                    entries[key] = Entry(number: number, state: .running([]), lastUsed: .now)
                    return .lookUp
                }
                if number < entry.number { return .tooOld }
                if number == entry.number {
                    switch entry.state {
                    case .running: return nil
                    case .done: return .replay
                    case .failed, .unknown: break
                    }
                }
                var isUnknown = false
                if number == entry.number, case .unknown = entry.state { isUnknown = true }
                var waiters: [CheckedContinuation<Void, Never>] = []
                // A client that goes on to its next write has given the one before up; whoever waits for that is told.
                if case .running(let waiting) = entry.state { waiters = waiting }
                entries[key] = Entry(number: number, state: .running([]), lastUsed: .now)
                for waiter in waiters { waiter.resume() }
                return isUnknown ? .lookUp : .execute
            }
            if let decision { return decision }
            await withCheckedContinuation { continuation in
                entries.withLock { entries in
                    guard var entry = entries[key], entry.number == number, case .running(var waiting) = entry.state
                    else { return continuation.resume() }
                    waiting.append(continuation)
                    entry.state = .running(waiting)
                    entries[key] = entry
                }
            }
        }
    }

    /// How a write ended.
    package enum Outcome {
        case done
        case withoutEffect
        case unknown
    }

    /// Ends a write that ``begin(_:_:)`` allowed.
    package func finish(_ key: SessionKey, _ number: Int64, outcome: Outcome) {
        entries.withLock { entries in
            guard var entry = entries[key], entry.number == number else { return }
            if case .running(let waiting) = entry.state {
                for waiter in waiting { waiter.resume() }
            }
            entry.state =
                switch outcome {
                case .done: .done
                case .withoutEffect: .failed
                case .unknown: .unknown
                }
            entry.lastUsed = .now
            entries[key] = entry
        }
    }

    /// Forgets sessions that no driver can use any more.
    func forget(unusedSince limit: ContinuousClock.Instant) {
        entries.withLock { entries in
            entries = entries.filter { _, entry in
                if case .running = entry.state { true } else { entry.lastUsed >= limit }
            }
        }
    }

    /// Forgets a session that its client has ended.
    func end(_ key: SessionKey) {
        entries.withLock { entries in
            if case .running? = entries[key]?.state { return }
            entries[key] = nil
        }
    }
}
