public import PersistenceCore

extension Array: PostgresEncodable where Element: PostgresArrayElement {
    /// The type of the element's arrays.
    public static var postgresType: PostgresType { Element.postgresArrayType }

    /// The format of the element's arrays.
    @inlinable public static var postgresFormat: PostgresFormat { Element.postgresArrayFormat }

    /// The type of the element's arrays inside a record.
    public static var postgresBinaryType: PostgresType { Element.postgresArrayBinaryType }

    /// Appends the elements.
    @inlinable
    public func encode(into writer: inout PostgresWriter) throws(PersistenceError) {
        try Element.encodeArray(self, into: &writer)
    }

    /// Appends the elements in binary.
    @inlinable
    public func encodeBinary(into writer: inout PostgresWriter) throws(PersistenceError) {
        try Element.encodeArrayBinary(self, into: &writer)
    }
}

extension Array: PostgresDecodable where Element: PostgresArrayElement {
    /// Arrays of what the element reads.
    @inlinable
    public static func canDecode(_ type: PostgresType) -> Bool { Element.canDecodeArray(type) }

    /// Reads an array of at most one dimension; its lower bound is dropped.
    ///
    /// - Parameter value: The value.
    /// - Returns: The elements.
    /// - Throws: ``PersistenceError`` with the code `decoding` when the column holds no such array, when it has several
    ///   dimensions (read a ``PostgresArray``), or when an element is NULL and the elements are not optional.
    @inlinable
    public static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> [Element] {
        try Element.decodeArray(value)
    }
}
