internal import PersistenceCore

/// Takes binary COPY data apart, wherever it is cut.
final class CopyRowDecoder<Row> {
    private let reader: CopyOutReader
    private let decode: (inout CopyFields) throws(PersistenceError) -> Row
    private var bytes: [UInt8] = []
    private var offset = 0
    private var hasHeader = false
    private var hasTrailer = false
    private var hasEnded = false

    init(_ reader: CopyOutReader, decode: @escaping (inout CopyFields) throws(PersistenceError) -> Row) {
        self.reader = reader
        self.decode = decode
    }

    /// The next row, if all of it has come.
    func buffered() throws(PersistenceError) -> Row? {
        guard !hasTrailer, !hasEnded else { return nil }
        do throws(PersistenceError) {
            if !hasHeader, try !skipHeader() { return nil }
            guard let end = try endOfRow() else { return nil }
            let start = offset + 2
            offset = end
            let columns = reader.columns
            return try bytes.withUnsafeBufferPointer { (buffer) throws(PersistenceError) -> Row in
                // A row of no fields ends where it starts, and then the pointer is not read.
                guard let base = buffer.baseAddress else { throw malformed("it is empty") }
                var fields = CopyFields(at: UnsafeRawPointer(base) + start, columns: columns)
                let row = try decode(&fields)
                guard fields.isAtEnd else {
                    throw PersistenceError(
                        .decoding, "the rows have \(columns.types.count) columns, more than asked for")
                }
                return row
            }
        } catch {
            hasEnded = true
            throw error.with { $0.operation = $0.operation ?? "COPY" }
        }
    }

    /// Reads on.
    ///
    /// - Returns: Whether anything has come.
    func fetch() async throws(PersistenceError) -> Bool {
        guard !hasEnded else { return false }
        guard let chunk = try await reader.next() else {
            hasEnded = true
            guard hasTrailer else { throw malformed("it ends too early") }
            return false
        }
        if offset == bytes.count {
            bytes = chunk
        } else {
            bytes.removeFirst(offset)
            bytes += chunk
        }
        offset = 0
        return true
    }

    private func malformed(_ reason: String) -> PersistenceError {
        PersistenceError(.decoding, "the data of the COPY is malformed: \(reason)", operation: "COPY")
    }

    private func load<I: FixedWidthInteger>(_ type: I.Type, at position: Int) -> I? {
        guard position + MemoryLayout<I>.size <= bytes.count else { return nil }
        return bytes.withUnsafeBytes { I(bigEndian: $0.loadUnaligned(fromByteOffset: position, as: type)) }
    }

    private func skipHeader() throws(PersistenceError) -> Bool {
        let signature = PostgresCopyWriter.signature
        guard bytes.count >= signature.count + 8, let extensionLength = load(Int32.self, at: signature.count + 4)
        else { return false }
        guard bytes.starts(with: signature), extensionLength >= 0 else { throw malformed("its signature is missing") }
        let end = signature.count + 8 + Int(extensionLength)
        guard bytes.count >= end else { return false }
        offset = end
        hasHeader = true
        return true
    }

    /// Where the next row ends; `nil` when it has not come completely, or when there is none.
    private func endOfRow() throws(PersistenceError) -> Int? {
        guard let count = load(Int16.self, at: offset) else { return nil }
        guard count != -1 else {
            hasTrailer = true
            offset = bytes.count
            return nil
        }
        guard Int(count) == reader.columns.types.count else { throw malformed("a row has another number of fields") }
        let start = offset + 2
        return try bytes.withUnsafeBufferPointer { (buffer) throws(PersistenceError) -> Int? in
            let bytes = UnsafeRawBufferPointer(buffer)
            var position = start
            for _ in 0..<count {
                guard position + 4 <= bytes.count else { return nil }
                let length = Int(Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: position, as: Int32.self)))
                guard length >= -1 else { throw malformed("a length is negative") }
                position += 4 + max(length, 0)
                guard position <= bytes.count else { return nil }
            }
            return position
        }
    }
}

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
