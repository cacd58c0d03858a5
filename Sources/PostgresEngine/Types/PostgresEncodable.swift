public import PersistenceCore

/// A Swift type that can be a parameter of a statement.
///
/// A value that wraps another (`struct UserID: RawRepresentable` over a `UUID`) only declares the conformance: a raw value
/// that can be sent and read brings everything.
public protocol PostgresEncodable {
    /// The type that the parameter is declared as; ``PostgresType/unspecified`` lets the server infer it.
    static var postgresType: PostgresType { get }

    /// The representation that ``encode(into:)`` writes.
    static var postgresFormat: PostgresFormat { get }

    /// Appends the value's bytes, without a length.
    ///
    /// - Parameter writer: Takes the bytes.
    /// - Throws: ``PersistenceError`` with the code `encoding` when PostgreSQL's type cannot hold the value.
    func encode(into writer: inout PostgresWriter) throws(PersistenceError)

    /// The type that goes into the binary representation of arrays and records of this type.
    ///
    /// The same as ``postgresType``, except for types that leave the choice of the parameter's type to the server.
    static var postgresBinaryType: PostgresType { get }

    /// Appends the value's binary representation, without a length: a field of a record, or of a row of binary COPY.
    ///
    /// The same as ``encode(into:)``, except for types whose parameters travel as text and whose binary representation
    /// differs from the text.
    ///
    /// - Parameter writer: Takes the bytes.
    /// - Throws: ``PersistenceError`` with the code `encoding` when PostgreSQL's type cannot hold the value.
    func encodeBinary(into writer: inout PostgresWriter) throws(PersistenceError)

    /// Appends the value's binary representation with its length before it, as ``PostgresWriter/writeField(_:)`` does.
    ///
    /// There is no need to implement it: the types that rows consist of do, because one step is faster than two.
    ///
    /// - Parameter writer: Takes the bytes.
    /// - Throws: ``PersistenceError`` with the code `encoding` when PostgreSQL's type cannot hold the value, or `tooLarge`.
    func encodeField(into writer: inout PostgresWriter) throws(PersistenceError)
}

extension PostgresEncodable {
    /// Binary, unless the type says otherwise.
    @inlinable public static var postgresFormat: PostgresFormat { .binary }

    /// The parameter's type, unless the type says otherwise.
    @inlinable public static var postgresBinaryType: PostgresType { postgresType }

    /// The parameter's representation, unless the type says otherwise.
    @inlinable
    public func encodeBinary(into writer: inout PostgresWriter) throws(PersistenceError) {
        try encode(into: &writer)
    }

    /// The length, then the binary representation.
    @inlinable
    public func encodeField(into writer: inout PostgresWriter) throws(PersistenceError) {
        try writer.writeWithLength { writer throws(PersistenceError) in try encodeBinary(into: &writer) }
    }
}

extension PostgresEncodable where Self: RawRepresentable, RawValue: PostgresEncodable {
    /// The raw value's type.
    @inlinable public static var postgresType: PostgresType { RawValue.postgresType }

    /// The raw value's representation.
    @inlinable public static var postgresFormat: PostgresFormat { RawValue.postgresFormat }

    /// The raw value's type inside arrays and records.
    @inlinable public static var postgresBinaryType: PostgresType { RawValue.postgresBinaryType }

    /// Appends the raw value's bytes.
    @inlinable
    public func encode(into writer: inout PostgresWriter) throws(PersistenceError) {
        try rawValue.encode(into: &writer)
    }

    /// Appends the raw value's binary representation.
    @inlinable
    public func encodeBinary(into writer: inout PostgresWriter) throws(PersistenceError) {
        try rawValue.encodeBinary(into: &writer)
    }
}
