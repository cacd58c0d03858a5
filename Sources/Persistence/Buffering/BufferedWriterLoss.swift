public import PersistenceCore

/// Items that a ``BufferedWriter`` had accepted and could not write.
public struct BufferedWriterLoss<Item: Sendable>: Sendable {
    /// The items, in the order in which they were accepted.
    public let items: [Item]

    /// Why they were not written.
    ///
    /// When its retry safety is `unknown` they may have been written after all.
    public let error: PersistenceError

    /// Creates the value; writers do.
    ///
    /// - Parameters:
    ///   - items: The items.
    ///   - error: Why they were not written.
    public init(items: [Item], error: PersistenceError) {
        self.items = items
        self.error = error
    }
}

/// One item of a batch that the store refused while it took others.
public struct BufferedWriterRejection: Sendable {
    /// The item's place in the batch, from 0.
    public let index: Int

    /// Why the store refused it.
    public let error: PersistenceError

    /// Describes a refusal.
    ///
    /// - Parameters:
    ///   - index: The item's place in the batch, from 0.
    ///   - error: Why the store refused it.
    public init(index: Int, error: PersistenceError) {
        self.index = index
        self.error = error
    }
}

/// What a ``BufferedWriter`` has done so far and holds now.
public struct BufferedWriterStatistics: Hashable, Sendable {
    /// How many items were accepted.
    public var accepted = 0
    /// How many items were written.
    public var written = 0
    /// How many items were lost, and reported as such.
    public var lost = 0
    /// How many batches were written.
    public var batches = 0
    /// How many items are held, those being written included.
    public var buffered = 0
    /// How many bytes are held, those being written included.
    public var bufferedSize = 0
    /// How many callers wait for room.
    public var waiting = 0
}
