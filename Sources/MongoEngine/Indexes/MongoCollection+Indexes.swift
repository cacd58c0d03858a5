internal import BSON
internal import CMongoC
public import PersistenceCore

extension MongoCollection {
    /// Creates indexes; those that are there already, with the same properties, stay as they are.
    ///
    /// - Parameter indexes: The indexes; none is no operation.
    /// - Throws: ``PersistenceError``: `invalidStatement` when an index of that name or with those keys exists with other
    ///   properties, `uniqueViolation` when the documents break a unique one, `invalidArgument` for one without keys.
    public func createIndexes(_ indexes: [MongoIndex]) async throws(PersistenceError) {
        guard !indexes.isEmpty else { return }
        var list = BSONArray()
        for index in indexes { list.append(.document(try index.document())) }
        let command: Document = ["createIndexes": .string(name), "indexes": .array(list)]
        try command.requireWellFormed()
        _ = try await core.run(operation("createIndexes", isWrite: true), session: session) { call in
            call.command(command, .write)
        }
    }

    /// Creates those of the declared indexes that are missing, and tells what differs.
    ///
    /// Nothing is dropped or changed: an index may be large, and somebody may have made it on purpose.
    ///
    /// - Parameter indexes: The indexes that the collection should have.
    /// - Returns: How the collection's indexes compared with them before.
    /// - Throws: ``PersistenceError``: as ``createIndexes(_:)`` does.
    @discardableResult
    public func ensureIndexes(_ indexes: [MongoIndex]) async throws(PersistenceError) -> MongoIndexComparison {
        let comparison = try await compareIndexes(with: indexes)
        try await createIndexes(comparison.missing)
        return comparison
    }

    /// Compares the collection's indexes with those it should have.
    ///
    /// - Parameter indexes: The indexes that the collection should have.
    /// - Returns: What is missing, what there is besides, and what differs.
    /// - Throws: ``PersistenceError``.
    public func compareIndexes(with indexes: [MongoIndex]) async throws(PersistenceError) -> MongoIndexComparison {
        MongoIndexComparison(declared: indexes, existing: try await listIndexes())
    }

    /// The collection's indexes, that of `_id` included.
    ///
    /// - Returns: The indexes; none when there is no such collection.
    /// - Throws: ``PersistenceError``.
    public func listIndexes() async throws(PersistenceError) -> [MongoIndexInfo] {
        let name = name
        let session = session
        let page: CursorPage = try await core.run(operation("listIndexes"), session: session) { call in
            let cursor = call.withCollection(name) { collection in
                call.withOptions(Document(), limitsTime: false) {
                    mongoc_collection_find_indexes_with_opts(collection, $0)
                }
            }
            guard let cursor else { return .failure(.poolClosed) }
            // A collection has at most 64 indexes.
            return call.firstPage(stealing: cursor, session: session, count: 1000)
        }
        var batch = page.batch
        var list: [MongoIndexInfo] = []
        while let document = batch.pop() { list.append(MongoIndexInfo(document.detached())) }
        return list
    }

    /// Drops an index.
    ///
    /// - Parameter index: The index's name.
    /// - Throws: ``PersistenceError``: `invalidStatement` when there is no such index or collection.
    public func dropIndex(_ index: String) async throws(PersistenceError) {
        guard !index.isEmpty, index != "*" else {
            throw PersistenceError(.invalidArgument, "an index's name is needed", operation: "dropIndexes")
        }
        let command: Document = ["dropIndexes": .string(name), "index": .string(index)]
        try command.requireWellFormed()
        _ = try await core.run(operation("dropIndexes", isWrite: true), session: session) { call in
            call.command(command, .write)
        }
    }
}
