internal import CLibPQ
public import PersistenceCore

/// The complete result of one statement, owned: its memory goes back when the value does.
public struct PostgresResult: ~Copyable {
    @usableFromInline let pointer: OpaquePointer

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
    @inlinable
    public func rows<T>(
        decodedBy decode: (borrowing PostgresRow) throws(PersistenceError) -> T
    ) throws(PersistenceError) -> [T] {
        let count = count
        var values: [T] = []
        values.reserveCapacity(count)
        let types = columnTypeBuffer()
        defer { types.deallocate() }
        let isBinary = isBinary
        for index in 0..<count {
            values.append(
                try decode(
                    PostgresRow(
                        result: pointer, index: Int32(truncatingIfNeeded: index), types: types, isBinary: isBinary)))
        }
        return values
    }

    /// Decodes the only row.
    ///
    /// - Parameter decode: Makes a value of a row.
    /// - Returns: The value, or `nil` when there is no row.
    /// - Throws: ``PersistenceError`` with the code `tooManyRows` when there are more, and what `decode` throws.
    @inlinable
    public func onlyRow<T>(
        decodedBy decode: (borrowing PostgresRow) throws(PersistenceError) -> T
    ) throws(PersistenceError) -> T? {
        switch count {
        case 0: nil
        case 1: try decode(PostgresRow(result: pointer, index: 0))
        case let count: throw PersistenceError(.tooManyRows, "\(count) rows came back where at most one may")
        }
    }
}

extension PostgresResult {
    /// Whether every column is in binary.
    @usableFromInline var isBinary: Bool { PQbinaryTuples(pointer) != 0 }

    /// The columns' types, asked for once for all rows; the caller deallocates.
    @usableFromInline
    func columnTypeBuffer() -> UnsafeMutablePointer<PostgresType> {
        let count = PQnfields(pointer)
        let types = UnsafeMutablePointer<PostgresType>.allocate(capacity: Int(count))
        for column in 0..<count {
            (types + Int(column)).initialize(to: PostgresType(oid: PQftype(pointer, column)))
        }
        return types
    }

    /// Decodes the first row; further rows are ignored.
    ///
    /// - Parameter decode: Makes a value of a row.
    /// - Returns: The value, or `nil` when there is no row.
    /// - Throws: What `decode` throws.
    @inlinable
    public func firstRow<T>(
        decodedBy decode: (borrowing PostgresRow) throws(PersistenceError) -> T
    ) throws(PersistenceError) -> T? {
        guard count > 0 else { return nil }
        return try decode(PostgresRow(result: pointer, index: 0))
    }

    /// The columns' names, in order.
    public var columnNames: [String] {
        (0..<PQnfields(pointer)).map { PQfname(pointer, $0).map { String(cString: $0) } ?? "" }
    }

    /// The columns' types, in order; a domain is reported as its base type.
    public var columnTypes: [PostgresType] {
        (0..<PQnfields(pointer)).map { PostgresType(oid: PQftype(pointer, $0)) }
    }

    /// The command's tag, such as `INSERT 0 1`.
    public var commandTag: String {
        PQcmdStatus(pointer).map { String(cString: $0) } ?? ""
    }
}
