internal import PersistenceCore

/// The columns of a COPY, apart from each other so that reading a type copies no name.
final class CopyColumns: Sendable {
    let names: [String]
    let types: [PostgresType]

    init(names: [String] = [], types: [PostgresType] = []) {
        self.names = names
        self.types = types
    }
}

/// The fields of one row, whose lengths have been checked.
struct CopyFields: ~Copyable {
    private var pointer: UnsafeRawPointer
    private let columns: CopyColumns
    private var index = 0

    /// Begins with the first field's length.
    init(at pointer: UnsafeRawPointer, columns: CopyColumns) {
        self.pointer = pointer
        self.columns = columns
    }

    var isAtEnd: Bool { index == columns.types.count }

    /// Decodes the next field.
    mutating func next<T: PostgresDecodable>(_ type: T.Type) throws(PersistenceError) -> T {
        guard index < columns.types.count else {
            throw PersistenceError(
                .decoding, "the rows have \(columns.types.count) columns; column \(index) was asked for")
        }
        let column = index
        let length = Int(Int32(bigEndian: pointer.loadUnaligned(as: Int32.self)))
        let start = pointer + 4
        index += 1
        pointer = start + max(length, 0)
        do throws(PersistenceError) {
            guard length >= 0 else { return try T.decodeNull() }
            return try T.decode(
                PostgresValue(
                    bytes: UnsafeRawBufferPointer(start: start, count: length), type: columns.types[column],
                    format: .binary))
        } catch {
            throw located(error, column)
        }
    }

    private func located(_ error: PersistenceError, _ column: Int) -> PersistenceError {
        error.with { error in
            guard error.column == nil else { return }
            error.column = columns.names[column]
            error.summary = "column \(columns.names[column]): \(error.summary)"
        }
    }
}
