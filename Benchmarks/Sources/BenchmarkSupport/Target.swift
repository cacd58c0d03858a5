/// What a figure must reach.
package struct Target: Sendable {
    package enum Bound: String, Sendable {
        case atLeast = "≥"
        case atMost = "≤"
    }

    package var bound: Bound
    package var value: Double

    package static func atLeast(_ value: Double) -> Target { Target(bound: .atLeast, value: value) }
    package static func atMost(_ value: Double) -> Target { Target(bound: .atMost, value: value) }

    package func isMet(by figure: Double) -> Bool {
        bound == .atLeast ? figure >= value : figure <= value
    }
}
