/// A point in time by which work must be done.
///
/// Deadlines are set for a scope with ``withDeadline(_:_:)-(Duration,_)`` and found by every database call inside it, so
/// that a service sets the time of a request once and the pool, the connection and the statement share it.
public struct Deadline: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The point in time.
    public let instant: ContinuousClock.Instant

    /// A deadline at a point in time.
    ///
    /// - Parameter instant: The point in time, on a clock that goes on while the machine sleeps.
    public init(_ instant: ContinuousClock.Instant) {
        self.instant = instant
    }

    /// A deadline some time from now.
    ///
    /// - Parameter duration: How long from now. A negative duration makes a deadline that has passed; more than a hundred
    ///   years count as a hundred, because instants cannot hold every duration.
    /// - Returns: The deadline.
    public static func after(_ duration: Duration) -> Deadline {
        Deadline(ContinuousClock.now.advanced(by: min(max(duration, .zero - century), century)))
    }

    /// The deadline of the current scope, or nil when none is set.
    public static var current: Deadline? { DeadlineScope.deadline }

    /// The deadline of the current scope and of a time limit of the caller's own, whichever is earlier.
    ///
    /// - Parameter limit: How long the caller would wait at most; nil for no limit of its own.
    /// - Returns: The earlier deadline, or nil when there is neither.
    public static func current(within limit: Duration?) -> Deadline? {
        guard let limit else { return current }
        let own = Deadline.after(limit)
        return current.map { min($0, own) } ?? own
    }

    /// Whether the deadline has passed.
    public var isPassed: Bool { instant <= ContinuousClock.now }

    /// The time that is left: zero when the deadline has passed.
    public var remaining: Duration { max(.zero, ContinuousClock.now.duration(to: instant)) }

    /// Throws when the deadline has passed.
    ///
    /// - Parameters:
    ///   - wait: The wait that it would have limited.
    ///   - operation: The name of the operation, for the error.
    /// - Throws: `timeout` with the wait's name.
    public func check(_ wait: PersistenceError.TimeoutKind, operation: String? = nil) throws(PersistenceError) {
        guard isPassed else { return }
        throw PersistenceError(.timeout, "the deadline had passed before the wait", operation: operation)
            .with { $0.timeout = wait }
    }

    /// Whether the first is earlier.
    public static func < (lhs: Deadline, rhs: Deadline) -> Bool { lhs.instant < rhs.instant }

    /// The time that is left.
    public var description: String { isPassed ? "passed" : "in \(remaining)" }

    private static let century = Duration.seconds(100 * 365 * 86_400)
}

// Apart from `Deadline`, so that nobody can set a later deadline inside an earlier one.
enum DeadlineScope {
    @TaskLocal static var deadline: Deadline?
}

/// Sets a deadline for every database call that `body` makes.
///
/// Inside another scope the earlier deadline wins. The scope does not interrupt `body`: the database calls in it throw
/// `timeout` and free what they hold; other work can ask ``Deadline/current``. Child tasks inherit the deadline, and so do
/// tasks made with `Task { }`, but not detached ones.
///
/// - Parameters:
///   - deadline: By when the work must be done.
///   - body: The work. It runs in the caller's isolation.
/// - Returns: What `body` returns.
/// - Throws: What `body` throws.
@discardableResult
public nonisolated(nonsending) func withDeadline<Result>(
    _ deadline: Deadline,
    _ body: () async throws -> Result
) async rethrows -> Result {
    let earlier = DeadlineScope.deadline.map { min($0, deadline) } ?? deadline
    return try await DeadlineScope.$deadline.withValue(earlier) {
        try await body()
    }
}

/// Limits the time of every database call that `body` makes.
///
/// The same as ``withDeadline(_:_:)-(Deadline,_)`` with a deadline that long from now.
///
/// - Parameters:
///   - duration: How long the work may take, from now.
///   - body: The work. It runs in the caller's isolation.
/// - Returns: What `body` returns.
/// - Throws: What `body` throws.
@discardableResult
public nonisolated(nonsending) func withDeadline<Result>(
    _ duration: Duration,
    _ body: () async throws -> Result
) async rethrows -> Result {
    try await withDeadline(.after(duration), body)
}
