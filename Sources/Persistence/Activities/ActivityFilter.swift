package import PersistenceCore

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// Which activities a query is about.
///
/// ```swift
/// let slow = ActivityFilter.status(.failed).and(.kind(summarise)).and(.payload("model", equals: "m-1"))
/// ```
public struct ActivityFilter: Hashable, Sendable {
    package struct PayloadCondition: Hashable, Sendable {
        package let path: PayloadPath
        package let value: PayloadValue
    }

    package private(set) var statuses: Set<ActivityStatus>?
    package private(set) var kinds: Set<Label>?
    package private(set) var failureCodes: Set<Label>?
    package private(set) var time = TimeBounds()
    package private(set) var payload: [PayloadCondition] = []

    private init() {}

    /// All of them.
    public static let all = ActivityFilter()

    /// Those that have come so far.
    ///
    /// - Parameter statuses: One of these.
    /// - Returns: The filter.
    public static func status(_ statuses: ActivityStatus...) -> ActivityFilter {
        all.with { $0.statuses = Set(statuses) }
    }

    /// Those of some kinds.
    ///
    /// - Parameter kinds: One of these.
    /// - Returns: The filter.
    public static func kind(_ kinds: Label...) -> ActivityFilter {
        all.with { $0.kinds = Set(kinds) }
    }

    /// Those that failed in some ways.
    ///
    /// - Parameter codes: One of these.
    /// - Returns: The filter.
    public static func failure(_ codes: Label...) -> ActivityFilter {
        all.with { $0.failureCodes = Set(codes) }
    }

    /// Those that happened at or after a point in time.
    ///
    /// - Parameter date: The point in time, compared to the millisecond.
    /// - Returns: The filter.
    public static func occurred(from date: Date) -> ActivityFilter {
        all.with { $0.time = TimeBounds(from: date) }
    }

    /// Those that happened before a point in time.
    ///
    /// - Parameter date: The point in time, compared to the millisecond.
    /// - Returns: The filter.
    public static func occurred(before date: Date) -> ActivityFilter {
        all.with { $0.time = TimeBounds(before: date) }
    }

    /// Those whose payload has a value in a field, or in a list in that field.
    ///
    /// A path goes on through lists of objects. Whole numbers and floating-point numbers of one value are equal.
    ///
    /// - Parameters:
    ///   - path: The field.
    ///   - value: The value: a truth value, a number, a text, a date or bytes. Other kinds are refused by the query with
    ///     `invalidArgument`, because databases differ about what they are equal to: name the path to a field inside.
    /// - Returns: The filter.
    public static func payload(_ path: PayloadPath, equals value: PayloadValue) -> ActivityFilter {
        all.with { $0.payload = [PayloadCondition(path: path, value: value)] }
    }

    /// Those that this filter and another want.
    ///
    /// - Parameter other: The other filter.
    /// - Returns: The filter.
    public func and(_ other: ActivityFilter) -> ActivityFilter {
        var both = self
        both.statuses = statuses.both(other.statuses)
        both.kinds = kinds.both(other.kinds)
        both.failureCodes = failureCodes.both(other.failureCodes)
        both.time = time.both(other.time)
        both.payload += other.payload
        return both
    }

    /// Refuses what a store cannot look for, in every store alike.
    package func check(operation: String) throws(PersistenceError) {
        for condition in payload {
            try condition.path.check(operation: operation)
            switch condition.value {
            case .bool, .integer, .text, .bytes: break
            case .double(let number) where number.isFinite: break
            case .date(let date) where date.isStorable: break
            default:
                throw PersistenceError(
                    .invalidArgument, "a payload cannot be looked for by this kind of value", operation: operation)
            }
        }
        try time.check(operation: operation)
    }

    private func with(_ change: (inout ActivityFilter) -> Void) -> ActivityFilter {
        var copy = self
        change(&copy)
        return copy
    }
}

extension Optional {
    /// What both allow; `nil` allows all.
    func both<Element>(_ other: Set<Element>?) -> Set<Element>? where Wrapped == Set<Element> {
        guard let self else { return other }
        return other.map { self.intersection($0) } ?? self
    }
}
