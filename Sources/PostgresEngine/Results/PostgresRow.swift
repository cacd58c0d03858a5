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

    init(result: OpaquePointer, index: Int32) {
        self.result = result
        self.index = index
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
    public func decode<T: PostgresDecodable>(_ column: Int, as type: T.Type = T.self) throws(PersistenceError) -> T {
        let field = Int32(truncatingIfNeeded: column)
        do throws(PersistenceError) {
            if PQgetisnull(result, index, field) != 0 {
                guard column >= 0, column < count else {
                    throw PersistenceError(.decoding, "the row has \(count) columns; column \(column) was asked for")
                }
                return try T.decodeNull()
            }
            let bytes = UnsafeRawBufferPointer(
                start: PQgetvalue(result, index, field), count: Int(PQgetlength(result, index, field)))
            let value = PostgresValue(
                bytes: bytes,
                type: PostgresType(oid: PQftype(result, field)),
                format: PQfformat(result, field) == 0 ? .text : .binary)
            return try T.decode(value)
        } catch {
            throw located(error, column: field)
        }
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

    private func located(_ error: PersistenceError, column: Int32) -> PersistenceError {
        guard let name = PQfname(result, column) else { return error }
        return error.with { error in
            if error.column == nil {
                error.column = String(cString: name)
                error.summary = "column \(String(cString: name)): \(error.summary)"
            }
        }
    }
}
