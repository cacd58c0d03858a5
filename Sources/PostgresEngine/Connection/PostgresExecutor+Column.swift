public import PersistenceCore

/// The common case of one column, which needs no tuple.
extension PostgresExecutor {
    /// Runs a statement and returns the only column of every row.
    ///
    /// - Parameters:
    ///   - statement: The statement; interpolated values become parameters.
    ///   - type: The column's Swift type, optional where NULL may come.
    /// - Returns: The values in the server's order.
    /// - Throws: ``PersistenceError``.
    public func all<Column: PostgresDecodable>(
        _ statement: PostgresStatement, as type: Column.Type
    ) async throws(PersistenceError) -> [Column] {
        let result = try await result(of: statement)
        return try statement.naming { () throws(PersistenceError) in try result.rows(decodedBy: decodeColumn) }
    }

    /// Runs a statement and returns the only column of its first row, or `nil`; further rows are ignored.
    ///
    /// - Parameters:
    ///   - statement: The statement; interpolated values become parameters.
    ///   - type: The column's Swift type.
    /// - Returns: The first row's value.
    /// - Throws: ``PersistenceError``.
    public func first<Column: PostgresDecodable>(
        _ statement: PostgresStatement, as type: Column.Type
    ) async throws(PersistenceError) -> Column? {
        let result = try await result(of: statement)
        return try statement.naming { () throws(PersistenceError) in try result.firstRow(decodedBy: decodeColumn) }
    }

    /// Runs a statement and returns the only column of its only row, or `nil`.
    ///
    /// - Parameters:
    ///   - statement: The statement; interpolated values become parameters.
    ///   - type: The column's Swift type.
    /// - Returns: The row's value.
    /// - Throws: ``PersistenceError``; the code is `tooManyRows` when there is more than one row.
    public func optional<Column: PostgresDecodable>(
        _ statement: PostgresStatement, as type: Column.Type
    ) async throws(PersistenceError) -> Column? {
        let result = try await result(of: statement)
        return try statement.naming { () throws(PersistenceError) in try result.onlyRow(decodedBy: decodeColumn) }
    }

    /// Runs a statement and returns the only column of its only row.
    ///
    /// - Parameters:
    ///   - statement: The statement; interpolated values become parameters.
    ///   - type: The column's Swift type.
    /// - Returns: The row's value.
    /// - Throws: ``PersistenceError``; the code is `notFound` when there is no row, `tooManyRows` when there are more.
    public func one<Column: PostgresDecodable>(
        _ statement: PostgresStatement, as type: Column.Type
    ) async throws(PersistenceError) -> Column {
        // Not through `optional`, whose own `nil` could not be told from a NULL.
        let result = try await result(of: statement)
        return try statement.naming { () throws(PersistenceError) in
            guard result.count > 0 else { throw PersistenceError(.notFound) }
            let value: Column? = try result.onlyRow(decodedBy: decodeColumn)
            // There is a row, so there is a value.
            return value.unsafelyUnwrapped
        }
    }
}

private func decodeColumn<Column: PostgresDecodable>(
    _ row: borrowing PostgresRow
) throws(PersistenceError) -> Column {
    try row.decode(0)
}
