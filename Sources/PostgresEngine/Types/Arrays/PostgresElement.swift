public import PersistenceCore

/// A type that can be sent, read, and held by arrays, ranges' arrays and records: every built-in type but `UInt8`.
///
/// Declaring the conformance is all that a type which is ``PostgresEncodable`` and ``PostgresDecodable`` needs in order
/// that `[T]`, `[T?]` and ``PostgresArray`` of it can be parameters and columns.
public protocol PostgresElement: PostgresArrayElement, PostgresEncodable, PostgresDecodable {}

/// A type whose one-dimensional arrays, `[Self]`, can be parameters and columns.
///
/// The type decides what its arrays are, because they are not always PostgreSQL arrays: `[UInt8]` is a `bytea`. Conform to
/// ``PostgresElement`` instead, which brings all of this.
public protocol PostgresArrayElement {
    /// The type that a parameter `[Self]` is declared as.
    static var postgresArrayType: PostgresType { get }

    /// The representation that ``encodeArray(_:into:)`` writes.
    static var postgresArrayFormat: PostgresFormat { get }

    /// The type of `[Self]` in the binary representation of a record.
    static var postgresArrayBinaryType: PostgresType { get }

    /// Whether `[Self]` can be read from values of a type.
    ///
    /// - Parameter type: The type that the server reports.
    /// - Returns: Whether it can.
    static func canDecodeArray(_ type: PostgresType) -> Bool

    /// Reads `[Self]`.
    ///
    /// - Parameter value: The value.
    /// - Returns: The elements.
    /// - Throws: ``PersistenceError`` with the code `decoding`.
    static func decodeArray(_ value: borrowing PostgresValue) throws(PersistenceError) -> [Self]

    /// Appends `[Self]`.
    ///
    /// - Parameters:
    ///   - array: The elements.
    ///   - writer: Takes the bytes.
    /// - Throws: ``PersistenceError`` with the code `encoding`.
    static func encodeArray(_ array: [Self], into writer: inout PostgresWriter) throws(PersistenceError)

    /// Appends the binary representation of `[Self]`.
    ///
    /// - Parameters:
    ///   - array: The elements.
    ///   - writer: Takes the bytes.
    /// - Throws: ``PersistenceError`` with the code `encoding`.
    static func encodeArrayBinary(_ array: [Self], into writer: inout PostgresWriter) throws(PersistenceError)
}

extension PostgresElement {
    /// The array of the element's type; left to the server where the element's is.
    public static var postgresArrayType: PostgresType { postgresType.arrayType ?? .unspecified }

    /// The element's format.
    @inlinable public static var postgresArrayFormat: PostgresFormat { postgresFormat }

    /// The array of the element's binary type.
    public static var postgresArrayBinaryType: PostgresType { postgresBinaryType.arrayType ?? .unspecified }

    /// Arrays of what the element reads.
    @inlinable
    public static func canDecodeArray(_ type: PostgresType) -> Bool {
        PostgresArrayCoding.canDecode(arrayOf: Self.self, type)
    }

    /// Reads an array of at most one dimension that holds no NULL.
    @inlinable
    public static func decodeArray(_ value: borrowing PostgresValue) throws(PersistenceError) -> [Self] {
        try PostgresArrayCoding.decode(value, as: [Self].self)
    }

    /// Appends an array of one dimension.
    @inlinable
    public static func encodeArray(_ array: [Self], into writer: inout PostgresWriter) throws(PersistenceError) {
        if postgresFormat == .text {
            try PostgresArrayCoding.encodeLiteral(array, into: &writer) { $0 }
        } else {
            try encodeArrayBinary(array, into: &writer)
        }
    }

    /// Appends an array of one dimension in binary.
    @inlinable
    public static func encodeArrayBinary(_ array: [Self], into writer: inout PostgresWriter) throws(PersistenceError) {
        try PostgresArrayCoding.encode(array, into: &writer) { $0 }
    }
}

/// Arrays with NULL elements.
extension Optional: PostgresArrayElement where Wrapped: PostgresElement {
    /// The wrapped type's array.
    public static var postgresArrayType: PostgresType { Wrapped.postgresArrayType }

    /// The wrapped type's format.
    @inlinable public static var postgresArrayFormat: PostgresFormat { Wrapped.postgresFormat }

    /// The wrapped type's array in binary.
    public static var postgresArrayBinaryType: PostgresType { Wrapped.postgresArrayBinaryType }

    /// Arrays of what the wrapped type reads.
    @inlinable
    public static func canDecodeArray(_ type: PostgresType) -> Bool {
        PostgresArrayCoding.canDecode(arrayOf: Wrapped.self, type)
    }

    /// Reads an array of at most one dimension.
    @inlinable
    public static func decodeArray(_ value: borrowing PostgresValue) throws(PersistenceError) -> [Wrapped?] {
        try PostgresArrayCoding.decode(value, as: [Wrapped?].self)
    }

    /// Appends an array of one dimension.
    @inlinable
    public static func encodeArray(_ array: [Wrapped?], into writer: inout PostgresWriter) throws(PersistenceError) {
        if Wrapped.postgresFormat == .text {
            try PostgresArrayCoding.encodeLiteral(array, into: &writer) { $0 }
        } else {
            try encodeArrayBinary(array, into: &writer)
        }
    }

    /// Appends an array of one dimension in binary.
    @inlinable
    public static func encodeArrayBinary(
        _ array: [Wrapped?], into writer: inout PostgresWriter
    ) throws(PersistenceError) {
        try PostgresArrayCoding.encode(array, into: &writer) { $0 }
    }
}
