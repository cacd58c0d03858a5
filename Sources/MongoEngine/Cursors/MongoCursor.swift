public import PersistenceCore

/// The documents that a query finds, fetched in batches while they are consumed.
///
/// Made by ``MongoCollection/find(_:sort:skip:limit:options:)``, ``MongoCollection/aggregate(_:options:)`` and their kin.
/// Nothing happens before the first document is asked for. Each iteration runs the query anew.
///
/// A run has a client for itself from the first batch to the last. A batch that has come is in memory; the next is
/// fetched when it is used up, so that a slow consumer holds the server back. Of a batch, up to 64 documents are decoded at
/// a time. Leaving the loop early, or cancelling the task, closes the cursor on the server.
public struct MongoCursor<Element>: AsyncSequence {
    /// What the iteration throws.
    public typealias Failure = PersistenceError

    private let makeRun: () -> CursorRun<Element>

    init(_ makeRun: @escaping () -> CursorRun<Element>) {
        self.makeRun = makeRun
    }

    /// Prepares to run the query.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(run: makeRun())
    }

    /// One run of the query; letting go of it ends the run on the server.
    public struct AsyncIterator: AsyncIteratorProtocol {
        @usableFromInline let run: CursorRun<Element>

        init(run: CursorRun<Element>) {
            self.run = run
        }

        /// The next document, or `nil` after the last one.
        ///
        /// - Parameter actor: The caller's isolation.
        /// - Returns: The document.
        /// - Throws: ``PersistenceError``; after it the iteration has ended.
        @inlinable
        @inline(__always)
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(PersistenceError) -> Element? {
            // Inlined, because entering an asynchronous function switches executors, which takes a lock in tasks that
            // have a preferred one: for each element.
            while true {
                if let element = run.pop() { return element }
                guard try await run.advance() else { return nil }
            }
        }

        /// The next document, or `nil` after the last one.
        ///
        /// - Returns: The document.
        /// - Throws: ``PersistenceError``; after it the iteration has ended.
        @inlinable
        public mutating func next() async throws(PersistenceError) -> Element? {
            while true {
                if let element = run.pop() { return element }
                guard try await run.advance() else { return nil }
            }
        }
    }

    /// All documents, in memory.
    ///
    /// - Parameter limit: How many there may be at most.
    /// - Returns: The documents.
    /// - Throws: ``PersistenceError``: `tooManyRows` when there are more than the limit, and what iterating throws.
    @inlinable
    public func collect(atMost limit: Int = .max) async throws(PersistenceError) -> [Element] {
        var elements: [Element] = []
        var iterator = makeAsyncIterator()
        while let element = try await iterator.next() {
            guard elements.count < limit else {
                throw PersistenceError(.tooManyRows, "more than \(limit) documents came back")
            }
            elements.append(element)
        }
        return elements
    }
}

@available(*, unavailable)
extension MongoCursor.AsyncIterator: Sendable {}
