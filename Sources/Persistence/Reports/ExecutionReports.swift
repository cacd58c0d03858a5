public import PersistenceCore

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// Figures about what has ended, by when it ended.
public protocol ExecutionReports {
    /// Counts what ended on each day, by outcome.
    ///
    /// - Parameter period: When it ended.
    /// - Returns: The days on which something ended, in order; days begin at midnight UTC.
    func outcomesPerDay(in period: Range<Date>) async throws(PersistenceError) -> [DailyOutcomes]

    /// Finds how long what ended took.
    ///
    /// - Parameters:
    ///   - percentiles: Which percentiles: at most ten numbers above 0 and up to 100.
    ///   - period: When it ended.
    /// - Returns: The percentiles by nearest rank: exact, and each a duration that occurred.
    /// - Throws: `PersistenceError` with the code `invalidArgument` when a percentile is out of range or there are more
    ///   than ten.
    func latency(
        percentiles: [Double], in period: Range<Date>
    ) async throws(PersistenceError) -> LatencyReport

    /// Counts failures by code.
    ///
    /// - Parameters:
    ///   - limit: How many codes come back: from 1 to 1,000.
    ///   - period: When it ended.
    /// - Returns: The codes with the most failures, of equal counts in the order of the codes.
    /// - Throws: `PersistenceError` with the code `invalidArgument` when the limit is out of range.
    func topErrors(limit: Int, in period: Range<Date>) async throws(PersistenceError) -> [ErrorCount]
}

/// How many ended on one day.
public struct DailyOutcomes: Hashable, Sendable {
    /// The day's beginning, midnight UTC.
    public let day: Date

    /// How many ended, by outcome; an outcome that did not occur is missing.
    public let counts: [ExecutionOutcome: Int]

    /// Creates the value; repositories do.
    ///
    /// - Parameters:
    ///   - day: The day's beginning, midnight UTC.
    ///   - counts: How many ended, by outcome.
    public init(day: Date, counts: [ExecutionOutcome: Int]) {
        self.day = day
        self.counts = counts
    }

    /// How many ended in one way.
    ///
    /// - Parameter outcome: The way.
    public subscript(outcome: ExecutionOutcome) -> Int { counts[outcome] ?? 0 }

    /// How many ended.
    public var total: Int { counts.values.reduce(0, +) }
}

/// How long what ended took.
public struct LatencyReport: Hashable, Sendable {
    /// How many ended that have both a beginning and an end.
    public let count: Int

    /// The durations by percentile; empty when nothing ended.
    public let percentiles: [Double: Duration]

    /// Creates the value; repositories do.
    ///
    /// - Parameters:
    ///   - count: How many ended that have both a beginning and an end.
    ///   - percentiles: The durations by percentile.
    public init(count: Int, percentiles: [Double: Duration]) {
        self.count = count
        self.percentiles = percentiles
    }
}

/// How often one failure occurred.
public struct ErrorCount: Hashable, Sendable {
    /// The failure's code.
    public let code: Label

    /// How often it occurred.
    public let count: Int

    /// When it occurred last.
    public let lastAt: Date

    /// Creates the value; repositories do.
    ///
    /// - Parameters:
    ///   - code: The failure's code.
    ///   - count: How often it occurred.
    ///   - lastAt: When it occurred last.
    public init(code: Label, count: Int, lastAt: Date) {
        self.code = code
        self.count = count
        self.lastAt = lastAt
    }
}
