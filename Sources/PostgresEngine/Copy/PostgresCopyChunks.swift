public import PersistenceCore

/// The bytes of a COPY to the client, in pieces of about 64 KB.
///
/// Made by ``PostgresExecutor/copyOut(_:format:)`` and its kin. A piece is read from the socket when it is asked for;
/// while the consumer works, the server waits. Each iteration runs the command anew. Leaving an iteration before its
/// end closes the connection, because it cannot be used before the rest of the data has been read.
public struct PostgresCopyChunks: AsyncSequence {
    /// Whole rows, except for the first piece of binary data, which begins with a header.
    public typealias Element = [UInt8]
    /// What the iteration throws.
    public typealias Failure = PersistenceError

    private let makeReader: () -> CopyOutReader

    init(_ makeReader: @escaping () -> CopyOutReader) {
        self.makeReader = makeReader
    }

    /// Prepares to run the command.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(reader: makeReader())
    }

    /// One run of the command.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private let reader: CopyOutReader

        init(reader: CopyOutReader) {
            self.reader = reader
        }

        /// The next piece, or `nil` after the last one.
        ///
        /// - Parameter actor: The caller's isolation.
        /// - Returns: The bytes.
        /// - Throws: ``PersistenceError``; after it the iteration has ended.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(PersistenceError) -> [UInt8]? {
            try await reader.next()
        }

        /// The next piece, or `nil` after the last one.
        ///
        /// - Returns: The bytes.
        /// - Throws: ``PersistenceError``; after it the iteration has ended.
        public mutating func next() async throws(PersistenceError) -> [UInt8]? {
            try await reader.next()
        }
    }
}

@available(*, unavailable)
extension PostgresCopyChunks.AsyncIterator: Sendable {}

/// The rows of a binary COPY to the client, decoded by position.
///
/// Made by ``PostgresExecutor/copyOut(_:as:)`` and its kin; what is said of ``PostgresCopyChunks`` holds for it, too.
public struct PostgresCopyRows<Element>: AsyncSequence {
    /// What the iteration throws.
    public typealias Failure = PersistenceError

    private let makeDecoder: () -> CopyRowDecoder<Element>

    init(_ makeDecoder: @escaping () -> CopyRowDecoder<Element>) {
        self.makeDecoder = makeDecoder
    }

    /// Prepares to run the command.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(decoder: makeDecoder())
    }

    /// One run of the command.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private let decoder: CopyRowDecoder<Element>

        init(decoder: CopyRowDecoder<Element>) {
            self.decoder = decoder
        }

        /// The next row, or `nil` after the last one.
        ///
        /// - Parameter actor: The caller's isolation.
        /// - Returns: The row.
        /// - Throws: ``PersistenceError``; after it the iteration has ended.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(PersistenceError) -> Element? {
            try await next()
        }

        /// The next row, or `nil` after the last one.
        ///
        /// - Returns: The row.
        /// - Throws: ``PersistenceError``; after it the iteration has ended.
        public mutating func next() async throws(PersistenceError) -> Element? {
            while true {
                if let row = try decoder.buffered() { return row }
                guard try await decoder.fetch() else { return nil }
            }
        }
    }
}

@available(*, unavailable)
extension PostgresCopyRows.AsyncIterator: Sendable {}
