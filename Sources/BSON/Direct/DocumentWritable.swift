public import PersistenceCore

/// A type that writes its own fields into a document, in a fraction of the time that `Encodable` takes.
///
/// ```swift
/// extension Line: DocumentWritable {
///     func write(to fields: inout DocumentWriter) throws(PersistenceError) {
///         try fields.write("sku", sku)
///         try fields.write("count", count)
///         try fields.writeIfPresent("discount", discount)
///     }
/// }
/// ```
///
/// ``BSONEncoder`` and the engine's collections write such a type this way when it is the document, or what a writable type
/// within it has; within types that are `Encodable` alone, `Encodable` is used.
public protocol DocumentWritable: BSONWritable, Encodable {
    /// Writes the type's fields, in the order in which they are to be stored.
    ///
    /// - Parameter fields: The document.
    /// - Throws: ``PersistenceCore/PersistenceError``: what writing a field throws, or one of the type's own.
    func write(to fields: inout DocumentWriter) throws(PersistenceError)
}

/// A type that reads and writes its own fields.
public typealias DocumentCodable = DocumentReadable & DocumentWritable

extension DocumentWritable {
    /// Writes a document within a document.
    @inlinable
    public func write(_ key: borrowing BSONKey, to fields: inout DocumentWriter) throws(PersistenceError) {
        guard let start = try fields.open(key, .document) else { return }
        try write(to: &fields)
        fields.close(from: start)
    }
}

/// A type that ``DocumentWriter`` writes as one field.
///
/// A type that is ``BSONRepresentable`` needs no more than to say that it conforms.
public protocol BSONWritable {
    /// Writes a value.
    ///
    /// - Parameters:
    ///   - key: The field's key.
    ///   - fields: The document.
    /// - Throws: ``PersistenceCore/PersistenceError`` with the code `encoding` when BSON cannot hold the value.
    func write(_ key: borrowing BSONKey, to fields: inout DocumentWriter) throws(PersistenceError)
}

extension BSONWritable where Self: BSONRepresentable {
    /// Writes a value by way of ``BSONValue``.
    public func write(_ key: borrowing BSONKey, to fields: inout DocumentWriter) {
        fields.append(key, bsonValue)
    }
}

/// The key of a field that is being written.
public struct BSONKey: ~Copyable {
    /// Lives as long as the call that lends the key.
    @usableFromInline let bytes: UnsafeBufferPointer<UInt8>

    @inlinable
    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }
}
