internal import BSON
internal import PersistenceCore

/// Turns values into documents and back; a ``BSON/Document`` is taken as it is, and a type that codes itself is asked to.
enum DocumentCoding {
    // Made once: each has the options that all share.
    private static let encoder = BSONEncoder()
    private static let decoder = BSONDecoder()

    /// Encodes one value.
    static func encode<Value: Encodable>(_ value: Value, operation: String) throws(PersistenceError) -> Document {
        try encoding(Value.self, operation: operation)(value)
    }

    /// How values become documents, looked up once for many.
    static func encoding<Value: Encodable>(
        _ type: Value.Type, operation: String
    ) -> (Value) throws(PersistenceError) -> Document {
        if type == Document.self {
            return { (value) throws(PersistenceError) in
                // The types are the same: they were compared.
                let document = unsafeBitCast(value, to: Document.self)
                try document.requireWellFormed()
                return document
            }
        }
        let encode = DocumentEncoding(encoder, type)
        return { (value) throws(PersistenceError) in
            do throws(PersistenceError) {
                return try encode(value)
            } catch {
                throw error.during(operation)
            }
        }
    }

    /// Decodes one document.
    static func decode<Value: Decodable>(
        _ type: Value.Type, from document: Document, operation: String
    ) throws(PersistenceError) -> Value {
        do throws(PersistenceError) {
            return try DocumentDecoding(decoder, type)(document)
        } catch {
            throw error.during(operation)
        }
    }

    /// How a cursor's documents become values, looked up once for many.
    static func decoding<Value: Decodable>(_ type: Value.Type, operation: String) -> CursorDecoding<Value> {
        let decode = DocumentDecoding(decoder, type)
        return CursorDecoding { batch, limit, memory in
            let (count, error) = decode(&batch.documents, limit: limit, into: memory)
            return (count, error?.during(operation))
        }
    }

    /// The document with an `_id`: a new ObjectID at the front when there was none, as MongoDB stores it.
    static func withID(_ document: Document) -> Document {
        document.contains(key: "_id") ? document : identified(document).document
    }

    /// The document with an `_id`, and what it is: a new ObjectID at the front when there was none, as MongoDB stores it.
    static func identified(_ document: Document) -> (document: Document, id: BSONValue) {
        if let id = document["_id"] { return (document, id) }
        let id = BSONValue.objectID(ObjectID())
        var copy: Document = ["_id": id]
        copy.append(contentsOf: document)
        return (copy, id)
    }
}

extension PersistenceError {
    /// The error with the operation that it happened in, unless it names one.
    fileprivate func during(_ operation: String) -> PersistenceError {
        with { if $0.operation == nil { $0.operation = operation } }
    }
}
