/// How many rows to fetch at once, learnt from the size of the rows that have come.
struct ChunkSize {
    /// What a chunk should occupy in memory, in bytes.
    static let target = 256 << 10
    /// Few, because nothing is known of the rows yet.
    static let first = 32
    private static let maximum = 1 << 20

    /// How many rows to ask for.
    private(set) var rows = first

    /// Learns from a chunk that has come.
    ///
    /// - Parameters:
    ///   - count: How many rows it has.
    ///   - bytes: What they occupy.
    mutating func learn(rows count: Int, bytes: Int) {
        guard count > 0 else { return }
        let fitting = Self.target / max(bytes / count, 1)
        // Later rows can be larger than those seen so far, so the number grows in steps; it shrinks at once.
        rows = max(1, min(fitting, rows * 8, Self.maximum))
    }
}
