#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The token of a cursor: base64url of a version, a checksum, and the cursor.
///
///     version 1 | checksum 4 | direction 1 | name 2 + n | number of keys 1 | (type 1 | value) …
///
/// Numbers are little-endian.
enum PageToken {
    private static let version: UInt8 = 1
    private static let headerLength = 5

    static func encode(
        listing: String,
        direction: PageCursor.Direction,
        keys: [PageKeyValue]
    ) throws(PersistenceError) -> String {
        var writer = Writer()
        writer.append(direction.rawValue)
        writer.append(listing)
        writer.append(UInt8(clamping: keys.count))
        for key in keys {
            writer.append(key)
        }
        let body = writer.bytes
        var bytes = [version]
        bytes.append(littleEndian: checksum(body[...]))
        bytes += body
        let token = text(of: bytes)
        guard keys.count <= UInt8.max, !writer.isTooLong, token.utf8.count <= PageCursor.maximumTokenLength else {
            throw PersistenceError(.tooLarge, "the keys of the list are too long for a page token")
        }
        return token
    }

    static func decode(
        _ token: String
    ) throws(PersistenceError) -> (listing: String, direction: PageCursor.Direction, keys: [PageKeyValue]) {
        guard token.utf8.count <= PageCursor.maximumTokenLength else {
            throw PersistenceError(.invalidArgument, "the page token is too long")
        }
        guard let bytes = bytes(of: token), let found = bytes.first else { throw malformed }
        guard found == version else {
            throw PersistenceError(.invalidArgument, "the page token is of another version")
        }
        guard bytes.count > headerLength else { throw malformed }
        var header = Reader(bytes: bytes[1..<headerLength])
        let body = bytes[headerLength...]
        guard header.integer(UInt32.self) == checksum(body) else {
            throw PersistenceError(.invalidArgument, "the page token is damaged")
        }
        // The checksum is no proof of where the token came from, so nothing below trusts the contents.
        var reader = Reader(bytes: body)
        guard let direction = reader.byte().flatMap(PageCursor.Direction.init), let listing = reader.text(),
            !listing.isEmpty, let count = reader.byte(), count > 0
        else { throw malformed }
        var keys: [PageKeyValue] = []
        for _ in 0..<count {
            guard let key = reader.key() else { throw malformed }
            keys.append(key)
        }
        guard reader.isAtEnd else { throw malformed }
        return (listing, direction, keys)
    }

    private static var malformed: PersistenceError {
        PersistenceError(.invalidArgument, "the page token is malformed")
    }

    /// FNV-1a, 32 bits: enough to tell a token that was cut or mistyped.
    private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.reduce(0x811C_9DC5) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
    }

    private static func text(of bytes: [UInt8]) -> String {
        let characters = Data(bytes).base64EncodedString().utf8.compactMap { character -> UInt8? in
            switch character {
            case UInt8(ascii: "+"): UInt8(ascii: "-")
            case UInt8(ascii: "/"): UInt8(ascii: "_")
            case UInt8(ascii: "="): nil
            default: character
            }
        }
        return String(decoding: characters, as: UTF8.self)
    }

    private static func bytes(of token: String) -> [UInt8]? {
        var characters: [UInt8] = []
        for character in token.utf8 {
            switch character {
            case UInt8(ascii: "-"): characters.append(UInt8(ascii: "+"))
            case UInt8(ascii: "_"): characters.append(UInt8(ascii: "/"))
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                characters.append(character)
            default: return nil
            }
        }
        while characters.count % 4 != 0 {
            characters.append(UInt8(ascii: "="))
        }
        return Data(base64Encoded: Data(characters)).map(Array.init)
    }
}

// MARK: - Bytes

extension PageToken {
    private enum Tag: UInt8 {
        case null
        case no
        case yes
        case integer
        case double
        case text
        case uuid
        case instant
    }

    private struct Writer {
        var bytes: [UInt8] = []
        var isTooLong = false

        mutating func append(_ byte: UInt8) {
            bytes.append(byte)
        }

        mutating func append(_ text: String) {
            let utf8 = text.utf8
            guard utf8.count <= PageCursor.maximumTokenLength else {
                isTooLong = true
                return
            }
            bytes.append(littleEndian: UInt16(utf8.count))
            bytes += utf8
        }

        mutating func append(_ key: PageKeyValue) {
            switch key {
            case .null: append(Tag.null.rawValue)
            case .bool(let value): append((value ? Tag.yes : Tag.no).rawValue)
            case .integer(let value):
                append(Tag.integer.rawValue)
                bytes.append(littleEndian: value)
            case .double(let value):
                append(Tag.double.rawValue)
                bytes.append(littleEndian: value.bitPattern)
            case .text(let value):
                append(Tag.text.rawValue)
                append(value)
            case .uuid(let value):
                append(Tag.uuid.rawValue)
                withUnsafeBytes(of: value.uuid) { bytes += $0 }
            case .instant(let value):
                append(Tag.instant.rawValue)
                bytes.append(littleEndian: value.timeIntervalSinceReferenceDate.bitPattern)
            }
        }
    }

    private struct Reader {
        var bytes: ArraySlice<UInt8>

        var isAtEnd: Bool { bytes.isEmpty }

        mutating func byte() -> UInt8? { bytes.popFirst() }

        mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
            guard count <= bytes.count else { return nil }
            defer { bytes = bytes.dropFirst(count) }
            return bytes.prefix(count)
        }

        mutating func integer<Integer: FixedWidthInteger>(_ type: Integer.Type) -> Integer? {
            guard let taken = take(Integer.bitWidth / 8) else { return nil }
            return taken.reversed().reduce(0) { $0 << 8 | Integer(truncatingIfNeeded: $1) }
        }

        mutating func text() -> String? {
            guard let count = integer(UInt16.self), let taken = take(Int(count)) else { return nil }
            return String(validating: taken, as: UTF8.self)
        }

        mutating func key() -> PageKeyValue? {
            switch byte().flatMap(Tag.init) {
            case .null: .null
            case .no: .bool(false)
            case .yes: .bool(true)
            case .integer: integer(Int64.self).map(PageKeyValue.integer)
            case .double: integer(UInt64.self).map { .double(Double(bitPattern: $0)) }
            case .text: text().map(PageKeyValue.text)
            case .uuid: take(16).map { .uuid(Self.uuid($0)) }
            case .instant: instant()
            case nil: nil
            }
        }

        private mutating func instant() -> PageKeyValue? {
            guard let bits = integer(UInt64.self) else { return nil }
            return .instant(Date(timeIntervalSinceReferenceDate: Double(bitPattern: bits)))
        }

        private static func uuid(_ taken: ArraySlice<UInt8>) -> UUID {
            var uuid = UUID().uuid
            withUnsafeMutableBytes(of: &uuid) { $0.copyBytes(from: taken) }
            return UUID(uuid: uuid)
        }
    }
}

extension [UInt8] {
    fileprivate mutating func append(littleEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { self += $0 }
    }
}
