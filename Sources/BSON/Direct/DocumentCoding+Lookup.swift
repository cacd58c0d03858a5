package import PersistenceCore

/// How documents become values of a type: by the type itself, when it is ``DocumentReadable``.
///
/// For generic code that is told of `Decodable` alone, and looks the way up once for many documents.
package struct DocumentDecoding<Value: Decodable> {
    private let body: (Document) throws(PersistenceError) -> Value

    /// Looks the way up.
    package init(_ decoder: BSONDecoder, _ type: Value.Type) {
        if let readable = type as? any DocumentReadable.Type {
            body = Self.reading(readable, decoder)
        } else {
            body = { (document) throws(PersistenceError) in try decoder.decode(type, from: document) }
        }
    }

    private static func reading<Readable: DocumentReadable>(
        _ readable: Readable.Type, _ decoder: BSONDecoder
    ) -> (Document) throws(PersistenceError) -> Value {
        let read = { (document: Document) throws(PersistenceError) -> Readable in
            try decoder.decode(readable, from: document)
        }
        // The same type under another name: `readable` is `Value`, cast. Both are generic here, so both functions give
        // their result in the same way. Casting each result instead would copy it.
        return unsafeBitCast(read, to: ((Document) throws(PersistenceError) -> Value).self)
    }

    /// Decodes a document.
    package func callAsFunction(_ document: Document) throws(PersistenceError) -> Value { try body(document) }
}

/// How values of a type become documents: by the type itself, when it is ``DocumentWritable``.
package struct DocumentEncoding<Value: Encodable> {
    private let body: (Value) throws(PersistenceError) -> Document

    /// Looks the way up.
    package init(_ encoder: BSONEncoder, _ type: Value.Type) {
        if let writable = type as? any DocumentWritable.Type {
            body = Self.writing(writable, encoder)
        } else {
            body = { (value) throws(PersistenceError) in try encoder.encode(value) }
        }
    }

    private static func writing<Writable: DocumentWritable>(
        _ writable: Writable.Type, _ encoder: BSONEncoder
    ) -> (Value) throws(PersistenceError) -> Document {
        let write = { (value: Writable) throws(PersistenceError) -> Document in try encoder.encode(value) }
        // As in `DocumentDecoding`.
        return unsafeBitCast(write, to: ((Value) throws(PersistenceError) -> Document).self)
    }

    /// Encodes a value.
    package func callAsFunction(_ value: Value) throws(PersistenceError) -> Document { try body(value) }
}
