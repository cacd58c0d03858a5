import BenchmarkSupport

/// The names of the figures that belong to no contender's row.
extension Figure {
    static let ofPsqlBinary = "W3 · binary COPY · throughput of psql \\copy, binary"
    static let ofPsqlText = "W3 · binary COPY · throughput of psql \\copy, text"
    static let copyCPU = "W3 · binary COPY · CPU per 100,000 rows"
    static let traced = "W1×16 · traced and metered · throughput of untraced"
    static let pool = "pool · acquire and release, on the executor"
    static let poolGlobal = "pool · acquire and release, from the global pool"
    static let decoding = "decoding · a row of 8 columns"
    static let decodingInC = "decoding · a row of 8 columns, in C"
    static let rowAllocations = "allocations · decoding a row"
    static let rowAllocationsInC = "allocations · decoding a row, in C"
    static let operationAllocations = "allocations · a W1 operation"
    static let operationAllocationsInC = "allocations · a W1 operation, in C"

    static let collectedTime = "rows · time for each of 1,000,000 rows of that for each of 1,000, collected"
    static let streamedTime = "rows · time for each of 1,000,000 rows of that for each of 1,000, streamed"
    static let streamedMemory = "rows · memory for 1,000,000 rows, streamed"
    static let crowdThroughput = "tasks · throughput with 10,000 tasks of that with 16"
    static let crowdFairness = "tasks · the slowest task of the median, at worst"
    static let parameterTime = "parameters · time for each of 65,535 of that for each of 1,000"
    static let preparedStatements = "statements · prepared on the server by a cache of 100"
}

extension Figure {
    /// What compares other pairs than a contender and C.
    static func derived(from report: Report) -> [Figure] {
        var figures: [Figure] = []
        func add(_ name: String, _ value: Double?, _ unit: String) {
            if let value { figures.append(Figure(name: name, value: value, unit: unit)) }
        }
        add(ofPsqlBinary, report.throughput("W3", Name.copy, of: Name.psqlBinary), "ratio")
        add(ofPsqlText, report.throughput("W3", Name.copy, of: Name.psqlText), "ratio")
        add(copyCPU, report.cpu("W3", Name.copy), "s")
        add(traced, report.throughput("W1×16", Name.traced, of: Name.executor), "ratio")
        return figures
    }
}
