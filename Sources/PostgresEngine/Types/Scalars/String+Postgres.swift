public import PersistenceCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

extension String: PostgresElement {
    /// Left to the server, so that the same string can be a `text`, an enum's label, a `citext`, an `xml` or any type's
    /// literal, as the statement has it.
    ///
    /// Where nothing in the statement tells (`SELECT $1`) the server takes `text`, or asks for a cast.
    @inlinable public static var postgresType: PostgresType { .unspecified }

    /// Text.
    @inlinable public static var postgresFormat: PostgresFormat { .text }

    /// `text`.
    @inlinable public static var postgresBinaryType: PostgresType { .text }

    /// `text[]` where a type must be named.
    @inlinable public static var postgresArrayType: PostgresType { .unspecified }

    /// Reads text types, labels of enums, and types of extensions whose binary representation is text, such as `citext`.
    @inlinable
    public static func canDecode(_ type: PostgresType) -> Bool {
        switch type {
        case .text, .varchar, .bpchar, .name, .unknown, .xml, .char, .cstring, .refCursor, .unspecified: true
        default: type.isUserDefined
        }
    }

    /// Reads text.
    ///
    /// Any type is read when it comes as text, as the results of scripts do.
    ///
    /// - Parameter value: The value.
    /// - Returns: The text, as stored; a `bpchar` keeps its padding.
    /// - Throws: ``PersistenceError`` with the code `decoding` when the column is of another type, or is not UTF-8.
    @inlinable
    public static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> String {
        guard value.format == .text || canDecode(value.type) else { throw value.unreadable(as: String.self) }
        if value.type == .char { return try decodeCharacter(value) }
        return try value.text(in: 0..<value.count)
    }

    /// `"char"` is one byte, and its empty value the byte 0.
    @usableFromInline
    static func decodeCharacter(_ value: borrowing PostgresValue) throws(PersistenceError) -> String {
        if value.format == .binary, value.count == 1, value.load(UInt8.self) == 0 { return "" }
        return try value.text(in: 0..<value.count)
    }

    /// Appends UTF-8.
    ///
    /// - Parameter writer: Takes the bytes.
    /// - Throws: ``PersistenceError`` with the code `encoding` when the string contains a NUL, which PostgreSQL cannot store.
    @inlinable
    public func encode(into writer: inout PostgresWriter) throws(PersistenceError) {
        try writer.write(text: self)
    }

    /// The length, and UTF-8.
    ///
    /// - Parameter writer: Takes the bytes.
    /// - Throws: ``PersistenceError`` with the code `encoding` when the string contains a NUL, or `tooLarge`.
    @inlinable
    public func encodeField(into writer: inout PostgresWriter) throws(PersistenceError) {
        try writer.writeField(text: self)
    }
}

extension PostgresValue {
    /// A part of the bytes as text; the caller has checked that the range is inside the value.
    ///
    /// Decoding with repairs and comparing afterwards takes a third of the time of `String(validating:as:)`.
    @usableFromInline
    func text(in range: Range<Int>) throws(PersistenceError) -> String {
        guard !range.isEmpty else { return "" }
        let start = pointer + range.lowerBound
        var text = String(decoding: UnsafeRawBufferPointer(start: start, count: range.count), as: UTF8.self)
        let isUnchanged = text.withUTF8 { decoded in
            guard let base = decoded.baseAddress, decoded.count == range.count else { return false }
            return memcmp(base, start, range.count) == 0
        }
        guard isUnchanged else { throw malformed("it is not UTF-8") }
        return text
    }
}

extension PostgresReader {
    /// The next bytes as text.
    ///
    /// - Parameter count: How many bytes.
    /// - Returns: The text.
    /// - Throws: ``PersistenceError`` with the code `decoding` when too few bytes are left or they are not UTF-8.
    public mutating func readText(count: Int) throws(PersistenceError) -> String {
        let start = try advance(count)
        let bytes = UnsafeRawBufferPointer(start: start, count: count)
        return try PostgresValue(bytes: bytes, type: type).text(in: 0..<count)
    }
}
