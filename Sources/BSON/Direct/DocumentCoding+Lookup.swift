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
        { (document) throws(PersistenceError) in
            // The same type under another name: `readable` is `Value`, cast.
            unsafeBitCast(try decoder.decode(readable, from: document), to: Value.self)
        }
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
        { (value) throws(PersistenceError) in
            // The same type under another name: `writable` is `Value`, cast.
            try encoder.encode(unsafeBitCast(value, to: writable))
        }
    }

    /// Encodes a value.
    package func callAsFunction(_ value: Value) throws(PersistenceError) -> Document { try body(value) }
}
