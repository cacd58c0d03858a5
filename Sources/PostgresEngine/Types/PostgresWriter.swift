public import PersistenceCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A growing run of bytes in PostgreSQL's wire representation: integers in network byte order.
public struct PostgresWriter: Sendable {
    /// The largest value that PostgreSQL takes: one byte less than 1 GiB (`MaxAllocSize` in PostgreSQL's sources).
    static var maximumValueLength: Int { 0x3fff_ffff }

    /// The bytes written so far.
    @usableFromInline var bytes: [UInt8]

    /// Creates an empty writer.
    @inlinable
    public init() {
        bytes = []
    }

    /// How many bytes have been written.
    @inlinable
    public var count: Int { bytes.count }

    /// Forgets all bytes and keeps the memory.
    @inlinable
    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
    }

    /// Appends an integer in network byte order.
    ///
    /// - Parameter value: The integer.
    @inlinable
    public mutating func write<T: FixedWidthInteger>(_ value: T) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    /// Appends bytes as they are.
    ///
    /// - Parameter sequence: The bytes.
    @inlinable
    public mutating func write(bytes sequence: some Sequence<UInt8>) {
        bytes.append(contentsOf: sequence)
    }

    /// Appends a string's UTF-8 bytes, without a terminator.
    ///
    /// - Parameter string: The string.
    @inlinable
    public mutating func write(utf8 string: String) {
        bytes.append(contentsOf: string.utf8)
    }

    /// Appends text as PostgreSQL can store it: UTF-8 without NUL.
    ///
    /// - Parameter text: The text.
    /// - Throws: ``PersistenceError`` with the code `encoding` when the text contains a NUL (U+0000), which no text type of
    ///   PostgreSQL can hold.
    @inlinable
    public mutating func write(text: String) throws(PersistenceError) {
        let start = bytes.count
        bytes.append(contentsOf: text.utf8)
        if containsNUL(from: start) {
            bytes.removeSubrange(start...)
            throw PersistenceError(.encoding, "the text contains a NUL character, which PostgreSQL cannot store")
        }
    }

    @usableFromInline
    func containsNUL(from start: Int) -> Bool {
        bytes.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress, start < buffer.count else { return false }
            return memchr(base + start, 0, buffer.count - start) != nil
        }
    }

    /// Appends a four-byte length, then what `body` writes; the length counts only the latter.
    ///
    /// - Parameter body: Writes the value.
    /// - Throws: What `body` throws, and ``PersistenceError`` with the code `tooLarge` when it writes 1 GiB or more, which
    ///   PostgreSQL accepts for no value.
    @inlinable
    public mutating func writeWithLength(
        _ body: (inout PostgresWriter) throws(PersistenceError) -> Void
    ) throws(PersistenceError) {
        let start = bytes.count
        write(Int32(0))
        try body(&self)
        let length = try Self.checkedLength(bytes.count - start - 4)
        withUnsafeBytes(of: length.bigEndian) { source in
            for index in 0..<4 { bytes[start + index] = source[index] }
        }
    }

    /// Appends a value in binary with its length, as records and rows of binary COPY hold it.
    ///
    /// - Parameter value: The value; `nil` is NULL.
    /// - Throws: ``PersistenceError`` with the code `encoding` when PostgreSQL's type cannot hold the value, or `tooLarge`.
    @inlinable
    public mutating func writeField<T: PostgresEncodable>(_ value: T?) throws(PersistenceError) {
        if let value {
            try writeWithLength { writer throws(PersistenceError) in try value.encodeBinary(into: &writer) }
        } else {
            write(Int32(-1))
        }
    }

    @usableFromInline
    static func checkedLength(_ length: Int) throws(PersistenceError) -> Int32 {
        guard length <= maximumValueLength else {
            throw PersistenceError(.tooLarge, "a value is larger than 1 GiB, the most that PostgreSQL takes")
        }
        return Int32(truncatingIfNeeded: length)
    }

    /// Appends part of a text literal: an element between double quotes, with double quotes and backslashes escaped.
    ///
    /// - Parameter element: Writes the element's own text.
    /// - Throws: What `element` throws.
    @usableFromInline
    mutating func writeQuoted(
        scratch: inout PostgresWriter,
        _ element: (inout PostgresWriter) throws(PersistenceError) -> Void
    ) throws(PersistenceError) {
        scratch.removeAll()
        try element(&scratch)
        bytes.append(UInt8(ascii: "\""))
        for byte in scratch.bytes {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { bytes.append(UInt8(ascii: "\\")) }
            bytes.append(byte)
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
