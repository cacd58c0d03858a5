import Foundation

/// Reads a CSV file (RFC 4180) row by row, in bounded memory.
///
/// The first row says how many fields the others have. One that breaks the rules costs its line and no other: reading goes
/// on with the next one, also when a quotation mark that is never closed seemed to swallow many. Lines end with LF or
/// CRLF; empty ones are passed over, and so is a byte order mark.
struct CSVReader {
    /// What came next in the file.
    enum Row: Equatable {
        /// The fields of a row that begins at a line, from 1.
        case fields([String], line: Int)
        /// A row that cannot be read, and why.
        case malformed(reason: String, line: Int)
    }

    /// How many bytes a row may have.
    ///
    /// It bounds what an unclosed quotation mark can swallow before it is noticed.
    static let maximumRowLength = 64 * 1024

    private enum State {
        case fieldStart, unquoted, quoted, quoteInQuoted
    }

    /// How large the file is, in bytes.
    let byteCount: Int
    /// How many bytes have become rows.
    private(set) var bytesRead = 0

    private let file: FileHandle
    private var buffer: [UInt8] = []
    /// Where the next row begins in the buffer.
    private var start = 0
    private var line = 1
    /// How many fields a row must have, once the first was read.
    private var fieldCount: Int?

    /// Opens a file.
    ///
    /// - Parameter path: The file's path.
    /// - Throws: An error of the file system.
    init(path: String) throws {
        let url = URL(filePath: path)
        file = try FileHandle(forReadingFrom: url)
        byteCount = try url.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0
        if try byte(at: 2) != nil, buffer.starts(with: [0xEF, 0xBB, 0xBF]) {
            consume(upTo: 3)
        }
    }

    /// Reads the next row.
    ///
    /// - Returns: The row; `nil` at the end of the file.
    /// - Throws: An error of the file system.
    mutating func next() throws -> Row? {
        while let byte = try byte(at: start), byte == .lineFeed || byte == .carriageReturn {
            if byte == .lineFeed { line += 1 }
            consume(upTo: start + 1)
        }
        return try readRow()
    }

    private mutating func readRow() throws -> Row? {
        forgetRowsRead()
        var state = State.fieldStart
        var fields: [[UInt8]] = []
        var field: [UInt8] = []
        var fault: String?
        var lineBreaks = 0
        var index = start

        while let byte = try byte(at: index) {
            guard index - start < Self.maximumRowLength else {
                return try skipLine(because: "the row is longer than 64 KB, or a quotation mark is not closed")
            }
            index += 1
            switch (state, byte) {
            case (.quoted, .quote):
                state = .quoteInQuoted
            case (.quoted, _):
                if byte == .lineFeed { lineBreaks += 1 }
                field.append(byte)
            case (.quoteInQuoted, .quote):
                field.append(byte)
                state = .quoted
            case (_, .lineFeed):
                lineBreaks += 1
                return try finish(fields + [field], fault, endingAt: index, lineBreaks)
            case (.fieldStart, .quote):
                state = .quoted
            case (_, .comma):
                fields.append(field)
                field = []
                state = .fieldStart
            case (_, .carriageReturn) where try self.byte(at: index) == .lineFeed:
                break
            case (.quoteInQuoted, _):
                fault = fault ?? "there is text behind a closing quotation mark"
                state = .unquoted
            case (_, .quote):
                fault = fault ?? "there is a quotation mark inside a field without quotation marks"
                state = .unquoted
            default:
                field.append(byte)
                state = .unquoted
            }
        }
        guard index > start else { return nil }
        guard state != .quoted else { return try skipLine(because: "a quotation mark is not closed") }
        return try finish(fields + [field], fault, endingAt: index, lineBreaks)
    }

    private mutating func finish(
        _ fields: [[UInt8]], _ fault: String?, endingAt end: Int, _ lineBreaks: Int
    ) throws -> Row {
        if let fault { return try skipLine(because: fault) }
        if let fieldCount, fields.count != fieldCount {
            return try skipLine(because: "the row has \(fields.count) fields instead of \(fieldCount)")
        }
        let texts = fields.compactMap { String(validating: $0, as: UTF8.self) }
        guard texts.count == fields.count else { return try skipLine(because: "the row is not UTF-8") }

        defer { line += lineBreaks }
        fieldCount = fields.count
        consume(upTo: end)
        return .fields(texts, line: line)
    }

    /// Gives a row up, and goes on behind its first line.
    private mutating func skipLine(because reason: String) throws -> Row {
        defer { line += 1 }
        while try byte(at: start) != nil {
            if let end = buffer[start...].firstIndex(of: .lineFeed) {
                consume(upTo: end + 1)
                break
            }
            consume(upTo: buffer.count)
            forgetRowsRead()
        }
        return .malformed(reason: reason, line: line)
    }

    /// Keeps the buffer short; once in many rows, because what is left is moved.
    private mutating func forgetRowsRead() {
        guard start >= Self.maximumRowLength else { return }
        buffer.removeFirst(start)
        start = 0
    }

    private mutating func consume(upTo end: Int) {
        bytesRead += end - start
        start = end
    }

    /// The byte at an index of the buffer, read from the file when it is not there yet.
    private mutating func byte(at index: Int) throws -> UInt8? {
        while index >= buffer.count {
            guard let chunk = try file.read(upToCount: Self.maximumRowLength), !chunk.isEmpty else { return nil }
            buffer.append(contentsOf: chunk)
        }
        return buffer[index]
    }
}

extension UInt8 {
    fileprivate static let comma = UInt8(ascii: ",")
    fileprivate static let quote = UInt8(ascii: "\"")
    fileprivate static let lineFeed = UInt8(ascii: "\n")
    fileprivate static let carriageReturn = UInt8(ascii: "\r")
}
