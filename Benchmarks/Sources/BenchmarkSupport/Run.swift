/// Measures comparisons, round by round, and keeps what was measured.
package struct Run {
    package let plan: Plan
    package var report: Report
    private var comparisons: [Comparison] = []

    package init(plan: Plan, report: Report) {
        self.plan = plan
        self.report = report
    }

    package var lines: [String] { report.lines(for: comparisons) }
    package var figures: [Figure] { report.figures(for: comparisons) }

    package mutating func measure(_ comparisons: [Comparison]) async throws {
        self.comparisons = comparisons
        if plan.warmsUp {
            for comparison in comparisons {
                progress("warming up: \(comparison.name)")
                _ = try await sampleAll(comparison, round: 1, seconds: 0.1)
            }
        }
        for round in 1...plan.rounds {
            for comparison in comparisons {
                progress("round \(round) of \(plan.rounds): \(comparison.name)")
                for (name, sample) in try await sampleAll(comparison, round: round, seconds: plan.seconds) {
                    report.add(sample, round: round, of: name, to: comparison.name)
                }
            }
        }
    }

    /// In turns, so that nobody always comes after the same neighbour.
    private func sampleAll(
        _ comparison: Comparison, round: Int, seconds: Double
    ) async throws -> [(String, Sample)] {
        var samples: [(String, Sample)] = []
        let contenders = comparison.contenders.filter { !$0.isPeer || plan.includesPeers(round) }
        for contender in contenders.rotated(by: round) {
            try comparison.tidy()
            do {
                samples.append((contender.name, try await contender.run(seconds)))
            } catch is Skipped {
                continue
            } catch {
                throw Failure(description: "\(comparison.name), \(contender.name): \(error)")
            }
        }
        return samples
    }
}

extension Array {
    func rotated(by count: Int) -> [Element] {
        isEmpty ? [] : Array(self[(count % self.count)...] + self[..<(count % self.count)])
    }
}
