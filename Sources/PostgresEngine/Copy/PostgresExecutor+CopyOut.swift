internal import PersistenceCore

extension PostgresExecutor {
    /// Copies the rows of a statement out as bytes, in one of COPY's formats.
    ///
    /// ```swift
    /// for try await chunk in database.copyOut("SELECT * FROM users", format: .csv(hasHeader: true)) {
    ///     try await file.write(chunk)
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - statement: The statement; COPY takes no parameters.
    ///   - format: How the rows look.
    /// - Returns: The bytes, in pieces of whole rows.
    public func copyOut(_ statement: PostgresStatement, format: PostgresCopyFormat) -> PostgresCopyChunks {
        copyOut(CopySource(content: .statement(statement), format: format, needsTypes: false))
    }

    /// Copies a table out as bytes, in one of COPY's formats.
    ///
    /// - Parameters:
    ///   - table: The table; a qualified name has two parts. Partitioned tables and views need a statement.
    ///   - columns: The columns in the order wanted; empty means all.
    ///   - format: How the rows look.
    /// - Returns: The bytes, in pieces of whole rows.
    public func copyOut(
        table: PostgresIdentifier, columns: [String] = [], format: PostgresCopyFormat
    ) -> PostgresCopyChunks {
        copyOut(CopySource(content: .table(table, columns: columns), format: format, needsTypes: false))
    }

    /// Copies the rows of a statement out in binary and decodes them by position.
    ///
    /// The types of the columns are asked for first, with the statement as a subquery of no rows, so it must be a
    /// `SELECT`, `VALUES`, `TABLE` or `WITH … SELECT`.
    ///
    /// - Parameters:
    ///   - statement: The statement; COPY takes no parameters.
    ///   - type: The type of a row: one Swift type for each column, optional where NULL may come.
    /// - Returns: The rows.
    public func copyOut<each Column: PostgresDecodable>(
        _ statement: PostgresStatement, as type: (repeat each Column).Type
    ) -> PostgresCopyRows<(repeat each Column)> {
        copyRows(CopySource(content: .statement(statement), format: .binary, needsTypes: true))
    }

    /// Copies a table out in binary and decodes its rows by position.
    ///
    /// - Parameters:
    ///   - table: The table; a qualified name has two parts. Partitioned tables and views need a statement.
    ///   - columns: The columns in the order wanted; empty means all.
    ///   - type: The type of a row: one Swift type for each column, optional where NULL may come.
    /// - Returns: The rows.
    public func copyOut<each Column: PostgresDecodable>(
        table: PostgresIdentifier, columns: [String] = [], as type: (repeat each Column).Type
    ) -> PostgresCopyRows<(repeat each Column)> {
        copyRows(CopySource(content: .table(table, columns: columns), format: .binary, needsTypes: true))
    }

    private func copyOut(_ source: CopySource) -> PostgresCopyChunks {
        PostgresCopyChunks { reader(source) }
    }

    private func copyRows<each Column: PostgresDecodable>(
        _ source: CopySource
    ) -> PostgresCopyRows<(repeat each Column)> {
        PostgresCopyRows { CopyRowDecoder(reader(source), decode: decodeFields) }
    }

    private func reader(_ source: CopySource) -> CopyOutReader {
        CopyOutReader(source) { () async throws(PersistenceError) -> PostgresLease in try await lease() }
    }
}

private func decodeFields<each Column: PostgresDecodable>(
    _ fields: inout CopyFields
) throws(PersistenceError) -> (repeat each Column) {
    (repeat try fields.next((each Column).self))
}
