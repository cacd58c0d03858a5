import PersistenceCore
import PersistenceTesting
import PostgresEngine

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What a run has brought.
struct SoakReport: Sendable {
    var seed: UInt64 = 0
    var elapsed = Duration.zero
    var faults: [Fault: Int] = [:]
    var recoveries: [(fault: Fault, took: Duration)] = []
    var counts = Load.Counts()
    var acknowledged = 0
    var failed = 0
    var unknown = 0
    var unknownDone = 0
    var audits = 0
    var poolerCrashes = 0
    var atStart: ProcessResources?
    var atEnd: ProcessResources?
    var pools: [(name: String, statistics: PostgresPoolStatistics)] = []
    var violations: [String] = []

    /// Every figure by its name, as numbers.
    var figures: [(name: String, value: Double)] {
        var list: [(String, Double)] = [
            ("soak.minutes", (elapsed / .seconds(60)).rounded(to: 10)), ("soak.seed", Double(seed)),
            ("soak.violations", Double(violations.count)), ("soak.audits", Double(audits)),
            ("soak.operations", Double(counts.operations)), ("soak.writes", Double(counts.writes)),
            ("soak.acknowledged", Double(acknowledged)), ("soak.failed", Double(failed)),
            ("soak.unknown", Double(unknown)), ("soak.unknown.done", Double(unknownDone)),
            ("soak.operation.longest.ms", milliseconds(counts.longest)),
            ("soak.pooler.crashes", Double(poolerCrashes)),
            ("soak.faults", Double(faults.values.reduce(0, +))),
        ]
        for fault in Fault.allCases {
            guard let count = faults[fault] else { continue }
            let times = recoveries.filter { $0.fault == fault }.map(\.took).sorted()
            list.append(("soak.faults.\(fault.rawValue)", Double(count)))
            list.append(("soak.recovery.\(fault.rawValue).p50.ms", milliseconds(median(of: times))))
            list.append(("soak.recovery.\(fault.rawValue).max.ms", milliseconds(times.last ?? .zero)))
        }
        let times = recoveries.map(\.took).sorted()
        list.append(("soak.recovery.p50.ms", milliseconds(median(of: times))))
        list.append(("soak.recovery.max.ms", milliseconds(times.last ?? .zero)))
        for (code, count) in counts.codes.sorted(by: { "\($0.key)" < "\($1.key)" }) {
            list.append(("soak.errors.\(code)", Double(count)))
        }
        for (moment, resources) in [("start", atStart), ("end", atEnd)] {
            guard let resources else { continue }
            list.append(("soak.memory.\(moment).mb", Double(resources.residentBytes >> 20)))
            list.append(("soak.descriptors.\(moment)", Double(resources.descriptors)))
            list.append(("soak.threads.\(moment)", Double(resources.threads)))
        }
        for (name, statistics) in pools {
            list.append(("soak.pool.\(name).requests", Double(statistics.requests)))
            list.append(("soak.pool.\(name).acquires", Double(statistics.acquires)))
            list.append(("soak.pool.\(name).opened", Double(statistics.newConnections)))
            list.append(("soak.pool.\(name).failed-to-open", Double(statistics.failedConnects)))
            list.append(("soak.pool.\(name).discarded", Double(statistics.discards)))
            list.append(("soak.pool.\(name).found-dead", Double(statistics.failedLivenessTests)))
            list.append(("soak.pool.\(name).timed-out", Double(statistics.timedOutAcquires)))
            list.append(("soak.pool.\(name).cancelled", Double(statistics.cancelledAcquires)))
        }
        return list.map { (name: $0.0, value: $0.1) }
    }

    var text: String {
        var lines = [
            "", "Fault                 times   recovery p50      max",
        ]
        for fault in Fault.allCases {
            guard let count = faults[fault] else { continue }
            let times = recoveries.filter { $0.fault == fault }.map(\.took).sorted()
            lines.append(
                pad(fault.rawValue, 20) + pad(left: "\(count)", 7) + pad(left: time(median(of: times)), 15)
                    + pad(left: time(times.last ?? .zero), 9))
        }
        let shown = figures.filter { !$0.name.hasPrefix("soak.faults.") && !$0.name.hasPrefix("soak.recovery.") }
        lines.append("")
        for (name, value) in shown { lines.append(pad(String(name.dropFirst(5)), 32) + pad(left: number(value), 12)) }
        let times = recoveries.map(\.took).sorted()
        lines.append(
            pad("recovery", 32)
                + pad(left: "p50 \(time(median(of: times))), max \(time(times.last ?? .zero))", 12))
        lines.append("")
        lines.append(
            violations.isEmpty
                ? "Nothing lost, nothing leaked, nothing hung, and every caller was told the truth."
                : "\(violations.count) VIOLATIONS:")
        return (lines + violations).joined(separator: "\n")
    }

    var json: String {
        let entries = figures.map { "  {\"name\": \"\($0.name)\", \"value\": \(number($0.value))}" }
        return "[\n" + entries.joined(separator: ",\n") + "\n]\n"
    }

    private func median(of sorted: [Duration]) -> Duration {
        sorted.isEmpty ? .zero : sorted[sorted.count / 2]
    }

    private func milliseconds(_ duration: Duration) -> Double { (duration / .milliseconds(1)).rounded(to: 10) }

    private func time(_ duration: Duration) -> String { "\(Int(duration / .milliseconds(1))) ms" }

    private func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
    }

    private func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }

    private func pad(left text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(1, width - text.count)) + text
    }
}

extension Double {
    fileprivate func rounded(to parts: Double) -> Double { (self * parts).rounded() / parts }
}
