public import PersistenceCore

/// The rows of a query, fetched in chunks while they are consumed.
///
/// Made by ``PostgresExecutor/stream(_:)`` and its kin. Nothing happens before the first row is asked for. Each
/// iteration runs the query anew.
public struct PostgresRowStream<Element>: AsyncSequence {
    /// What the iteration throws.
    public typealias Failure = PersistenceError

    private let makeCursor: () -> RowCursor<Element>

    init(_ makeCursor: @escaping () -> RowCursor<Element>) {
        self.makeCursor = makeCursor
    }

    /// Prepares to run the query.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(cursor: makeCursor())
    }

    /// One run of the query; letting go of it ends the run on the server.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private let cursor: RowCursor<Element>

        init(cursor: RowCursor<Element>) {
            self.cursor = cursor
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
            // Most rows are in memory already; only the way to the server suspends.
            while true {
                if let row = try cursor.buffered() { return row }
                guard try await cursor.fetch() else { return nil }
            }
        }
    }
}

@available(*, unavailable)
extension PostgresRowStream.AsyncIterator: Sendable {}

extension PostgresExecutor {
    /// Streams the rows of a query in bounded memory.
    ///
    /// ```swift
    /// for try await user in database.stream(AllUsers()) { … }
    /// ```
    ///
    /// See <doc:Streaming> for what a stream holds, and for how long.
    ///
    /// - Parameter query: The query; it must be a `SELECT`, `VALUES`, `TABLE` or `WITH … SELECT`.
    /// - Returns: The rows.
    public func stream<Query: PostgresRowsQuery>(_ query: Query) -> PostgresRowStream<Query.Row> {
        stream(
            CursorStatement(
                sql: Query.sql, operation: Query.name, command: Query.command, summary: Query.name,
                collection: Query.collection
            ) { (parameters) throws(PersistenceError) in try query.bind(to: &parameters) },
            decode: Query.decode)
    }

    /// Streams the rows of a statement in bounded memory, decoded by position.
    ///
    /// ```swift
    /// for try await (id, email) in database.stream("SELECT id, email FROM users", as: (UUID, String).self) { … }
    /// ```
    ///
    /// - Parameters:
    ///   - statement: The statement; it must be a `SELECT`, `VALUES`, `TABLE` or `WITH … SELECT`.
    ///   - type: The type of a row: one Swift type for each column, optional where NULL may come.
    /// - Returns: The rows.
    public func stream<each Column: PostgresDecodable>(
        _ statement: PostgresStatement, as type: (repeat each Column).Type
    ) -> PostgresRowStream<(repeat each Column)> {
        stream(CursorStatement(statement), decode: decodeColumns)
    }

    /// Streams the only column of a statement's rows in bounded memory.
    ///
    /// - Parameters:
    ///   - statement: The statement; it must be a `SELECT`, `VALUES`, `TABLE` or `WITH … SELECT`.
    ///   - type: The column's Swift type, optional where NULL may come.
    /// - Returns: The values.
    public func stream<Column: PostgresDecodable>(
        _ statement: PostgresStatement, as type: Column.Type
    ) -> PostgresRowStream<Column> {
        stream(CursorStatement(statement)) { (row) throws(PersistenceError) in try row.decode(0) }
    }

    private func stream<Row>(
        _ statement: CursorStatement, decode: @escaping (borrowing PostgresRow) throws(PersistenceError) -> Row
    ) -> PostgresRowStream<Row> {
        PostgresRowStream {
            RowCursor(statement, decode: decode) { () async throws(PersistenceError) -> PostgresLease in
                try await lease()
            }
        }
    }
}
