public import PersistenceCore

/// Reads the parts of one binary value in order; every read is checked against the bytes that are left.
///
/// Lent by ``PostgresValue/read(as:_:)``; it cannot be copied, so it cannot outlive the call.
public struct PostgresReader: ~Copyable {
    @usableFromInline var pointer: UnsafeRawPointer

    /// How many bytes have not been read.
    public private(set) var remaining: Int

    /// The type of the value that is being read.
    public let type: PostgresType

    @usableFromInline
    init(start: UnsafeRawPointer, count: Int, type: PostgresType) {
        self.pointer = start
        self.remaining = count
        self.type = type
    }

    /// Whether every byte has been read.
    public var isAtEnd: Bool { remaining == 0 }

    /// Reads an integer in network byte order.
    ///
    /// - Parameter type: The integer's type, which says how many bytes it has.
    /// - Returns: The integer.
    /// - Throws: ``PersistenceError`` with the code `decoding` when too few bytes are left.
    @inlinable
    public mutating func read<I: FixedWidthInteger>(_ type: I.Type = I.self) throws(PersistenceError) -> I {
        let start = try advance(MemoryLayout<I>.size)
        return I(bigEndian: start.loadUnaligned(as: type))
    }

    /// Lends the next bytes.
    ///
    /// - Parameters:
    ///   - count: How many bytes.
    ///   - body: Reads the bytes; they are not valid afterwards.
    /// - Returns: What `body` returns.
    /// - Throws: ``PersistenceError`` with the code `decoding` when too few bytes are left, and what `body` throws.
    @inlinable
    public mutating func read<R>(
        count: Int,
        _ body: (UnsafeRawBufferPointer) throws(PersistenceError) -> R
    ) throws(PersistenceError) -> R {
        let start = try advance(count)
        return try body(UnsafeRawBufferPointer(start: start, count: count))
    }

    /// Reads a four-byte length and the value that follows; the length -1 is NULL.
    ///
    /// - Parameters:
    ///   - swiftType: The Swift type to read.
    ///   - type: The value's PostgreSQL type.
    /// - Returns: The value.
    /// - Throws: ``PersistenceError`` with the code `decoding` when the length does not fit, and what decoding throws.
    @inlinable
    public mutating func readField<T: PostgresDecodable>(
        _ swiftType: T.Type = T.self,
        type: PostgresType
    ) throws(PersistenceError) -> T {
        let length = Int(try read(Int32.self))
        if length == -1 {
            guard T.canDecode(type) else { throw mismatch(swiftType, type) }
            return try T.decodeNull()
        }
        let start = try advance(length)
        return try T.decode(
            PostgresValue(bytes: UnsafeRawBufferPointer(start: start, count: length), type: type, format: .binary))
    }

    @usableFromInline
    mutating func advance(_ count: Int) throws(PersistenceError) -> UnsafeRawPointer {
        guard count >= 0, count <= remaining else {
            throw malformed(count < 0 ? "a length is negative" : "it ends too early")
        }
        let start = pointer
        pointer += count
        remaining -= count
        return start
    }

    /// The error for bytes that are no value of the type.
    ///
    /// - Parameter reason: What is wrong with them, without quoting them.
    /// - Returns: The error to throw.
    @inline(never)
    public func malformed(_ reason: String) -> PersistenceError {
        PersistenceError(.decoding, "the \(type.name) value is malformed: \(reason)")
    }

    @usableFromInline @inline(never)
    func mismatch<T: PostgresDecodable>(_ swiftType: T.Type, _ type: PostgresType) -> PersistenceError {
        let empty = UnsafeRawBufferPointer(start: nil, count: 0)
        return PostgresValue(bytes: empty, type: type).unreadable(as: swiftType)
    }
}
