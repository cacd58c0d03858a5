internal import BSON
internal import PersistenceCore

/// Turns values into documents and back; a ``BSON/Document`` is taken as it is.
enum DocumentCoding {
    static func encode<Value: Encodable>(_ value: Value, operation: String) throws(PersistenceError) -> Document {
        let document: Document
        if let own = value as? Document {
            document = own
        } else {
            do throws(PersistenceError) {
                document = try BSONEncoder().encode(value)
            } catch {
                throw error.with { if $0.operation == nil { $0.operation = operation } }
            }
        }
        try document.requireWellFormed()
        return document
    }

    static func decode<Value: Decodable>(
        _ type: Value.Type, from document: Document, operation: String
    ) throws(PersistenceError) -> Value {
        if type == Document.self, let own = document as? Value { return own }
        do throws(PersistenceError) {
            return try BSONDecoder().decode(type, from: document)
        } catch {
            throw error.with { if $0.operation == nil { $0.operation = operation } }
        }
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
