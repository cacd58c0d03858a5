import BSON
import MongoEngine
import Persistence
import PersistenceCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The documents of one kind in one collection: sets the collection up before the first write, and brings what is read to
/// the newest shape.
struct StoredDocuments: Sendable {
    let store: MongoDocumentStore
    let name: CollectionName
    let indexes: DocumentIndexes
    let kind: DocumentUpgrades.Kind

    var version: BSONValue { .int64(Int64(store.upgrades.version(of: kind))) }

    // MARK: Reading

    /// Fields of a document in its newest shape.
    func fields(_ document: Document) throws(PersistenceError) -> StoredFields {
        do throws(PersistenceError) {
            return StoredFields(
                document: try store.upgrades.upgraded(document, kind), collection: name.text)
        } catch {
            throw error.with { $0.collection = name.text }
        }
    }

    func findOne(_ filter: Document, sort: MongoSort? = nil) async throws(PersistenceError) -> Document? {
        try await collection().findOne(MongoFilter(trusted: filter), sort: sort)
    }

    func find(
        _ filter: Document, sort: MongoSort? = nil, limit: Int? = nil, projection: MongoProjection? = nil
    ) async throws(PersistenceError) -> [Document] {
        try await collection().find(
            MongoFilter(trusted: filter), sort: sort, limit: limit, options: MongoFindOptions(projection: projection)
        ).collect()
    }

    /// Documents in bounded memory, each read by `decode`.
    func stream<Element>(
        _ operation: String, sort: MongoSort, filter: @escaping @Sendable () throws(PersistenceError) -> Document,
        decode: @escaping @Sendable (StoredFields) throws(PersistenceError) -> Element
    ) -> ResultStream<Element> {
        ResultStream { [self] in
            var iterator: MongoCursor<Document>.AsyncIterator?
            return { () async throws(PersistenceError) in
                try await named(operation) { () async throws(PersistenceError) -> [Element]? in
                    var cursor: MongoCursor<Document>.AsyncIterator
                    if let iterator {
                        cursor = iterator
                    } else {
                        cursor = try collection().find(MongoFilter(trusted: try filter()), sort: sort)
                            .makeAsyncIterator()
                    }
                    var batch: [Element] = []
                    while batch.count < Self.streamBatch, let document = try await cursor.next() {
                        batch.append(try decode(try fields(document)))
                    }
                    iterator = cursor
                    return batch.isEmpty ? nil : batch
                }
            }
        }
    }

    func count(_ filter: Document) async throws(PersistenceError) -> Int {
        try await collection().count(MongoFilter(trusted: filter))
    }

    func aggregate(_ stages: [Document]) async throws(PersistenceError) -> [Document] {
        let pipeline = stages.reduce(MongoPipeline()) { $0.trusted($1) }
        return try await collection().aggregate(pipeline).collect()
    }

    // MARK: Writing

    /// Inserts a document; `true` unless there is one with its key.
    func insert(_ document: Document) async throws(PersistenceError) -> Bool {
        try await setUp()
        do throws(PersistenceError) {
            try await collection().insertOne(stamped(document, revision: 1))
            return true
        } catch {
            guard error.code == .uniqueViolation else { throw error }
            return false
        }
    }

    /// Inserts documents in one round trip, and returns the places of those whose key is there already.
    func insertIfAbsent(_ documents: [Document]) async throws(PersistenceError) -> Set<Int> {
        guard !documents.isEmpty else { return [] }
        try await setUp()
        do throws(PersistenceError) {
            try await collection().insertMany(documents.map { stamped($0, revision: 1) }, isOrdered: false)
            return []
        } catch {
            guard let failure = error.bulkWriteFailure, !failure.isUnacknowledged,
                failure.errors.allSatisfy({ $0.code == .uniqueViolation })
            else { throw error }
            return Set(failure.errors.map(\.index))
        }
    }

    /// Changes a document: reads it, has it changed, and writes it unless somebody was faster, in which case it begins
    /// again with what is there then.
    ///
    /// - Parameters:
    ///   - key: The document's key.
    ///   - change: Makes the new document, without version and revision, of the fields of the old one; returns `nil` when
    ///     nothing is to be changed. It may run more than once.
    /// - Returns: Whether there is such a document.
    func modify(
        _ key: BSONValue, _ change: (StoredFields) throws(PersistenceError) -> Document?
    ) async throws(PersistenceError) -> Bool {
        for _ in 0..<Self.maximumAttempts {
            guard let document = try await findOne(["_id": key]) else { return false }
            guard let changed = try change(try fields(document)) else { return true }
            if try await replace(document, with: changed) { return true }
            guard !Task.isCancelled else { throw PersistenceError(.cancelled) }
            await Task.yield()
        }
        throw PersistenceError(.serializationFailure, "too many others change the document at the same time")
    }

