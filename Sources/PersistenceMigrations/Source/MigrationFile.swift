/// Which way a migration goes.
public enum MigrationDirection: String, Hashable, Sendable, CustomStringConvertible {
    /// To a newer schema.
    case up
    /// Back to the schema before.
    case down

    /// `up` or `down`.
    public var description: String { rawValue }
}

/// One file of a migration: its name and its text.
public struct MigrationFile: Hashable, Sendable {
    /// The file's name, such as `000001_create_users.up.sql`.
    public let name: String

    /// Where the file was found, for messages; the name alone when it came from no folder.
    public let path: String

    /// The text, without a byte order mark.
    public let text: String

    /// Creates a file that is part of the program.
    ///
    /// - Parameters:
    ///   - name: The file's name by golang-migrate's rule: `{version}_{title}.up.sql` or `….down.sql`.
    ///   - text: The SQL statements; may be empty.
    public init(name: String, text: String) {
        self.init(name: name, path: name, text: text)
    }

    init(name: String, path: String, text: String) {
        self.name = name
        self.path = path
        self.text = text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
    }

    /// What the ledger's checksum is computed of: the text with every line end made a line feed, so that a checkout that
    /// converts line ends changes nothing.
    var checksumInput: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var previous: UInt8 = 0
        for byte in text.utf8 {
            if byte == 0x0A, previous == 0x0D { bytes.removeLast() }
            bytes.append(byte)
            previous = byte
        }
        return bytes
    }
}

/// The parts of a migration file's name.
///
/// The rule is golang-migrate's: `^([0-9]+)_(.*)\.(down|up)\.(.*)$`.
struct MigrationFileName: Hashable {
    var version: Int64
    var title: String
    var direction: MigrationDirection

    enum Failure: Error, Hashable {
        /// Another kind of file.
        case noMigration
        /// A migration whose version does not fit the version table's `bigint`.
        case versionTooLarge
    }

    init(_ name: String) throws(Failure) {
        let digits = name.utf8.prefix { UInt8(ascii: "0") <= $0 && $0 <= UInt8(ascii: "9") }
        let afterDigits = name.utf8[digits.endIndex...]
        guard !digits.isEmpty, afterDigits.first == UInt8(ascii: "_"), !name.utf8.contains(0x0A) else {
            throw .noMigration
        }
        let rest = Array(afterDigits.dropFirst())
        // The title is the longest possible, so the direction is the last one in the name.
        guard let (start, direction) = Self.direction(in: rest) else { throw .noMigration }
        guard let version = Int64(String(decoding: digits, as: UTF8.self)) else { throw .versionTooLarge }
        self.version = version
        self.title = String(decoding: rest[..<start], as: UTF8.self)
        self.direction = direction
    }

    private static func direction(in rest: [UInt8]) -> (start: Int, direction: MigrationDirection)? {
        let up = Array(".up.".utf8)
        let down = Array(".down.".utf8)
        for start in rest.indices.reversed() where rest[start] == UInt8(ascii: ".") {
            if rest[start...].starts(with: up) { return (start, .up) }
            if rest[start...].starts(with: down) { return (start, .down) }
        }
        return nil
    }
}
