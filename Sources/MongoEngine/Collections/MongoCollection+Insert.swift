public import BSON
internal import CMongoC
public import PersistenceCore

extension MongoCollection {
    /// Inserts a document.
    ///
    /// - Parameter element: The document.
    /// - Returns: Its `_id`, which is a new ObjectID when the document has none.
    /// - Throws: ``PersistenceError``: `encoding` when the element cannot be encoded, `uniqueViolation`, `checkViolation`
    ///   when the collection's validator refuses it, `tooLarge`, and what every operation throws.
    @discardableResult
    public func insertOne(_ element: Element) async throws(PersistenceError) -> BSONValue {
        let encoded = try DocumentCoding.encode(element, operation: "insert")
        let (document, id) = DocumentCoding.identified(encoded)
        let name = name
        try await core.run(operation("insert", isWrite: true), session: session) {
            call -> Result<Void, MongoFailure> in
            let failure = call.withCollection(name) { collection in
                call.withOptions(InsertOptions.unchecked) { options in
                    document.withBSON { document in
                        DriverAnswer.failure { mongoc_collection_insert_one(collection, document, options, $0, $1) }
                    }
                }
            }
            return failure.map { .failure($0) } ?? .success(())
        }
        return id
    }

    /// Inserts documents in batches as large as the server takes.
    ///
    /// - Parameters:
    ///   - elements: The documents; none is no operation.
    ///   - isOrdered: Whether the first failure ends it. Otherwise all are tried.
    /// - Returns: Their `_id`s, in the order of the documents.
    /// - Throws: ``PersistenceError``: as ``insertOne(_:)`` does. What was inserted before stays;
    ///   `PersistenceError.bulkWriteFailure` says which documents failed.
    @discardableResult
    public func insertMany(
        _ elements: some Collection<Element>, isOrdered: Bool = true
    ) async throws(PersistenceError) -> [BSONValue] {
        guard !elements.isEmpty else { return [] }
        var documents: [Document] = []
        var ids: [BSONValue] = []
        documents.reserveCapacity(elements.count)
        ids.reserveCapacity(elements.count)
        let encode = DocumentCoding.encoding(Element.self, operation: "insert")
        for element in elements {
            let (document, id) = DocumentCoding.identified(try encode(element))
            documents.append(document)
            ids.append(id)
        }
        _ = try await bulk(
            documents.map { .insert($0) }, operation: operation("insert", isWrite: true, batchSize: documents.count),
            isOrdered: isOrdered)
        return ids
    }
}

enum InsertOptions {
    /// The driver's own check of every document is left out: ours were checked when they were made.
    static let unchecked: Document = ["validate": false]
}
