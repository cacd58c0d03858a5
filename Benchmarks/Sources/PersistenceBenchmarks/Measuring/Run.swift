/// Measures comparisons, round by round, and keeps what was measured.
struct Run {
    let plan: Plan
    private(set) var report = Report()
    private var comparisons: [Comparison] = []

    init(plan: Plan) {
        self.plan = plan
    }

    var lines: [String] { report.lines(for: comparisons) }
    var figures: [Figure] { report.figures(for: comparisons) }

    mutating func measure(_ comparisons: [Comparison]) async throws {
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

    mutating func measureMicro(url: String) async throws {
        progress("pool, decoding, allocations")
        let micro = Micro(url: url, seconds: max(plan.seconds, 0.5))
        report.add(Figure.pool, try await micro.pool(onExecutor: true), "ns")
        report.add(Figure.poolGlobal, try await micro.pool(onExecutor: false), "ns")
        let decoding = try await micro.decoding()
        report.add(Figure.decoding, decoding.engine, "ns")
        report.add(Figure.decodingInC, decoding.c, "ns")
        if let counted = try Allocations.counted(url: url) {
            report.add(Figure.operationAllocations, counted.operation, "blocks")
            report.add(Figure.operationAllocationsInC, counted.operationInC, "blocks")
            report.add(Figure.rowAllocations, counted.row, "blocks")
            report.add(Figure.rowAllocationsInC, counted.rowInC, "blocks")
        }
    }
}

extension Array {
    func rotated(by count: Int) -> [Element] {
        isEmpty ? [] : Array(self[(count % self.count)...] + self[..<(count % self.count)])
    }
}
