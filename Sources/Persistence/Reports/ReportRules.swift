package import PersistenceCore

#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif

/// What the figures of every implementation have in common.
package enum ReportRules {
    /// The place of a percentile in a sorted list, by nearest rank: the smallest place with at least that share of the
    /// list at or before it.
    ///
    /// - Parameters:
    ///   - percentile: Above 0 and up to 100.
    ///   - count: How long the list is, at least 1.
    /// - Returns: The index, from 0.
    package static func index(of percentile: Double, count: Int) -> Int {
        // Of the two roundings the division is the exact one for whole percentages, so that 29 of 100 is the 29th.
        let rank = (percentile * Double(count) / 100).rounded(.up)
        return min(max(Int(rank), 1), count) - 1
    }

    package static func check(percentiles: [Double], operation: String) throws(PersistenceError) {
        guard percentiles.count <= 10, percentiles.allSatisfy({ $0 > 0 && $0 <= 100 }) else {
            throw PersistenceError(
                .invalidArgument, "percentiles are at most ten numbers above 0 and up to 100", operation: operation)
        }
    }

    package static func check(limit: Int, operation: String) throws(PersistenceError) {
        guard (1...1000).contains(limit) else {
            throw PersistenceError(
                .invalidArgument, "the number of errors must be from 1 to 1000", operation: operation)
        }
    }

    /// The period in milliseconds, cut to what a store can compare with.
    package static func milliseconds(of period: Range<Date>) -> Range<Int64> {
        let lower = clamped(period.lowerBound)
        return lower..<max(lower, clamped(period.upperBound))
    }

    private static func clamped(_ date: Date) -> Int64 {
        guard !date.isStorable else { return date.milliseconds }
        return date.timeIntervalSince1970 < 0 ? -9_007_199_254_740_991 : 9_007_199_254_740_991
    }

    /// Midnight UTC of the day that a point in time is on.
    package static func day(ofMilliseconds milliseconds: Int64) -> Int64 {
        let length: Int64 = 86_400_000
        let into = milliseconds % length
        return milliseconds - (into < 0 ? into + length : into)
    }
}
