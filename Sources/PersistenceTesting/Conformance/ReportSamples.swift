import Persistence
import PersistenceCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What has ended, and the figures that every implementation must make of it.
enum ReportSamples {
    struct End: Sendable {
        let at: Date
        let seconds: Double
        let status: ActivityStatus
        let failure: ExecutionFailure?
    }

    /// Midnight UTC of 2026-03-01.
    static let midnight = Date(timeIntervalSince1970: 1_772_323_200)

    /// Two days: on the first 100 successes that took 1 to 100 ms and 3 failures, on the second a cancellation and a
    /// failure.
    ///
    /// One millisecond before the first day, something that is outside.
    static func ends() throws -> [End] {
        let day = midnight
        var ends = (1...100).map {
            End(at: day + Double($0), seconds: Double($0) / 1000, status: .succeeded, failure: nil)
        }
        let codes = ["timeout", "quota", "timeout"]
        for (index, code) in codes.enumerated() {
            ends.append(
                End(
                    at: day + 80_000 + Double(index), seconds: 0, status: .failed,
                    failure: try ExecutionFailure(code: Label(code), message: "m\(index)")))
        }
        ends.append(End(at: day + 86_400, seconds: 10, status: .cancelled, failure: nil))
        ends.append(
            End(at: day + 100_000, seconds: 2, status: .failed, failure: try ExecutionFailure(code: Label("auth"))))
        ends.append(End(at: day - 0.001, seconds: 5, status: .succeeded, failure: nil))
        return ends.shuffled()
    }

    static func check(_ record: ([End]) async throws -> any ExecutionReports) async throws {
        let day = midnight
        let reports = try await record(ends())
        try expectEqual(
            try await reports.outcomesPerDay(in: day..<(day + 200_000)),
            [
                DailyOutcomes(day: day, counts: [.succeeded: 100, .failed: 3]),
                DailyOutcomes(day: day + 86_400, counts: [.cancelled: 1, .failed: 1]),
            ], "the outcomes per day")
        try expectEqual(
            try await reports.outcomesPerDay(in: (day - 1)..<day),
            [DailyOutcomes(day: day - 86_400, counts: [.succeeded: 1])], "the outcomes of the day before")
        try expectEqual(try await reports.outcomesPerDay(in: day..<day), [], "the outcomes of no time")

        let first = day..<(day + 70_000)
        try expectEqual(
            try await reports.latency(percentiles: [50, 95, 99, 99.9, 100, 0.001, 50], in: first),
            LatencyReport(
                count: 100,
                percentiles: [
                    50: .milliseconds(50), 95: .milliseconds(95), 99: .milliseconds(99), 99.9: .milliseconds(100),
                    100: .milliseconds(100), 0.001: .milliseconds(1),
                ]), "the latency")
        try expectEqual(
            try await reports.latency(percentiles: [], in: first), LatencyReport(count: 100, percentiles: [:]),
            "the latency without percentiles")
        try expectEqual(
            try await reports.latency(percentiles: [50], in: (day + 500_000)..<(day + 500_001)),
            LatencyReport(count: 0, percentiles: [:]), "the latency of nothing")

        let errors = try await reports.topErrors(limit: 10, in: .distantPast ..< .distantFuture)
        try expectEqual(
            errors,
            [
                ErrorCount(code: try Label("timeout"), count: 2, lastAt: day + 80_002),
                ErrorCount(code: try Label("auth"), count: 1, lastAt: day + 100_000),
                ErrorCount(code: try Label("quota"), count: 1, lastAt: day + 80_001),
            ], "the top errors")
        try expectEqual(
            try await reports.topErrors(limit: 1, in: day..<(day + 86_400)), [errors[0]], "the top error of a day")

        for percentiles in [[0], [100.1], [-1], [.nan], Array(repeating: 50.0, count: 11)] {
            var thrown: (any Error)?
            do { _ = try await reports.latency(percentiles: percentiles, in: first) } catch { thrown = error }
            try expectError(thrown, .invalidArgument, nil, "asking for percentiles out of range")
        }
        for limit in [0, -1, 1001] {
            var thrown: (any Error)?
            do { _ = try await reports.topErrors(limit: limit, in: first) } catch { thrown = error }
            try expectError(thrown, .invalidArgument, nil, "asking for \(limit) errors")
        }
    }
}
