import Foundation

/// The samples of all rounds, what follows from them, and the one table that they make.
struct Report {
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

    mutating func add(_ sample: Sample, round: Int, of contender: String, to comparison: String) {
        samples[comparison, default: [:]][contender, default: [:]][round] = sample
    }

    mutating func add(_ name: String, _ value: Double, _ unit: String) {
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

    func figures(for comparisons: [Comparison]) -> [Figure] {
        var figures: [Figure] = []
        for row in rows(for: comparisons) {
            let prefix = "\(row.comparison) · \(row.contender) · "
            func add(_ name: String, _ values: [Double], _ unit: String) {
                if !values.isEmpty { figures.append(Figure(name: prefix + name, value: median(values), unit: unit)) }
            }
            add("operations per second", row.samples.map(\.operationsPerSecond), "1/s")
            if !row.isBaseline { add("throughput of C", row.throughputOfC, "ratio") }
            add("p50", row.samples.compactMap(\.median), "s")
            add("p99", row.samples.compactMap(\.ninetyNinth), "s")
            add("CPU per operation", row.samples.map(\.cpuPerOperation), "s")
            if !row.isBaseline { add("CPU of C", row.cpuOfC, "ratio") }
        }
        return figures + derived() + others
    }

    /// What compares other pairs than a contender and C.
    private func derived() -> [Figure] {
        var figures: [Figure] = []
        func add(_ name: String, _ comparison: String, _ contender: String, of other: String) {
            guard let ours = samples[comparison]?[contender], let theirs = samples[comparison]?[other] else { return }
            let ratios = Self.ratios(ours, theirs, \.operationsPerSecond)
            figures.append(Figure(name: name, value: median(ratios), unit: "ratio"))
        }
        add(Figure.ofPsqlBinary, "W3", Name.copy, of: Name.psqlBinary)
        add(Figure.ofPsqlText, "W3", Name.copy, of: Name.psqlText)
        if let copies = samples["W3"]?[Name.copy] {
            figures.append(Figure(name: Figure.copyCPU, value: median(copies.values.map(\.cpuPerOperation)), unit: "s"))
        }
        add(Figure.traced, "W1×16", Name.traced, of: Name.executor)
        return figures
    }

    // MARK: The table

    func lines(for comparisons: [Comparison]) -> [String] {
        var lines = [
            line(["", "", "op/s", "of C", "target", "least–most", "p50 µs", "p99 µs", "CPU µs", "of C", "target"]),
            String(repeating: "-", count: 140),
        ]
        var last = ""
        for row in rows(for: comparisons) {
            let isFirst = row.comparison != last
            last = row.comparison
            let speed = Figure(
                name: Figure.throughput(row.comparison, row.contender), value: median(row.throughputOfC), unit: "")
            let cost = Figure(name: Figure.cpu(row.comparison, row.contender), value: median(row.cpuOfC), unit: "")
            let range = "\(number(row.throughputOfC.min() ?? 0, 2))–\(number(row.throughputOfC.max() ?? 0, 2))"
            lines.append(
                line([
                    isFirst ? row.comparison : "", row.contender,
                    number(median(row.samples.map(\.operationsPerSecond)), row.comparison.hasPrefix("W3") ? 2 : 0),
                    row.isBaseline ? "" : number(speed.value, 2), speed.verdict, row.isBaseline ? "" : range,
                    microseconds(row.samples.compactMap(\.median)), microseconds(row.samples.compactMap(\.ninetyNinth)),
                    number(median(row.samples.map(\.cpuPerOperation)) * 1e6, 1),
                    row.isBaseline ? "" : number(cost.value, 2), cost.verdict,
                ]))
        }
        return lines + [""] + (derived() + others).map(\.line)
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
