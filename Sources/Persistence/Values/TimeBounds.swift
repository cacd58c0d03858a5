package import PersistenceCore

#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif

/// From a point in time to before another; `nil` is no bound.
package struct TimeBounds: Hashable, Sendable {
    package var from: Date?
    package var before: Date?

    package init(from: Date? = nil, before: Date? = nil) {
        self.from = from?.inMilliseconds
        self.before = before?.inMilliseconds
    }

    package func both(_ other: TimeBounds) -> TimeBounds {
        TimeBounds(
            from: [from, other.from].compactMap(\.self).max(),
            before: [before, other.before].compactMap(\.self).min())
    }

    package func contains(_ date: Date) -> Bool {
        if let from, date < from { return false }
        if let before, date >= before { return false }
        return true
    }

    /// Refuses bounds that cannot be compared in milliseconds.
    package func check(operation: String) throws(PersistenceError) {
        guard from?.isStorable ?? true, before?.isStorable ?? true else {
            throw PersistenceError(
                .invalidArgument, "a date is one that milliseconds cannot tell", operation: operation)
        }
    }
}
