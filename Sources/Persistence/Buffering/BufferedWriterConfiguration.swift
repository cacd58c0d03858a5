public import PersistenceCore

/// The bounds of a ``BufferedWriter``.
public struct BufferedWriterConfiguration: Hashable, Sendable {
    /// How many items are written at once at most.
    public let maximumBatchCount: Int

    /// How many bytes are written at once at most; one item that is larger is written alone.
    public let maximumBatchSize: Int

    /// How long an item waits for others at most before it is written.
    public let maximumDelay: Duration

    /// How many items are held at most, those being written included.
    public let maximumBufferedCount: Int

    /// How many bytes are held at most, those being written included; also the size of the largest item.
    public let maximumBufferedSize: Int

    /// Creates bounds.
    ///
    /// - Parameters:
    ///   - maximumBatchCount: How many items are written at once at most: from 1 to ``Batch/maximumCount``.
    ///   - maximumBatchSize: How many bytes are written at once at most: at least 1.
    ///   - maximumDelay: How long an item waits for others at most: from 0 to an hour.
    ///   - maximumBufferedCount: How many items are held at most: at least `maximumBatchCount`.
    ///   - maximumBufferedSize: How many bytes are held at most: at least `maximumBatchSize`.
    /// - Throws: `PersistenceError` with the code `configuration`, naming every bound that is out of its range.
    public init(
        maximumBatchCount: Int = 500, maximumBatchSize: Int = 1 << 20, maximumDelay: Duration = .milliseconds(200),
        maximumBufferedCount: Int = 10_000, maximumBufferedSize: Int = 64 << 20
    ) throws(PersistenceError) {
        var faults: [String] = []
        if !(1...Batch.maximumCount).contains(maximumBatchCount) {
            faults.append("maximumBatchCount is not from 1 to \(Batch.maximumCount)")
        }
        if maximumBatchSize < 1 { faults.append("maximumBatchSize is not positive") }
        if maximumDelay < .zero || maximumDelay > .seconds(3600) {
            faults.append("maximumDelay is not from 0 to 3600 seconds")
        }
        if maximumBufferedCount < maximumBatchCount {
            faults.append("maximumBufferedCount is less than maximumBatchCount")
        }
        if maximumBufferedSize < maximumBatchSize {
            faults.append("maximumBufferedSize is less than maximumBatchSize")
        }
        guard faults.isEmpty else {
            throw PersistenceError(.configuration, faults.joined(separator: "; "), operation: "BufferedWriter")
        }
        self.init(
            checkedBatchCount: maximumBatchCount, maximumBatchSize: maximumBatchSize, maximumDelay: maximumDelay,
            maximumBufferedCount: maximumBufferedCount, maximumBufferedSize: maximumBufferedSize)
    }

    private init(
        checkedBatchCount: Int, maximumBatchSize: Int, maximumDelay: Duration, maximumBufferedCount: Int,
        maximumBufferedSize: Int
    ) {
        self.maximumBatchCount = checkedBatchCount
        self.maximumBatchSize = maximumBatchSize
        self.maximumDelay = maximumDelay
        self.maximumBufferedCount = maximumBufferedCount
        self.maximumBufferedSize = maximumBufferedSize
    }

    /// Batches of 500 items or 1 MiB, after 200 ms at the latest; 10,000 items or 64 MiB held.
    public static let standard = BufferedWriterConfiguration(
        checkedBatchCount: 500, maximumBatchSize: 1 << 20, maximumDelay: .milliseconds(200),
        maximumBufferedCount: 10_000, maximumBufferedSize: 64 << 20)
}
