import BenchmarkSupport

/// How a cost grows with something.
struct Curve: Codable, Sendable {
    struct Axis: Codable, Sendable {
        var label: String
        var isLogarithmic = true
    }

    struct Series: Codable, Sendable {
        var name: String
        /// Pairs of x and y.
        var points: [[Double]] = []

        init(_ name: String) {
            self.name = name
        }

        mutating func add(_ x: Double, _ y: Double) {
            points.append([x, Results.rounded(y)])
        }

        /// The y of the point at `x`.
        func value(at x: Double) throws -> Double {
            guard let point = points.first(where: { $0[0] == x }) else {
                throw Failure(description: "\(name) has no point at \(x)")
            }
            return point[1]
        }
    }

    /// Names the plot's file, too.
    var id: String
    var title: String
    var x: Axis
    var y: Axis
    var series: [Series]
    /// What a line cannot show, such as where something is refused.
    var notes: [String] = []
}
