internal import BSON
internal import PersistenceCore

/// One write of a bulk write.
public enum MongoWrite<Element: Codable & Sendable>: Sendable {
    /// Inserts a document.
    case insert(Element)
    /// Changes the first document that a filter matches.
    case updateOne(MongoFilter, MongoUpdate, options: MongoUpdateOptions = MongoUpdateOptions())
    /// Changes all documents that a filter matches.
    case updateMany(MongoFilter, MongoUpdate, options: MongoUpdateOptions = MongoUpdateOptions())
    /// Replaces the first document that a filter matches, but for its `_id`.
    case replaceOne(MongoFilter, Element, options: MongoUpdateOptions = MongoUpdateOptions())
    /// Deletes the first document that a filter matches.
    case deleteOne(MongoFilter, hint: MongoIndexHint? = nil, collation: MongoCollation? = nil)
    /// Deletes all documents that a filter matches.
    case deleteMany(MongoFilter, hint: MongoIndexHint? = nil, collation: MongoCollation? = nil)

    func encoded(
        by encode: (Element) throws(PersistenceError) -> Document
    ) throws(PersistenceError) -> EncodedWrite {
        switch self {
        case .insert(let element):
            return .insert(DocumentCoding.withID(try encode(element)))
        case .updateOne(let filter, let update, let options):
            return .update(try filter.checked(), try update.checked(), options: try options.document(), isMulti: false)
        case .updateMany(let filter, let update, let options):
            return .update(try filter.checked(), try update.checked(), options: try options.document(), isMulti: true)
        case .replaceOne(let filter, let element, let options):
            let document = try encode(element)
            try MongoCollection<Element>.checkReplacement(document)
            return .replace(try filter.checked(), document, options: try options.document())
        case .deleteOne(let filter, let hint, let collation):
            return .delete(
                try filter.checked(), options: try Document.deletion(hint, collation).checked(), isMulti: false)
        case .deleteMany(let filter, let hint, let collation):
            return .delete(
                try filter.checked(), options: try Document.deletion(hint, collation).checked(), isMulti: true)
        }
    }
}

/// A write as the driver takes it.
enum EncodedWrite: Sendable {
    case insert(Document)
    case update(Document, Document, options: Document, isMulti: Bool)
    case replace(Document, Document, options: Document)
    case delete(Document, options: Document, isMulti: Bool)
}

extension Document {
    /// The options of a command that deletes.
    static func deletion(_ hint: MongoIndexHint?, _ collation: MongoCollation?) -> Document {
        var options = Document()
        if let hint { options.append("hint", hint.value) }
        if let collation { options.append("collation", .document(collation.document)) }
        return options
    }

    func checked() throws(PersistenceError) -> Document {
        try requireWellFormed()
        return self
    }
}

extension MongoFilter {
    func checked() throws(PersistenceError) -> Document {
        try document.requireWellFormed()
        return document
    }
}

extension MongoUpdate {
    func checked() throws(PersistenceError) -> Document {
        let document = document
        try document.requireWellFormed()
        // A document without operators would replace the one that it is to change.
        guard !document.isEmpty, document.keys.allSatisfy({ $0.utf8.first == UInt8(ascii: "$") }) else {
            throw PersistenceError(.invalidArgument, "an update must consist of operators, at least one")
        }
        return document
    }
}
