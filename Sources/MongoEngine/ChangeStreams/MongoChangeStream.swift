internal import BSON
internal import CMongoC
public import PersistenceCore

/// The changes of a collection, as they happen.
///
/// ```swift
/// for try await change in orders.changes() { … }
/// ```
///
/// Needs a replica set or a sharded cluster of real MongoDB. A stream that is cut off is resumed after the last change
/// that was delivered, without a gap. It has a client for itself until the loop is left or the task is cancelled; use a
/// database of its own where many streams would use up the pool. An iteration never ends by itself, but for an
/// invalidation of the stream.
public struct MongoChangeStream<Element: Codable & Sendable>: AsyncSequence {
    /// What the iteration throws.
    public typealias Failure = PersistenceError

    let collection: MongoCollection<Element>
    let options: MongoChangeStreamOptions

    /// Prepares to open the stream.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(run: ChangeStreamRun(collection: collection, options: options))
    }

    /// One run of the stream; letting go of it closes the stream on the server.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private let run: ChangeStreamRun<Element>

        init(run: ChangeStreamRun<Element>) {
            self.run = run
        }

        /// The next change.
        ///
        /// - Parameter actor: The caller's isolation.
        /// - Returns: The change; nil after an invalidation.
        /// - Throws: ``PersistenceError``: `unsupported` when the server has no change streams; after it the iteration
        ///   has ended.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(PersistenceError) -> MongoChange<Element>? {
            try await next()
        }

        /// The next change.
        ///
        /// - Returns: The change; nil after an invalidation.
        /// - Throws: ``PersistenceError``; after it the iteration has ended.
        public mutating func next() async throws(PersistenceError) -> MongoChange<Element>? {
            try await run.next()
        }
    }
}

@available(*, unavailable)
extension MongoChangeStream.AsyncIterator: Sendable {}

extension MongoCollection {
    /// The changes of the collection's documents from now on, or from a token on.
    ///
    /// - Parameter options: Where to begin, and which changes.
    /// - Returns: The changes; nothing is sent before the first is asked for.
    public func changes(_ options: MongoChangeStreamOptions = MongoChangeStreamOptions()) -> MongoChangeStream<Element>
    {
        MongoChangeStream(collection: self, options: options)
    }
}
