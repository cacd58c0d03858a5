public import PersistenceCore

/// A Swift type that can be read from a column.
public protocol PostgresDecodable {
    /// Whether values of a type can be read at all, whatever the bytes.
    ///
    /// A column of another type is an error even when it holds no value that could be misread, such as an empty array.
    ///
    /// - Parameter type: The type that the server reports.
    /// - Returns: Whether ``decode(_:)`` reads this type; `true` unless a type says otherwise.
    static func canDecode(_ type: PostgresType) -> Bool

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
    /// Any type; ``decode(_:)`` decides.
    public static func canDecode(_ type: PostgresType) -> Bool { true }

    /// Refuses NULL.
    public static func decodeNull() throws(PersistenceError) -> Self {
        throw PersistenceError(.decoding, "expected \(Self.self), found NULL")
    }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    /// What the wrapped type reads.
    @inlinable
    public static func canDecode(_ type: PostgresType) -> Bool { Wrapped.canDecode(type) }

    /// Reads a value that is not NULL.
    @inlinable
    public static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> Self {
        try Wrapped.decode(value)
    }

    /// `nil`.
    @inlinable
    public static func decodeNull() throws(PersistenceError) -> Self { nil }
}

extension PostgresDecodable where Self: RawRepresentable, RawValue: PostgresDecodable {
    /// What the raw value reads.
    @inlinable
    public static func canDecode(_ type: PostgresType) -> Bool { RawValue.canDecode(type) }

    /// Reads the raw value.
    @inlinable
    public static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> Self {
        guard let decoded = Self(rawValue: try RawValue.decode(value)) else {
            throw value.unrepresentable(as: Self.self)
        }
        return decoded
    }
}
