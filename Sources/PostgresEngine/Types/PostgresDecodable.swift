public import PersistenceCore

/// A Swift type that can be read from a column.
public protocol PostgresDecodable {
    /// Reads a value that is not NULL.
    ///
    /// - Parameter value: The bytes and their type, lent for the duration of the call.
    /// - Returns: The value.
    /// - Throws: ``PersistenceError`` with the code `decoding` when the column's type is another, when the bytes are
    ///   malformed, or when the Swift type cannot hold the value. The row adds the query's and the column's name.
    static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> Self

    /// The value for NULL.
    ///
    /// - Returns: The value.
    /// - Throws: ``PersistenceError`` with the code `decoding`, unless the type has a value for NULL, as `Optional` has.
    static func decodeNull() throws(PersistenceError) -> Self
}

extension PostgresDecodable {
    /// Refuses NULL.
    public static func decodeNull() throws(PersistenceError) -> Self {
        throw PersistenceError(.decoding, "expected \(Self.self), found NULL")
    }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    /// Reads a value that is not NULL.
    @inlinable
    public static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> Self {
        try Wrapped.decode(value)
    }

    /// `nil`.
    @inlinable
    public static func decodeNull() throws(PersistenceError) -> Self { nil }
}

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
}
