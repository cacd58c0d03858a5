public import PersistenceCore

/// Results as they come from a store, a batch at a time: an asynchronous sequence that holds one batch in memory.
///
/// Every iteration asks the store anew. The store is asked for the next batch when the last one is used up, so a slow
/// consumer slows the store and not the other way round. Whoever stops early frees what the store holds for the iteration.
public struct ResultStream<Element: Sendable>: AsyncSequence, Sendable {
    /// What an iteration throws.
    public typealias Failure = PersistenceError

    /// Fetches the next batch; `nil` at the end.
    ///
    /// Empty batches are passed over.
    public typealias Fetch = () async throws(PersistenceError) -> [Element]?

    private let begin: @Sendable () -> Fetch

    /// Creates a sequence; for implementations of repositories.
    ///
    /// - Parameter begin: Begins an iteration: returns what fetches its batches, one after the other.
    public init(_ begin: @escaping @Sendable () -> Fetch) {
        self.begin = begin
    }

    /// Begins an iteration.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(fetch: begin())
    }

    /// One iteration.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private var fetch: Fetch?
        private var batch: ArraySlice<Element> = []

        init(fetch: @escaping Fetch) {
            self.fetch = fetch
        }

        /// The next result; `nil` at the end, and after an error.
        ///
        /// - Parameter actor: The caller's isolation.
        /// - Returns: The result.
        /// - Throws: `PersistenceError`, as the store did.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(PersistenceError) -> Element? {
            try await advance()
        }

        /// The next result; see ``next(isolation:)``.
        ///
        /// - Returns: The result.
        /// - Throws: `PersistenceError`, as the store did.
        public mutating func next() async throws(PersistenceError) -> Element? {
            try await advance()
        }

        private mutating func advance() async throws(PersistenceError) -> Element? {
            while batch.isEmpty {
                guard let fetch else { return nil }
                // Put back only when there may be more, so that an error or a cancellation ends the iteration.
                self.fetch = nil
                guard let next = try await fetch() else { return nil }
                self.fetch = fetch
                batch = next[...]
            }
            return batch.removeFirst()
        }
    }

    /// All results at once; for results that are known to be few.
    ///
    /// - Parameter limit: How many results are accepted.
    /// - Returns: The results.
    /// - Throws: `PersistenceError` as the store did, with the code `tooManyRows` when there are more than `limit`.
    public func collect(limit: Int = 10_000) async throws(PersistenceError) -> [Element] {
        var results: [Element] = []
        var iterator = makeAsyncIterator()
        while let next = try await iterator.next() {
            guard results.count < limit else {
                throw PersistenceError(.tooManyRows, "there are more than \(limit) results")
            }
            results.append(next)
        }
        return results
    }
}
