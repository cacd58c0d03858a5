import Persistence
import PersistenceCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What reports look at: one thing that has ended.
struct EndedExecution {
    let endedAt: Date
    let outcome: ExecutionOutcome
    let duration: Duration?
    let failure: ExecutionFailure?
}

extension [EndedExecution] {
    func ended(in period: Range<Date>) -> [EndedExecution] {
        let bounds = ReportRules.milliseconds(of: period)
        return filter { bounds.contains($0.endedAt.milliseconds) }
    }

    func perDay() -> [DailyOutcomes] {
        let days = Dictionary(grouping: self) { ReportRules.day(ofMilliseconds: $0.endedAt.milliseconds) }
        return days.sorted { $0.key < $1.key }.map { day, ended in
            DailyOutcomes(
                day: Date(milliseconds: day), counts: Dictionary(grouping: ended, by: \.outcome).mapValues(\.count))
        }
    }

    func latency(_ percentiles: [Double]) -> LatencyReport {
        let durations = compactMap(\.duration).sorted()
        guard !durations.isEmpty else { return LatencyReport(count: 0, percentiles: [:]) }
        let pairs = percentiles.map { ($0, durations[ReportRules.index(of: $0, count: durations.count)]) }
        return LatencyReport(
            count: durations.count, percentiles: Dictionary(pairs) { first, _ in first })
    }

    func topErrors(_ limit: Int) -> [ErrorCount] {
        let failures = filter { $0.outcome == .failed && $0.failure != nil }
        let byCode = Dictionary(grouping: failures) { $0.failure?.code }
        let counts = byCode.compactMap { code, ended -> ErrorCount? in
            guard let code, let last = ended.map(\.endedAt).max() else { return nil }
            return ErrorCount(code: code, count: ended.count, lastAt: last)
        }
        return [ErrorCount](counts.sorted { ($1.count, $0.code) < ($0.count, $1.code) }.prefix(limit))
    }
}

extension ActivityMetadata {
    var ended: EndedExecution? {
        guard let outcome = status.outcome, let endedAt else { return nil }
        return EndedExecution(endedAt: endedAt, outcome: outcome, duration: duration, failure: failure)
    }
}

extension JobExecution {
    var ended: EndedExecution? {
        guard let outcome = state.outcome, let finishedAt else { return nil }
        return EndedExecution(endedAt: finishedAt, outcome: outcome, duration: duration, failure: failure)
    }
}
