import Foundation

/// The samples of all rounds, and the one table that they make.
struct Report {
    private var samples: [Case: [Contender: [Sample]]] = [:]

    mutating func add(_ sample: Sample, of contender: Contender, to test: Case) {
        samples[test, default: [:]][contender, default: []].append(sample)
    }

    /// Ratios are the medians of the ratios of each round, because what disturbs a machine disturbs neighbours in time
    /// alike; the medians of all numbers apart from each other would mix rounds.
    func lines(for cases: [Case]) -> [String] {
        var lines = [
            row("", "", "op/s", "of C", "least–most", "p50 µs", "p99 µs", "CPU µs/op", "of C"),
            String(repeating: "-", count: 104),
        ]
        for test in cases {
            guard let contenders = samples[test], let baseline = contenders[.baseline] else { continue }
            for contender in Contender.allCases {
                guard let all = contenders[contender], !all.isEmpty else { continue }
                let speeds = zip(all, baseline).map { $0.operationsPerSecond / $1.operationsPerSecond }
                let costs = zip(all, baseline).map { $0.cpuPerOperation / $1.cpuPerOperation }
                let isBaseline = contender == .baseline
                lines.append(
                    row(
                        isBaseline ? test.description : "", contender.rawValue,
                        number(median(all.map(\.operationsPerSecond)), 0),
                        isBaseline ? "" : number(median(speeds), 2),
                        isBaseline ? "" : "\(number(speeds.min() ?? 0, 2))–\(number(speeds.max() ?? 0, 2))",
                        number(median(all.map(\.median)) * 1e6, 0),
                        number(median(all.map(\.ninetyNinth)) * 1e6, 0),
                        number(median(all.map(\.cpuPerOperation)) * 1e6, 1),
                        isBaseline ? "" : number(median(costs), 2)))
            }
        }
        return lines
    }

    private func row(_ fields: String...) -> String {
        let widths = [7, 27, 9, 7, 12, 8, 8, 11, 7]
        return zip(fields, widths).enumerated().map { index, pair in
            let padding = String(repeating: " ", count: max(0, pair.1 - pair.0.count))
            return index < 2 ? pair.0 + padding : padding + pair.0
        }.joined(separator: " ")
    }

    private func number(_ value: Double, _ digits: Int) -> String {
        String(format: "%.\(digits)f", value)
    }
}

func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    if sorted.isEmpty { return 0 }
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
