package import CMeasuring

/// What one run of a workload measured.
package struct Sample: Sendable {
    package var operationsPerSecond: Double
    /// Seconds; `nil` when the contender does not tell.
    package var median: Double?
    /// Seconds; `nil` when the contender does not tell.
    package var ninetyNinth: Double?
    /// Seconds of the client's processor time per operation, user and system.
    package var cpuPerOperation: Double

    package init(operations: UInt64, wall: Double, cpu: Double, latencies: histogram) {
        operationsPerSecond = Double(operations) / wall
        cpuPerOperation = cpu / Double(max(operations, 1))
        (median, ninetyNinth) = withUnsafePointer(to: latencies) {
            (histogram_percentile($0, 50), histogram_percentile($0, 99))
        }
    }

    package init(operationsPerSecond: Double, median: Double?, ninetyNinth: Double?, cpuPerOperation: Double) {
        self.operationsPerSecond = operationsPerSecond
        self.median = median
        self.ninetyNinth = ninetyNinth
        self.cpuPerOperation = cpuPerOperation
    }

    package init(_ result: baseline_result) {
        self.init(
            operations: result.operations, wall: result.wall_seconds, cpu: result.cpu_seconds,
            latencies: result.latencies)
    }
}

package struct Failure: Error, CustomStringConvertible {
    package var description: String

    package init(description: String) {
        self.description = description
    }
}

/// A C array of characters, as far as its terminator.
package func text<T>(of field: T) -> String {
    withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}

package func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    if sorted.isEmpty { return 0 }
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
