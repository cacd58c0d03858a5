import Foundation

/// A measured number with its name, and its target where there is one.
struct Figure: Sendable {
    var name: String
    var value: Double
    var unit: String

    var target: Target? { Targets.all[name] }
    var isMet: Bool? { target?.isMet(by: value) }

    /// The target and whether it is met, for a table; empty without a target.
    var verdict: String {
        guard let target, let isMet else { return "" }
        return "\(target.bound.rawValue) \(number(target.value, target.value < 10 ? 2 : 0)) \(isMet ? "met" : "MISSED")"
    }

    /// A line of its own.
    var line: String {
        let padding = String(repeating: " ", count: max(1, 80 - name.count))
        return "\(name)\(padding)\(number(value, value < 1 ? 3 : value < 10 ? 2 : 0)) \(unit)   \(verdict)"
    }
}

func number(_ value: Double, _ digits: Int) -> String {
    String(format: "%.\(digits)f", value)
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

    static let collectedTime = "rows · time for each of 1,000,000 rows of that for each of 1,000, collected"
    static let streamedTime = "rows · time for each of 1,000,000 rows of that for each of 1,000, streamed"
    static let streamedMemory = "rows · memory for 1,000,000 rows, streamed"
    static let crowdThroughput = "tasks · throughput with 10,000 tasks of that with 16"
    static let crowdFairness = "tasks · the slowest task of the median, at worst"
    static let parameterTime = "parameters · time for each of 65,535 of that for each of 1,000"
    static let preparedStatements = "statements · prepared on the server by a cache of 100"
}