    /// Replaces a document; `false` when somebody has written it since it was read.
    func replace(_ document: Document, with changed: Document) async throws(PersistenceError) -> Bool {
        guard document["_id"] != nil else { return false }
        let result = try await collection().replaceOne(
            MongoFilter(trusted: Self.asRead(document)), with: stamped(changed, revision: document.revision + 1))
        return result.matchedCount > 0
    }

    /// What has become of many writes.
    struct ManyWritten {
        /// The places of insertions whose key was there already.
        var present: Set<Int> = []
        /// The places of replacements whose document somebody has written since it was read.
        var stale: Set<Int> = []
        /// The places of replacements whose document somebody has removed since it was read: it is there again.
        var revived: Set<Int> = []
    }

    /// Inserts and replaces documents, none of them twice, in one round trip for each of the two.
    func write(
        inserting new: [Document], replacing changes: [(document: Document, changed: Document)]
    ) async throws(PersistenceError) -> ManyWritten {
        guard !new.isEmpty || !changes.isEmpty else { return ManyWritten() }
        if !new.isEmpty { try await setUp() }
        var writes = new.map { MongoWrite.insert(stamped($0, revision: 1)) }
        for (document, changed) in changes {
            // One that was written since is not matched, so that its key is inserted once more: the index of keys refuses
            // that, and says at which place, which a filter that matches nothing would not.
            writes.append(
                .replaceOne(
                    MongoFilter(trusted: Self.asRead(document)),
                    stamped(changed, revision: document.revision + 1), options: .upsert))
        }
        var written = ManyWritten()
        let result: MongoBulkResult
        do throws(PersistenceError) {
            result = try await collection().bulkWrite(writes, isOrdered: false)
        } catch {
            guard let failure = error.bulkWriteFailure, !failure.isUnacknowledged,
                failure.errors.allSatisfy({ $0.code == .uniqueViolation })
            else { throw error }
            result = failure.result
            for index in failure.errors.map(\.index) {
                if index < new.count { written.present.insert(index) } else { written.stale.insert(index - new.count) }
            }
        }
        written.revived = Set(result.upsertedIDs.keys.map { $0 - new.count })
        return written
    }

    /// A document that nobody has written since it was read.
    private static func asRead(_ document: Document) -> Document {
        // One that was written by something else may have no number.
        ["_id": document["_id"] ?? .null, "rev": document["rev"] ?? ["$exists": false]]
    }

    func deleteMany(_ filter: Document) async throws(PersistenceError) -> Int {
        try await collection().deleteMany(MongoFilter(trusted: filter))
    }

    func deleteOne(_ key: BSONValue) async throws(PersistenceError) -> Bool {
        try await collection().deleteOne(MongoFilter(trusted: ["_id": key]))
    }

    /// Gives the error of an operation its name.
    func named<R>(
        _ operation: String, _ body: () async throws(PersistenceError) -> R
    ) async throws(PersistenceError) -> R {
        do throws(PersistenceError) {
            return try await body()
        } catch {
            throw error.with {
                $0.operation = operation
                if $0.collection == nil { $0.collection = name.text }
            }
        }
    }

    func collection() throws(PersistenceError) -> MongoCollection<Document> {
        try store.database.collection(name.text)
    }

    /// Makes the collection with its indexes, unless that has been done.
    func setUp() async throws(PersistenceError) {
        let (database, name, indexes) = (store.database, name.text, indexes)
        try await store.registry.ensure(name) { () async throws(PersistenceError) in
            try await CollectionSetUp(database: database, name: name, indexes: indexes).run()
        }
    }

    /// The document with the newest version, and with the number of this write.
    func stamped(_ document: Document, revision: Int64) -> Document {
        var stamped = document
        stamped["v"] = version
        stamped["rev"] = .int64(revision)
        return stamped
    }

    private static var maximumAttempts: Int { 1000 }
    private static var streamBatch: Int { 200 }
}
