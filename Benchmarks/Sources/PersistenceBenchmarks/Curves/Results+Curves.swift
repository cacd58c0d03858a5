import BenchmarkSupport

extension Results {
    /// What `--curves` writes.
    private struct Grown: Encodable {
        var curves: [Curve]
        var results: [Entry]
    }

    static func write(_ figures: [Figure], _ curves: [Curve], to file: String) throws {
        try write(Grown(curves: curves, results: figures.map(entry)), to: file)
    }
}
