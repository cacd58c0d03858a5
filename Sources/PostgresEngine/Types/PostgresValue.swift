public import PersistenceCore

/// A borrowed view of one value that is not NULL.
///
/// The bytes belong to the result of a query. The view cannot be copied, so it cannot outlive the call that lends it.
public struct PostgresValue: ~Copyable {
    @usableFromInline let pointer: UnsafeRawPointer

    /// The value's length in bytes.
    public let count: Int

    /// The value's type, as the server reported it; a domain is reported as its base type.
    public let type: PostgresType

    /// The representation of the bytes.
    public let format: PostgresFormat

    /// Creates a view.
    ///
    /// - Parameters:
    ///   - bytes: The value's bytes; they must stay valid as long as the view is lent.
    ///   - type: The value's type.
    ///   - format: The representation of the bytes.
    @inlinable
    public init(bytes: UnsafeRawBufferPointer, type: PostgresType, format: PostgresFormat = .binary) {
        // An empty value may come with no address; the pointer is then never read.
        self.pointer = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1).unsafelyUnwrapped
        self.count = bytes.count
        self.type = type
        self.format = format
    }

    /// Lends the bytes.
    ///
    /// - Parameter body: Reads the bytes; they are not valid afterwards.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    @inlinable
    public func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try body(UnsafeRawBufferPointer(start: pointer, count: count))
    }

    /// Reads the value piece by piece, to its last byte.
    ///
    /// - Parameters:
    ///   - type: The Swift type that is being read; the value must have a type that it can decode, in binary.
    ///   - body: Reads everything that the value consists of.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws, and ``PersistenceError`` with the code `decoding` when the type or the format is
    ///   another, or when bytes are left over.
    @inlinable
    public func read<T: PostgresDecodable, R>(
        as type: T.Type,
        _ body: (inout PostgresReader) throws(PersistenceError) -> R
    ) throws(PersistenceError) -> R {
        guard format == .binary, T.canDecode(self.type) else { throw unreadable(as: type) }
        var reader = PostgresReader(start: pointer, count: count, type: self.type)
        let value = try body(&reader)
        guard reader.isAtEnd else { throw malformed("\(reader.remaining) bytes are left over") }
        return value
    }

    /// Checks type, format and length of a value of fixed size.
    @inlinable
    func require<T: PostgresDecodable>(_ type: T.Type, count expected: Int) throws(PersistenceError) {
        guard format == .binary, count == expected, T.canDecode(self.type) else { throw unreadable(as: type) }
    }

    /// Loads an integer in network byte order; the caller has checked that its bytes are there.
    @inlinable
    func load<I: FixedWidthInteger>(_ type: I.Type, at offset: Int = 0) -> I {
        I(bigEndian: pointer.loadUnaligned(fromByteOffset: offset, as: type))
    }

    /// Why the value cannot be read: another type, another format, or the wrong number of bytes.
    ///
    /// - Parameter swiftType: The Swift type that was asked for.
    /// - Returns: The error to throw; it names the expected and the found type, never the value.
    @inline(never)
    public func unreadable<T: PostgresDecodable>(as swiftType: T.Type) -> PersistenceError {
        guard T.canDecode(type) else {
            let hint = type.isUserDefined ? " (cast a domain inside an array or record to its base type)" : ""
            return PersistenceError(.decoding, "expected \(swiftType), found \(type.name)\(hint)")
        }
        guard format == .binary else {
            return PersistenceError(
                .decoding, "expected \(swiftType) in binary, found \(type.name) as text; read it as String")
        }
        return malformed("\(count) bytes are the wrong length for \(swiftType)")
    }

    /// The error for bytes that are no value of the type.
    ///
    /// - Parameter reason: What is wrong with them, without quoting them.
    /// - Returns: The error to throw.
    @inline(never)
    public func malformed(_ reason: String) -> PersistenceError {
        PersistenceError(.decoding, "the \(type.name) value is malformed: \(reason)")
    }

    /// The error for a value that is well-formed but beyond what the Swift type holds.
    ///
    /// - Parameter swiftType: The Swift type that was asked for.
    /// - Returns: The error to throw.
    @inline(never)
    public func unrepresentable<T>(as swiftType: T.Type) -> PersistenceError {
        PersistenceError(.decoding, "the \(type.name) value cannot be represented as \(swiftType)")
    }
}
