import CBaseline

/// The same loop as in C: an operation, the clock, the histogram.
struct Loop: Sendable {
    private var random: UInt64
    private let end: Double
    private let limit: Int
    private(set) var operations: UInt64 = 0
    private(set) var latencies = histogram()

    /// Runs until `end` on the benchmark's clock, or until so many operations are done.
    init(worker: Int, until end: Double, limit: Int = .max) {
        random = 0x9E37_79B9_7F4A_7C15 &* UInt64(worker)
        self.end = end
        self.limit = limit
    }

    mutating func run(_ operation: (Int64) async throws -> Void) async throws {
        var before = baseline_now()
        while before < end, operations < limit {
            try await operation(baseline_next(&random, Schema.rows))
            let now = baseline_now()
            histogram_record(&latencies, now - before)
            operations += 1
            before = now
        }
    }
}
