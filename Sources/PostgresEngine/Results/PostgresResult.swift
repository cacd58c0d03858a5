internal import CLibPQ
public import PersistenceCore

/// The complete result of one statement, owned: its memory goes back when the value does.
public struct PostgresResult: ~Copyable {
    let pointer: OpaquePointer

    /// Takes over a `PGresult`.
    init(stealing pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        PQclear(pointer)
    }

    /// How many rows came back.
    public var count: Int { Int(PQntuples(pointer)) }

    /// How many rows the command inserted, updated, deleted, merged, selected or copied.
    public var affectedRows: Int {
        guard let text = PQcmdTuples(pointer) else { return 0 }
        return Int(String(cString: text)) ?? 0
    }

    /// Decodes every row.
    ///
    /// - Parameter decode: Makes a value of a row.
    /// - Returns: The values, in the server's order.
    /// - Throws: What `decode` throws.
    public func rows<T>(
        decodedBy decode: (borrowing PostgresRow) throws(PersistenceError) -> T
    ) throws(PersistenceError) -> [T] {
        let count = PQntuples(pointer)
        var values: [T] = []
        values.reserveCapacity(Int(count))
        for index in 0..<count {
            values.append(try decode(PostgresRow(result: pointer, index: index)))
        }
        return values
    }

    /// Decodes the only row.
    ///
    /// - Parameter decode: Makes a value of a row.
    /// - Returns: The value, or `nil` when there is no row.
    /// - Throws: ``PersistenceError`` with the code `tooManyRows` when there are more, and what `decode` throws.
    public func onlyRow<T>(
        decodedBy decode: (borrowing PostgresRow) throws(PersistenceError) -> T
    ) throws(PersistenceError) -> T? {
        switch PQntuples(pointer) {
        case 0: nil
        case 1: try decode(PostgresRow(result: pointer, index: 0))
        case let count: throw PersistenceError(.tooManyRows, "\(count) rows came back where at most one may")
        }
    }
}
