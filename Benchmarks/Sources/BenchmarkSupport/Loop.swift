package import CMeasuring

/// The same loop as in C: an operation, the clock, the histogram.
package struct Loop: Sendable {
    private var random: UInt64
    private let rows: Int64
    private let end: Double
    private let limit: Int
    package private(set) var operations: UInt64 = 0
    package private(set) var latencies = histogram()

    /// Runs until `end` on the benchmark's clock, or until so many operations are done, each on one of so many rows.
    package init(worker: Int, rows: Int64, until end: Double, limit: Int = .max) {
        self.rows = rows
        random = 0x9E37_79B9_7F4A_7C15 &* UInt64(worker)
        self.end = end
        self.limit = limit
    }

    package mutating func run(_ operation: (Int64) async throws -> Void) async throws {
        var before = baseline_now()
        while before < end, operations < limit {
            try await operation(baseline_next(&random, rows))
            let now = baseline_now()
            histogram_record(&latencies, now - before)
            operations += 1
            before = now
        }
    }
}
