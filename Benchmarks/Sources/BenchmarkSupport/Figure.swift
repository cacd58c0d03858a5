import Foundation

/// A measured number with its name, and its target where there is one.
package struct Figure: Sendable {
    package var name: String
    package var value: Double
    package var unit: String

    package var target: Target?

    package init(name: String, value: Double, unit: String, target: Target? = nil) {
        self.name = name
        self.value = value
        self.unit = unit
        self.target = target
    }

    package var isMet: Bool? { target?.isMet(by: value) }

    /// The target and whether it is met, for a table; empty without a target.
    package var verdict: String {
        guard let target, let isMet else { return "" }
        return "\(target.bound.rawValue) \(number(target.value, target.value < 10 ? 2 : 0)) \(isMet ? "met" : "MISSED")"
    }

    /// A line of its own.
    package var line: String {
        let padding = String(repeating: " ", count: max(1, 80 - name.count))
        return "\(name)\(padding)\(number(value, value < 1 ? 3 : value < 10 ? 2 : 0)) \(unit)   \(verdict)"
    }
}

package func number(_ value: Double, _ digits: Int) -> String {
    String(format: "%.\(digits)f", value)
}

/// The names of figures. Those of a comparison have three parts: the workload, the contender, and what was measured.
extension Figure {
    package static func throughput(_ comparison: String, _ contender: String) -> String {
        "\(comparison) · \(contender) · throughput of C"
    }

    package static func cpu(_ comparison: String, _ contender: String) -> String {
        "\(comparison) · \(contender) · CPU of C"
    }
}
