/// A measured number with its name, and its target where there is one.
struct Figure: Sendable {
    var name: String
    var value: Double
    var unit: String

    var target: Target? { Targets.all[name] }
    var isMet: Bool? { target?.isMet(by: value) }
}

/// The names of figures. Those of a comparison have three parts: the workload, the contender, and what was measured.
extension Figure {
    static func throughput(_ comparison: String, _ contender: String) -> String {
        "\(comparison) · \(contender) · throughput of C"
    }

    static func cpu(_ comparison: String, _ contender: String) -> String {
        "\(comparison) · \(contender) · CPU of C"
    }

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
}
