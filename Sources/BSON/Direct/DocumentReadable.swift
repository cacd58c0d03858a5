public import PersistenceCore

/// A type that reads its own fields out of a document, in a fraction of the time that `Decodable` takes.
///
/// For types of which many are read. What `Codable` spends on containers, keys as strings and metadata falls away: a field
/// is compared with its key where it stands.
///
/// ```swift
/// struct Line: Codable {
///     var sku: String
///     var count: Int
///     var discount: Double?
/// }
///
/// extension Line: DocumentReadable {
///     init(reading fields: inout DocumentReader) throws(PersistenceError) {
///         sku = try fields.read("sku")
///         count = try fields.read("count")
///         discount = try fields.readIfPresent("discount")
///     }
/// }
/// ```
///
/// Fields that are read in the order in which they are stored need no search. ``BSONDecoder`` and the engine's collections
/// read such a type this way when it is what the document is decoded into, or what a readable type within it has; within
/// types that are `Decodable` alone, `Decodable` is used.
public protocol DocumentReadable: BSONReadable, Decodable {
    /// Reads the type's fields.
    ///
    /// - Parameter fields: The document.
    /// - Throws: ``PersistenceCore/PersistenceError``: what reading a field throws, which names the field, or one of the
    ///   type's own.
    init(reading fields: inout DocumentReader) throws(PersistenceError)
}

extension DocumentReadable {
    /// Reads a document within a document.
    @inlinable
    public static func read(
        _ value: BSONField, of fields: inout DocumentReader
    ) throws(PersistenceError) -> Self {
        let outer = try fields.enter(value, .document, Self.self)
        defer { fields.leave(to: outer) }
        return try Self(reading: &fields)
    }
}

/// A type that ``DocumentReader`` reads out of one field.
///
/// A type that is ``BSONRepresentable`` needs no more than to say that it conforms.
public protocol BSONReadable {
    /// Reads a value.
    ///
    /// - Parameters:
    ///   - value: Where the value is.
    ///   - fields: The document that has it.
    /// - Returns: The value.
    /// - Throws: ``PersistenceCore/PersistenceError`` with the code `decoding` when the value is of another type or does
    ///   not fit.
    static func read(_ value: BSONField, of fields: inout DocumentReader) throws(PersistenceError) -> Self
}

extension BSONReadable where Self: BSONRepresentable {
    /// Reads a value by way of ``BSONValue``.
    public static func read(
        _ value: BSONField, of fields: inout DocumentReader
    ) throws(PersistenceError) -> Self {
        guard let result = Self(bsonValue: fields.bsonValue(value)) else { throw fields.mismatch(Self.self, value) }
        return result
    }
}

/// Where a field's value is, within the document that a ``DocumentReader`` reads.
public struct BSONField {
    /// The value's type.
    @inlinable public var type: BSONType { BSONType(rawValue: rawType) }

    @usableFromInline let rawType: UInt8
    @usableFromInline let start: Int
    @usableFromInline let end: Int

    @inline(__always)
    init(rawType: UInt8, start: Int, end: Int) {
        self.rawType = rawType
        self.start = start
        self.end = end
    }
}
