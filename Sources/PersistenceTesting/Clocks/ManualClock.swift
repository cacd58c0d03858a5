import Synchronization

/// A clock that stands still until a test moves it.
///
/// ```swift
/// let clock = ManualClock()
/// let task = Task { try await clock.sleep(for: .seconds(5)) }
/// await clock.waitForSleep(of: .seconds(5))
/// clock.advance(by: .seconds(5))
/// try await task.value
/// ```
public final class ManualClock: Clock, Sendable {
    /// A point in time, counted from the clock's creation.
    public struct Instant: InstantProtocol {
        /// The time since the clock was created.
        public let offset: Duration

        /// The point in time some duration later.
        ///
        /// - Parameter duration: How much later.
        /// - Returns: The later point in time.
        public func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }

        /// The time to another point.
        ///
        /// - Parameter other: The other point.
        /// - Returns: The duration, negative when the other point is earlier.
        public func duration(to other: Instant) -> Duration { other.offset - offset }

        /// Whether the first is earlier.
        public static func < (lhs: Instant, rhs: Instant) -> Bool { lhs.offset < rhs.offset }
    }

    private struct Sleeper {
        let deadline: Instant
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct Watcher {
        let condition: @Sendable ([Duration]) -> Bool
        let continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var now = Instant(offset: .zero)
        var nextID: UInt64 = 0
        var sleepers: [UInt64: Sleeper] = [:]
        // Cancelled before their sleep had begun.
        var cancelled: Set<UInt64> = []
        var watchers: [Watcher] = []

        /// How much longer each sleeper has to wait, the shortest first.
        var sleeps: [Duration] {
            sleepers.values.map { now.duration(to: $0.deadline) }.sorted()
        }

        mutating func takeSatisfiedWatchers() -> [Watcher] {
            guard !watchers.isEmpty else { return [] }
            let sleeps = sleeps
            var satisfied: [Watcher] = []
            var waiting: [Watcher] = []
            for watcher in watchers {
                if watcher.condition(sleeps) {
                    satisfied.append(watcher)
                } else {
                    waiting.append(watcher)
                }
            }
            watchers = waiting
            return satisfied
        }
    }

    private let state = Mutex(State())

    /// Creates a clock at zero.
    public init() {}

    /// The time as it was last set.
    public var now: Instant { state.withLock { $0.now } }

    /// The smallest difference between two instants that matters.
    public var minimumResolution: Duration { .nanoseconds(1) }

    /// How much longer each sleeper has to wait, the shortest first.
    public var sleeps: [Duration] { state.withLock { $0.sleeps } }

    /// Moves the clock and wakes whoever is due, the earliest first.
    ///
    /// - Parameter duration: How far. A negative duration counts as zero: time does not go back.
    public func advance(by duration: Duration) {
        let (due, satisfied) = state.withLock { state -> ([Sleeper], [Watcher]) in
            state.now = state.now.advanced(by: max(.zero, duration))
            let due = state.sleepers.filter { $0.value.deadline <= state.now }
            for id in due.keys {
                state.sleepers[id] = nil
            }
            return (due.values.sorted { $0.deadline < $1.deadline }, state.takeSatisfiedWatchers())
        }
        for sleeper in due {
            sleeper.continuation.resume()
        }
        for watcher in satisfied {
            watcher.continuation.resume()
        }
    }

    /// Waits until a number of sleepers have exactly a duration left to sleep.
    ///
    /// - Parameters:
    ///   - duration: The duration that is left.
    ///   - count: The number of sleepers.
    public func waitForSleep(of duration: Duration, count: Int = 1) async {
        await waitForSleeps { sleeps in sleeps.count { $0 == duration } >= count }
    }

    /// Waits until the sleepers are as a test expects.
    ///
    /// - Parameter condition: Whether they are, told how much longer each has to sleep, the shortest first. It is called
    ///   whenever a sleeper comes or goes, or the clock moves, and must not use the clock.
    public func waitForSleeps(_ condition: @escaping @Sendable ([Duration]) -> Bool) async {
        await withCheckedContinuation { continuation in
            let satisfied = state.withLock { state -> [Watcher] in
                state.watchers.append(Watcher(condition: condition, continuation: continuation))
                return state.takeSatisfiedWatchers()
            }
            for watcher in satisfied {
                watcher.continuation.resume()
            }
        }
    }

    /// Sleeps until the clock is moved to a point in time.
    ///
    /// - Parameters:
    ///   - deadline: The point in time. When it has passed, the call returns at once.
    ///   - tolerance: Ignored.
    /// - Throws: `CancellationError` when the task is cancelled.
    public func sleep(until deadline: Instant, tolerance: Duration? = nil) async throws {
        let id = state.withLock { state -> UInt64 in
            state.nextID += 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                begin(id, Sleeper(deadline: deadline, continuation: continuation))
            }
        } onCancel: {
            cancel(id)
        }
    }

    private func begin(_ id: UInt64, _ sleeper: Sleeper) {
        enum Outcome {
            case cancelled
            case due
            case asleep([Watcher])
        }
        let outcome = state.withLock { state -> Outcome in
            if state.cancelled.remove(id) != nil { return .cancelled }
            if sleeper.deadline <= state.now { return .due }
            state.sleepers[id] = sleeper
            return .asleep(state.takeSatisfiedWatchers())
        }
        switch outcome {
        case .cancelled: sleeper.continuation.resume(throwing: CancellationError())
        case .due: sleeper.continuation.resume()
        case .asleep(let watchers):
            for watcher in watchers {
                watcher.continuation.resume()
            }
        }
    }

    private func cancel(_ id: UInt64) {
        let (sleeper, satisfied) = state.withLock { state -> (Sleeper?, [Watcher]) in
            if let sleeper = state.sleepers.removeValue(forKey: id) {
                return (sleeper, state.takeSatisfiedWatchers())
            }
            state.cancelled.insert(id)
            return (nil, [])
        }
        sleeper?.continuation.resume(throwing: CancellationError())
        for watcher in satisfied {
            watcher.continuation.resume()
        }
    }
}
