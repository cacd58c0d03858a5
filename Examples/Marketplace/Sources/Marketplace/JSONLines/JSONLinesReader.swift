import Foundation

/// Reads a file of JSON values, one a line (jsonlines.org), in bounded memory.
///
/// A line that is too long costs itself and no other. Lines end with LF or CRLF; empty ones are passed over, and so is a
/// byte order mark.
struct JSONLinesReader {
    /// What came next in the file.
    enum Line: Equatable {
        /// The bytes of a line, and its number from 1.
        case bytes([UInt8], line: Int)
        /// A line that has too many bytes.
        case tooLong(line: Int)
    }

    /// How many bytes a line may have.
    static let maximumLineLength = 1 << 20

    private static let chunk = 1 << 16

    /// How large the file is, in bytes.
    let byteCount: Int
    /// How many bytes have become lines.
    private(set) var bytesRead = 0

    private let file: FileHandle
    private var buffer: [UInt8] = []
    /// Where the next line begins in the buffer.
    private var start = 0
    private var line = 0

    /// Opens a file.
    ///
    /// - Parameter path: The file's path.
    /// - Throws: An error of the file system.
    init(path: String) throws {
        let url = URL(filePath: path)
        file = try FileHandle(forReadingFrom: url)
        byteCount = try url.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0
        while buffer.count < 3, try fill() {}
        if buffer.starts(with: [0xEF, 0xBB, 0xBF]) {
            start = 3
            bytesRead = 3
        }
    }

    /// Reads the next line.
    ///
    /// - Returns: The line; `nil` at the end of the file.
    /// - Throws: An error of the file system.
    mutating func next() throws -> Line? {
        while var bytes = try nextBytes() {
            if bytes.count > Self.maximumLineLength { return .tooLong(line: line) }
            while let last = bytes.last, last == 0x0D || last == 0x20 || last == 0x09 { bytes.removeLast() }
            if !bytes.isEmpty { return .bytes(bytes, line: line) }
        }
        return nil
    }

    /// The bytes up to the next end of a line; of a line that is too long its first ones.
    private mutating func nextBytes() throws -> [UInt8]? {
        var taken: [UInt8] = []
        var isAtEnd = start == buffer.count
        if isAtEnd { isAtEnd = try !fill() }
        guard !isAtEnd else { return nil }
        line += 1
        while true {
            let rest = buffer[start...]
            let end = rest.firstIndex(of: 0x0A)
            let part = rest[..<(end ?? rest.endIndex)]
            if taken.count <= Self.maximumLineLength {
                taken += part.prefix(Self.maximumLineLength + 1 - taken.count)
            }
            bytesRead += part.count + (end == nil ? 0 : 1)
            start = end.map { $0 + 1 } ?? buffer.endIndex
            if end != nil { return taken }
            guard try fill() else { return taken }
        }
    }

    /// Reads more of the file; `false` at its end.
    private mutating func fill() throws -> Bool {
        guard let data = try file.read(upToCount: Self.chunk), !data.isEmpty else { return false }
        if start > 0 {
            buffer.removeFirst(start)
            start = 0
        }
        buffer += data
        return true
    }
}
