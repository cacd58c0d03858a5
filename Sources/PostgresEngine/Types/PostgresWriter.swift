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

    // Not an array that grows with every value: appending to one costs several times as much as storing an integer.
    /// The room there is; what has been written is at its beginning.
    @usableFromInline var room: [UInt8]

    @usableFromInline var used: Int

    /// How many bytes have been written.
    @inlinable
    public var count: Int { used }

    /// Creates an empty writer.
    @inlinable
    public init() {
        room = []
        used = 0
    }

    /// A copy of the bytes written so far.
    var bytes: [UInt8] { Array(room[..<count]) }

    /// Lends the bytes written so far.
    borrowing func withBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        room.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    }

    /// Forgets all bytes and keeps the memory.
    @inlinable
    mutating func removeAll() {
        used = 0
    }

    /// Forgets the first bytes.
    mutating func removeFirst(_ size: Int) {
        let rest = used - size
        room.withUnsafeMutableBytes { room in
            guard let base = room.baseAddress, rest > 0 else { return }
            // The two may overlap, which this allows.
            base.copyMemory(from: base + size, byteCount: rest)
        }
        used = rest
    }

    /// Takes the next bytes for writing; the caller writes every one of them.
    @inlinable
    mutating func claim(_ size: Int, _ body: (UnsafeMutableRawPointer) -> Void) {
        if room.count - used < size { makeRoom(for: size) }
        let start = used
        // Not nil: there is room, so the array is not empty.
        room.withUnsafeMutableBytes { body($0.baseAddress.unsafelyUnwrapped + start) }
        used += size
    }

    /// Makes room for more bytes, twice as much as there was at least.
    @usableFromInline @inline(never)
    mutating func makeRoom(for size: Int) {
        let capacity = max(count + size, room.count * 2, 128)
        room = Array(unsafeUninitializedCapacity: capacity) { buffer, initialized in
            let rest = UnsafeMutableBufferPointer(rebasing: buffer[buffer.update(fromContentsOf: room[..<count])...])
            rest.initialize(repeating: 0)
            initialized = capacity
        }
    }

    /// Appends an integer in network byte order.
    ///
    /// - Parameter value: The integer.
    @inlinable
    public mutating func write<T: FixedWidthInteger>(_ value: T) {
        let size = MemoryLayout<T>.size
        claim(size) { start in
            withUnsafeBytes(of: value.bigEndian) {
                start.copyMemory(from: $0.baseAddress.unsafelyUnwrapped, byteCount: size)
            }
        }
    }

    /// Appends bytes as they are.
    ///
    /// - Parameter sequence: The bytes.
    @inlinable
    public mutating func write(bytes sequence: some Sequence<UInt8>) {
        let isWritten: Void? = sequence.withContiguousStorageIfAvailable { write(UnsafeRawBufferPointer($0)) }
        guard isWritten == nil else { return }
        for byte in sequence { write(byte) }
    }

    @inlinable
    mutating func write(_ source: UnsafeRawBufferPointer) {
        guard let base = source.baseAddress, source.count > 0 else { return }
        claim(source.count) { $0.copyMemory(from: base, byteCount: source.count) }
    }

    /// Appends a string's UTF-8 bytes, without a terminator.
    ///
    /// - Parameter string: The string.
    @inlinable
    public mutating func write(utf8 string: String) {
        write(bytes: string.utf8)
    }

    /// Appends text as PostgreSQL can store it: UTF-8 without NUL.
    ///
    /// - Parameter text: The text.
    /// - Throws: ``PersistenceError`` with the code `encoding` when the text contains a NUL (U+0000), which no text type of
    ///   PostgreSQL can hold.
    @inlinable
    public mutating func write(text: String) throws(PersistenceError) {
        let start = count
        write(bytes: text.utf8)
        if containsNUL(from: start) {
            used = start
            throw PersistenceError(.encoding, "the text contains a NUL character, which PostgreSQL cannot store")
        }
    }

    @usableFromInline
    func containsNUL(from start: Int) -> Bool {
        withBytes { buffer in
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
        let start = count
        write(Int32(0))
        try body(&self)
        let length = try Self.checkedLength(count - start - 4)
        overwrite(length, at: start)
    }

    /// Replaces four bytes that have been written.
    @inlinable
    mutating func overwrite(_ value: Int32, at start: Int) {
        room.withUnsafeMutableBytes { $0.storeBytes(of: value.bigEndian, toByteOffset: start, as: Int32.self) }
    }

    /// Appends a value in binary with its length, as records and rows of binary COPY hold it.
    ///
    /// - Parameter value: The value; `nil` is NULL.
    /// - Throws: ``PersistenceError`` with the code `encoding` when PostgreSQL's type cannot hold the value, or `tooLarge`.
    @inlinable
    public mutating func writeField<T: PostgresEncodable>(_ value: T?) throws(PersistenceError) {
        if let value {
            try value.encodeField(into: &self)
        } else {
            write(Int32(-1))
        }
    }

    /// Appends an integer in network byte order with its length before it.
    @inlinable
    mutating func writeField<T: FixedWidthInteger>(integer value: T) {
        let size = MemoryLayout<T>.size
        claim(4 + size) { start in
            start.storeBytes(of: Int32(truncatingIfNeeded: size).bigEndian, as: Int32.self)
            withUnsafeBytes(of: value.bigEndian) {
                (start + 4).copyMemory(from: $0.baseAddress.unsafelyUnwrapped, byteCount: size)
            }
        }
    }

    /// Appends text with its length before it; for what it throws see ``write(text:)``.
    @inlinable
    mutating func writeField(text: String) throws(PersistenceError) {
        if text.utf8.withContiguousStorageIfAvailable({ writeField(text: $0) }) == true { return }
        try writeWithLength { writer throws(PersistenceError) in try writer.write(text: text) }
    }

    /// Returns false, and appends nothing, when the text is too long or contains a NUL.
    @usableFromInline
    mutating func writeField(text: UnsafeBufferPointer<UInt8>) -> Bool {
        let base = text.baseAddress
        guard text.count <= Self.maximumValueLength, base.map({ memchr($0, 0, text.count) == nil }) ?? true else {
            return false
        }
        claim(4 + text.count) { start in
            start.storeBytes(of: Int32(truncatingIfNeeded: text.count).bigEndian, as: Int32.self)
            if let base { (start + 4).copyMemory(from: base, byteCount: text.count) }
        }
        return true
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
        write(UInt8(ascii: "\""))
        for byte in scratch.bytes {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { write(UInt8(ascii: "\\")) }
            write(byte)
        }
        write(UInt8(ascii: "\""))
    }
}
