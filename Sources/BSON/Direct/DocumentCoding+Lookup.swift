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
            let result = withUnsafeTemporaryAllocation(of: Value.self, capacity: 1) {
                place -> Result<Value, PersistenceError> in
                // The same type under another name: `readable` is `Value`, cast. An allocation of one value has an
                // address; the value is moved out of it, because a copy would count every reference in it twice.
                let memory = UnsafeMutableRawPointer(place.baseAddress.unsafelyUnwrapped)
                do throws(PersistenceError) {
                    memory.initializeMemory(as: readable, to: try decoder.decode(readable, from: document))
                } catch {
                    return .failure(error)
                }
                return .success(place.moveElement(from: 0))
            }
            return try result.get()
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
            let result = withUnsafePointer(to: value) { pointer -> Result<Document, PersistenceError> in
                // The same type under another name: `writable` is `Value`, cast.
                let place = UnsafeRawPointer(pointer).assumingMemoryBound(to: writable)
                do throws(PersistenceError) {
                    return .success(try encoder.encode(place.pointee))
                } catch {
                    return .failure(error)
                }
            }
            return try result.get()
        }
    }

    /// Encodes a value.
    package func callAsFunction(_ value: Value) throws(PersistenceError) -> Document { try body(value) }
}
