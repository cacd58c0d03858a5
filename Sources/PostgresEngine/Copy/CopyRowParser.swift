internal import PersistenceCore

/// Takes binary COPY data apart, wherever it is cut; waits for nothing.
///
/// The format is the one of the chapter "COPY", section "Binary Format", of PostgreSQL's documentation.
struct CopyRowParser {
    private var bytes: [UInt8] = []
    private var offset = 0
    private var hasHeader = false
    private var hasTrailer = false

    /// Takes the next piece.
    mutating func append(_ chunk: [UInt8]) {
        if offset == bytes.count {
            bytes = chunk
        } else {
            bytes.removeFirst(offset)
            bytes += chunk
        }
        offset = 0
    }

    /// The next row, if all of it has come.
    ///
    /// - Parameters:
    ///   - columns: The columns that each row must have.
    ///   - decode: Reads the row's fields.
    /// - Returns: The row; `nil` when more has to come first, or when the data has ended.
    /// - Throws: What `decode` throws, and ``PersistenceError`` with the code `decoding`. What is left cannot be read then.
    mutating func next<Row>(
        _ columns: CopyColumns, decode: (inout CopyFields) throws(PersistenceError) -> Row
    ) throws(PersistenceError) -> Row? {
        guard !hasTrailer else { return nil }
        if !hasHeader, try !skipHeader() { return nil }
        guard let end = try endOfRow(columns.types.count) else { return nil }
        let start = offset + 2
        offset = end
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
    }

    /// Notes that no more comes.
    ///
    /// - Throws: ``PersistenceError`` with the code `decoding` when the data is not complete.
    func finish() throws(PersistenceError) {
        guard hasTrailer else { throw malformed("it ends too early") }
    }

    private func malformed(_ reason: String) -> PersistenceError {
        PersistenceError(.decoding, "the data of the COPY is malformed: \(reason)", operation: "COPY")
    }

    private func load<I: FixedWidthInteger>(_ type: I.Type, at position: Int) -> I? {
        guard position + MemoryLayout<I>.size <= bytes.count else { return nil }
        return bytes.withUnsafeBytes { I(bigEndian: $0.loadUnaligned(fromByteOffset: position, as: type)) }
    }

    private mutating func skipHeader() throws(PersistenceError) -> Bool {
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
    private mutating func endOfRow(_ columnCount: Int) throws(PersistenceError) -> Int? {
        guard let count = load(Int16.self, at: offset) else { return nil }
        guard count != -1 else {
            hasTrailer = true
            offset = bytes.count
            return nil
        }
        guard Int(count) == columnCount else { throw malformed("a row has another number of fields") }
        let start = offset + 2
        return try bytes.withUnsafeBufferPointer { (buffer) throws(PersistenceError) -> Int? in
            let bytes = UnsafeRawBufferPointer(buffer)
            var position = start
            for _ in 0..<columnCount {
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
