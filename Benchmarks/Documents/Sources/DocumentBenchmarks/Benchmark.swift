/// One piece of work in two forms, which must come to the same result.
struct Benchmark {
    let name: String
    let baseline: (Int) -> UInt64
    let swift: (Int) throws -> UInt64

    init(_ name: String, baseline: @escaping (Int) -> UInt64, swift: @escaping (Int) throws -> UInt64) {
        self.name = name
        self.baseline = baseline
        self.swift = swift
    }

    /// Runs both in turns, and prints the medians in nanoseconds and their ratio.
    func run(rounds: Int) {
        let count = 20_000
        var times: (baseline: [Double], swift: [Double]) = ([], [])
        do {
            // The first round warms caches and is not counted.
            for round in 0...rounds {
                let begin = ContinuousClock.now
                let expected = baseline(count)
                let middle = ContinuousClock.now
                let result = try swift(count)
                let end = ContinuousClock.now
                guard expected > 0, result > 0 else { return print("\(name): no result") }
                guard round > 0 else { continue }
                times.baseline.append(Self.nanoseconds(middle - begin) / Double(count))
                times.swift.append(Self.nanoseconds(end - middle) / Double(count))
            }
        } catch {
            return print("\(name): \(error)")
        }
        let baseline = times.baseline.sorted()[rounds / 2]
        let swift = times.swift.sorted()[rounds / 2]
        print(
            Self.padded(name, 22, atStart: false), Self.padded(Self.rounded(baseline, 1), 7),
            Self.padded(Self.rounded(swift, 1), 10), Self.padded(Self.rounded(swift / baseline, 2), 7))
    }

    private static func nanoseconds(_ duration: Duration) -> Double {
        let (seconds, attoseconds) = duration.components
        return Double(seconds) * 1e9 + Double(attoseconds) / 1e9
    }

    private static func rounded(_ number: Double, _ decimals: Int) -> String {
        let factor = decimals == 1 ? 10.0 : 100.0
        return String((number * factor).rounded() / factor)
    }

    private static func padded(_ text: String, _ width: Int, atStart: Bool = true) -> String {
        let padding = String(repeating: " ", count: max(0, width - text.count))
        return atStart ? padding + text : text + padding
    }
}
