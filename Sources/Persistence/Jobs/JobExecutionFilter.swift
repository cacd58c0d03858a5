package import PersistenceCore

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// Which executions a query is about.
///
/// ```swift
/// let stuck = JobExecutionFilter.state(.running).and(.stale(heartbeatBefore: Date(timeIntervalSinceNow: -60)))
/// ```
public struct JobExecutionFilter: Hashable, Sendable {
    package private(set) var states: Set<JobExecutionState>?
    package private(set) var workers: Set<Label>?
    package private(set) var failureCodes: Set<Label>?
    package private(set) var created = TimeBounds()
    package private(set) var heartbeat = TimeBounds()

    private init() {}

    /// All of them.
    public static let all = JobExecutionFilter()

    /// Those that stand there.
    ///
    /// - Parameter states: In one of these states.
    /// - Returns: The filter.
    public static func state(_ states: JobExecutionState...) -> JobExecutionFilter {
        all.with { $0.states = Set(states) }
    }

    /// Those that stand there; the same as ``state(_:)``, in the words of other queries.
    ///
    /// - Parameter states: In one of these states.
    /// - Returns: The filter.
    public static func status(_ states: JobExecutionState...) -> JobExecutionFilter {
        all.with { $0.states = Set(states) }
    }

    /// Those of some workers.
    ///
    /// - Parameter workers: With one of these, now or last.
    /// - Returns: The filter.
    public static func worker(_ workers: Label...) -> JobExecutionFilter {
        all.with { $0.workers = Set(workers) }
    }

    /// Those that failed in some ways.
    ///
    /// - Parameter codes: One of these.
    /// - Returns: The filter.
    public static func failure(_ codes: Label...) -> JobExecutionFilter {
        all.with { $0.failureCodes = Set(codes) }
    }

    /// Those that were queued first at or after a point in time.
    ///
    /// - Parameter date: The point in time, compared to the millisecond.
    /// - Returns: The filter.
    public static func created(from date: Date) -> JobExecutionFilter {
        all.with { $0.created = TimeBounds(from: date) }
    }

    /// Those that were queued first before a point in time.
    ///
    /// - Parameter date: The point in time, compared to the millisecond.
    /// - Returns: The filter.
    public static func created(before date: Date) -> JobExecutionFilter {
        all.with { $0.created = TimeBounds(before: date) }
    }

    /// Those that run without a life sign since a point in time.
    ///
    /// - Parameter date: The point in time, compared to the millisecond.
    /// - Returns: The filter.
    public static func stale(heartbeatBefore date: Date) -> JobExecutionFilter {
        all.with {
            $0.states = [.running]
            $0.heartbeat = TimeBounds(before: date)
        }
    }

    /// Those that this filter and another want.
    ///
    /// - Parameter other: The other filter.
    /// - Returns: The filter.
    public func and(_ other: JobExecutionFilter) -> JobExecutionFilter {
        var both = self
        both.states = states.both(other.states)
        both.workers = workers.both(other.workers)
        both.failureCodes = failureCodes.both(other.failureCodes)
        both.created = created.both(other.created)
        both.heartbeat = heartbeat.both(other.heartbeat)
        return both
    }

    /// Refuses what a store cannot look for, in every store alike.
    package func check(operation: String) throws(PersistenceError) {
        try created.check(operation: operation)
        try heartbeat.check(operation: operation)
    }

    private func with(_ change: (inout JobExecutionFilter) -> Void) -> JobExecutionFilter {
        var copy = self
        change(&copy)
        return copy
    }
}
