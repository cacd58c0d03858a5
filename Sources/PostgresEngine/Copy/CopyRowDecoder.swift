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
            return try bytes.withUnsafeBufferPointer { (buffer) throws(PersistenceError) -> Row in
                var fields = CopyFields(
                    bytes: UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: buffer[start..<end])),
                    columns: reader.columns)
                let row = try decode(&fields)
                guard fields.isAtEnd else {
                    throw PersistenceError(
                        .decoding, "the rows have \(reader.columns.count) columns, more than asked for")
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
        guard Int(count) == reader.columns.count else { throw malformed("a row has another number of fields") }
        var position = offset + 2
        for _ in 0..<count {
            guard let length = load(Int32.self, at: position) else { return nil }
            guard length >= -1 else { throw malformed("a length is negative") }
            position += 4 + max(Int(length), 0)
            guard position <= bytes.count else { return nil }
        }
        return position
    }
}

/// The fields of one row, whose lengths have been checked.
struct CopyFields: ~Copyable {
    private let bytes: UnsafeRawBufferPointer
    private let columns: [(name: String, type: PostgresType)]
    private var position = 0
    private var index = 0

    init(bytes: UnsafeRawBufferPointer, columns: [(name: String, type: PostgresType)]) {
        self.bytes = bytes
        self.columns = columns
    }

    var isAtEnd: Bool { index == columns.count }

    /// Decodes the next field.
    mutating func next<T: PostgresDecodable>(_ type: T.Type) throws(PersistenceError) -> T {
        guard index < columns.count else {
            throw PersistenceError(
                .decoding, "the rows have \(columns.count) columns; column \(index) was asked for")
        }
        let column = columns[index]
        index += 1
        let length = Int(Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: position, as: Int32.self)))
        position += 4
        do throws(PersistenceError) {
            guard length >= 0 else { return try T.decodeNull() }
            let value = UnsafeRawBufferPointer(rebasing: bytes[position..<position + length])
            position += length
            return try T.decode(PostgresValue(bytes: value, type: column.type, format: .binary))
        } catch {
            throw error.with { error in
                guard error.column == nil else { return }
                error.column = column.name
                error.summary = "column \(column.name): \(error.summary)"
            }
        }
    }
}
