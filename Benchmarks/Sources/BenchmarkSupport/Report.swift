import Foundation

/// The samples of all rounds, what follows from them, and the one table that they make.
package struct Report {
    private struct Row {
        var comparison: String
        var contender: String
        var samples: [Sample]
        var isBaseline: Bool
        var throughputOfC: [Double]
        var cpuOfC: [Double]
    }

    /// By comparison, contender and round.
    private var samples: [String: [String: [Int: Sample]]] = [:]
    private var others: [Figure] = []
    private let targets: [String: Target]
    private let derived: @Sendable (Report) -> [Figure]

    /// - Parameters:
    ///   - targets: What the figures must reach, by their names.
    ///   - derived: Figures that compare other pairs than a contender and C.
    package init(
        targets: [String: Target], derived: @escaping @Sendable (Report) -> [Figure] = { _ in [] }
    ) {
        self.targets = targets
        self.derived = derived
    }

    package mutating func add(_ sample: Sample, round: Int, of contender: String, to comparison: String) {
        samples[comparison, default: [:]][contender, default: [:]][round] = sample
    }

    package mutating func add(_ name: String, _ value: Double, _ unit: String) {
        others.append(Figure(name: name, value: value, unit: unit))
    }

    // MARK: Figures

    /// Ratios are the medians of the ratios of each round, because what disturbs a machine disturbs neighbours in time
    /// alike; the medians of all numbers apart from each other would mix rounds.
    private func rows(for comparisons: [Comparison]) -> [Row] {
        comparisons.flatMap { comparison -> [Row] in
            guard let first = comparison.contenders.first, let contenders = samples[comparison.name],
                let baseline = contenders[first.name]
            else { return [] }
            return comparison.contenders.compactMap { contender in
                guard let all = contenders[contender.name], !all.isEmpty else { return nil }
                return Row(
                    comparison: comparison.name, contender: contender.name, samples: Array(all.values),
                    isBaseline: contender.name == first.name,
                    throughputOfC: Self.ratios(all, baseline, \.operationsPerSecond),
                    cpuOfC: Self.ratios(all, baseline, \.cpuPerOperation))
            }
        }
    }

    /// One for each round in which both ran.
    private static func ratios(
        _ samples: [Int: Sample], _ others: [Int: Sample], _ value: (Sample) -> Double
    ) -> [Double] {
        samples.compactMap { round, sample in others[round].map { value(sample) / value($0) } }
    }

    package func figures(for comparisons: [Comparison]) -> [Figure] {
        var figures: [Figure] = []
        for row in rows(for: comparisons) {
            let prefix = "\(row.comparison) · \(row.contender) · "
            func add(_ name: String, _ values: [Double], _ unit: String) {
                if !values.isEmpty { figures.append(figure(prefix + name, median(values), unit)) }
            }
            add("operations per second", row.samples.map(\.operationsPerSecond), "1/s")
            if !row.isBaseline { add("throughput of C", row.throughputOfC, "ratio") }
            add("p50", row.samples.compactMap(\.median), "s")
            add("p99", row.samples.compactMap(\.ninetyNinth), "s")
            add("CPU per operation", row.samples.map(\.cpuPerOperation), "s")
            if !row.isBaseline { add("CPU of C", row.cpuOfC, "ratio") }
        }
        return figures + further
    }

    /// The median, over the rounds, of a contender's throughput as a part of another's.
    package func throughput(_ comparison: String, _ contender: String, of other: String) -> Double? {
        guard let ours = samples[comparison]?[contender], let theirs = samples[comparison]?[other] else { return nil }
        return median(Self.ratios(ours, theirs, \.operationsPerSecond))
    }

    /// The median, over the rounds, of the processor time that a contender's operation takes.
    package func cpu(_ comparison: String, _ contender: String) -> Double? {
        samples[comparison]?[contender].map { median($0.values.map(\.cpuPerOperation)) }
    }

    private func figure(_ name: String, _ value: Double, _ unit: String) -> Figure {
        Figure(name: name, value: value, unit: unit, target: targets[name])
    }

    /// What compares other pairs than a contender and C, and what was added.
    private var further: [Figure] {
        (derived(self) + others).map { figure($0.name, $0.value, $0.unit) }
    }

    // MARK: The table

    package func lines(for comparisons: [Comparison]) -> [String] {
        var lines = [
            line(["", "", "op/s", "of C", "target", "least–most", "p50 µs", "p99 µs", "CPU µs", "of C", "target"]),
            String(repeating: "-", count: 140),
        ]
        var last = ""
        for row in rows(for: comparisons) {
            let isFirst = row.comparison != last
            last = row.comparison
            let speed = figure(Figure.throughput(row.comparison, row.contender), median(row.throughputOfC), "")
            let cost = figure(Figure.cpu(row.comparison, row.contender), median(row.cpuOfC), "")
            let rate = median(row.samples.map(\.operationsPerSecond))
            let range = "\(number(row.throughputOfC.min() ?? 0, 2))–\(number(row.throughputOfC.max() ?? 0, 2))"
            lines.append(
                line([
                    isFirst ? row.comparison : "", row.contender,
                    number(rate, rate < 100 ? 2 : 0),
                    row.isBaseline ? "" : number(speed.value, 2), speed.verdict, row.isBaseline ? "" : range,
                    microseconds(row.samples.compactMap(\.median)), microseconds(row.samples.compactMap(\.ninetyNinth)),
                    number(median(row.samples.map(\.cpuPerOperation)) * 1e6, 1),
                    row.isBaseline ? "" : number(cost.value, 2), cost.verdict,
                ]))
        }
        return lines + [""] + further.map(\.line)
    }

    private func microseconds(_ seconds: [Double]) -> String {
        seconds.isEmpty ? "" : number(median(seconds) * 1e6, 0)
    }

    private func line(_ fields: [String]) -> String {
        let widths = [16, 26, 8, 6, 14, 11, 8, 8, 9, 6, 14]
        return zip(fields, widths).enumerated().map { index, pair in
            let padding = String(repeating: " ", count: max(0, pair.1 - pair.0.count))
            return index < 2 ? pair.0 + padding : padding + pair.0
        }.joined(separator: " ")
    }
}
