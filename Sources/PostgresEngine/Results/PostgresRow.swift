internal import CLibPQ
public import PersistenceCore

/// A borrowed view of one row of a result.
///
/// Columns are read by position, which generated code does, or by name. The view cannot be copied, so it cannot outlive
/// the closure that it is lent to; keep what you decode, not the row.
public struct PostgresRow: ~Copyable {
    /// The result that the row belongs to; whoever lends the row keeps it alive.
    let result: OpaquePointer
    let index: Int32
    /// Whether every column is binary, which spares the question for each.
    private let isBinary: Bool
    /// The columns' types, when whoever lends the row has many of them; valid as long as the row is.
    private let types: UnsafeMutablePointer<PostgresType>?

    @usableFromInline
    init(result: OpaquePointer, index: Int32) {
        self.init(result: result, index: index, types: nil, isBinary: PQbinaryTuples(result) != 0)
    }

    /// A row of a result whose properties are known already.
    @usableFromInline
    init(result: OpaquePointer, index: Int32, types: UnsafeMutablePointer<PostgresType>?, isBinary: Bool) {
        self.result = result
        self.index = index
        self.types = types
        self.isBinary = isBinary
    }

    /// How many columns the row has.
    public var count: Int { Int(PQnfields(result)) }

    /// Decodes a column by its position.
    ///
    /// - Parameters:
    ///   - column: The position, from 0.
    ///   - type: The Swift type to read; an optional type accepts NULL.
    /// - Returns: The value.
    /// - Throws: ``PersistenceError`` with the code `decoding`, naming the column, the expected and the found type.
    @inlinable
    public func decode<T: PostgresDecodable>(_ column: Int, as type: T.Type = T.self) throws(PersistenceError) -> T {
        do throws(PersistenceError) {
            let field = try field(column)
            guard let start = field.start else { return try T.decodeNull() }
            return try T.decode(
                PostgresValue(
                    bytes: UnsafeRawBufferPointer(start: start, count: field.count), type: field.type,
                    format: field.format))
        } catch {
            throw located(error, column: column)
        }
    }

    /// What libpq knows of one field; `start` is `nil` for NULL.
    ///
    /// Apart from ``decode(_:as:)``, so that the latter is specialized in the module that calls it.
    @usableFromInline
    struct Field {
        @usableFromInline let start: UnsafeRawPointer?
        @usableFromInline let count: Int
        @usableFromInline let type: PostgresType
        @usableFromInline let format: PostgresFormat
    }

    @usableFromInline
    func field(_ column: Int) throws(PersistenceError) -> Field {
        let field = Int32(clamping: column)
        let length = PQgetlength(result, index, field)
        guard length > 0, isBinary else { return try emptyOrText(column, length) }
        return Field(
            start: PQgetvalue(result, index, field), count: Int(length), type: columnType(field), format: .binary)
    }

    // Not beyond the end: a column that does not exist has no length.
    @inline(__always)
    private func columnType(_ field: Int32) -> PostgresType {
        types.map { $0[Int(field)] } ?? PostgresType(oid: PQftype(result, field))
    }

    /// Apart from the others, so that the way of nearly every field stays short.
    @inline(never)
    private func emptyOrText(_ column: Int, _ length: Int32) throws(PersistenceError) -> Field {
        let field = Int32(clamping: column)
        // Only an empty value can be NULL, and only NULL can be beyond the last column.
        if length == 0, PQgetisnull(result, index, field) != 0 {
            guard column >= 0, column < count else {
                let columns = count == 1 ? "1 column" : "\(count) columns"
                throw PersistenceError(
                    .decoding, "the row has \(columns); one at index \(column), from 0, was asked for")
            }
            return Field(start: nil, count: 0, type: .unspecified, format: .binary)
        }
        return Field(
            start: PQgetvalue(result, index, field),
            count: Int(length),
            type: columnType(field),
            format: isBinary || PQfformat(result, field) != 0 ? .binary : .text)
    }

    /// Decodes a column by its name.
    ///
    /// - Parameters:
    ///   - name: The column's name, as the statement gives it (folded to lower case by the server unless quoted).
    ///   - type: The Swift type to read; an optional type accepts NULL.
    /// - Returns: The value.
    /// - Throws: ``PersistenceError`` with the code `decoding`, naming the column, the expected and the found type.
    public func decode<T: PostgresDecodable>(_ name: String, as type: T.Type = T.self) throws(PersistenceError) -> T {
        for column in 0..<PQnfields(result) {
            if let found = PQfname(result, column), String(cString: found) == name {
                return try decode(Int(column))
            }
        }
        throw PersistenceError(.decoding, "the row has no column named \(name)")
    }

    @usableFromInline @inline(never)
    func located(_ error: PersistenceError, column: Int) -> PersistenceError {
        guard let name = PQfname(result, Int32(clamping: column)) else { return error }
        return error.with { error in
            if error.column == nil {
                error.column = String(cString: name)
                error.summary = "column \(String(cString: name)): \(error.summary)"
            }
        }
    }
}
