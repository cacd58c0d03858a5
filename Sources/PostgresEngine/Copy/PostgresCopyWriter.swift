public import PersistenceCore

/// Takes the fields of rows for binary COPY, in the order of the columns.
///
/// Binary COPY converts nothing: each value must be written in the binary representation of its column's own type. See
/// <doc:Copy> for which Swift type fits which column.
public struct PostgresCopyWriter: Sendable {
    @usableFromInline var writer = PostgresWriter()
    /// How many fields each row must have.
    @usableFromInline let columnCount: Int
    @usableFromInline var fieldCount = 0
    @usableFromInline var rowCount = 0

    init(columnCount: Int) {
        self.columnCount = columnCount
    }

    /// Appends the next field.
    ///
    /// - Parameter value: The value.
    /// - Throws: ``PersistenceError`` with the code `encoding` when PostgreSQL's type cannot hold the value, or
    ///   `tooLarge`.
    @inlinable
    public mutating func append<T: PostgresEncodable>(_ value: T) throws(PersistenceError) {
        fieldCount += 1
        try value.encodeField(into: &writer)
    }

    /// Appends the next field, or NULL.
    ///
    /// - Parameter value: The value, or `nil` for NULL.
    /// - Throws: ``PersistenceError`` with the code `encoding` when PostgreSQL's type cannot hold the value, or
    ///   `tooLarge`.
    @inlinable
    public mutating func append<T: PostgresEncodable>(_ value: T?) throws(PersistenceError) {
        if let value {
            try append(value)
        } else {
            appendNull()
        }
    }

    /// Appends NULL.
    @inlinable
    public mutating func appendNull() {
        fieldCount += 1
        writer.write(Int32(-1))
    }

    /// Appends a row.
    @inlinable
    mutating func appendRow<Row: PostgresCopyEncodable>(_ row: Row) throws(PersistenceError) {
        writer.write(Int16(truncatingIfNeeded: columnCount))
        fieldCount = 0
        try row.encode(to: &self)
        guard fieldCount == columnCount else { throw wrongFieldCount(Row.self) }
        rowCount += 1
    }

    /// Appends rows until there are none left or a piece is full.
    ///
    /// - Returns: Whether there can be more rows.
    @inlinable
    mutating func fill<Rows: IteratorProtocol>(
        from rows: inout Rows
    ) throws(PersistenceError) -> Bool where Rows.Element: PostgresCopyEncodable {
        while writer.count < Self.piece {
            guard let row = rows.next() else { return false }
            try appendRow(row)
        }
        return true
    }

    /// How much is gathered before it is sent, in bytes.
    ///
    /// libpq sends whole multiples of 8 KB when it is given data, and keeps the rest: with the message's type and length a
    /// piece is such a multiple, so that it goes to the socket in one call, and nothing is left for a small packet.
    @usableFromInline static var piece: Int { (64 << 10) - 5 }

    @usableFromInline @inline(never)
    func wrongFieldCount<Row>(_ type: Row.Type) -> PersistenceError {
        PersistenceError(
            .encoding, "row \(rowCount + 1), a \(type), has \(fieldCount) fields for \(columnCount) columns")
    }
}
