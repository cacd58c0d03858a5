internal import BSON
internal import CMongoC
public import PersistenceCore

extension MongoCollection {
    /// Changes the first document that a filter matches.
    ///
    /// - Parameters:
    ///   - filter: Which document.
    ///   - update: What is changed.
    ///   - options: Whether to insert when none matches, which elements of arrays, which index.
    /// - Returns: What it did.
    /// - Throws: ``PersistenceError``: `invalidArgument` when the update has no operators, `uniqueViolation`,
    ///   `checkViolation`, and what every operation throws.
    @discardableResult
    public func updateOne(
        _ filter: MongoFilter, _ update: MongoUpdate, options: MongoUpdateOptions = MongoUpdateOptions()
    ) async throws(PersistenceError) -> MongoUpdateResult {
        try await self.update(filter, try update.checked(), options, mongoc_collection_update_one)
    }

    /// Changes all documents that a filter matches.
    ///
    /// A write that is cut off in its midst has changed some of them.
    ///
    /// - Parameters:
    ///   - filter: Which documents.
    ///   - update: What is changed.
    ///   - options: Whether to insert when none matches, which elements of arrays, which index.
    /// - Returns: What it did.
    /// - Throws: ``PersistenceError``: as ``updateOne(_:_:options:)`` does.
    @discardableResult
    public func updateMany(
        _ filter: MongoFilter, _ update: MongoUpdate, options: MongoUpdateOptions = MongoUpdateOptions()
    ) async throws(PersistenceError) -> MongoUpdateResult {
        try await self.update(filter, try update.checked(), options, isMulti: true, mongoc_collection_update_many)
    }

    /// Replaces the first document that a filter matches, but for its `_id`.
    ///
    /// - Parameters:
    ///   - filter: Which document.
    ///   - replacement: The new document. Its `_id`, if it has one, must be the old one's.
    ///   - options: Whether to insert when none matches, and which index.
    /// - Returns: What it did.
    /// - Throws: ``PersistenceError``: as ``updateOne(_:_:options:)`` does; `encoding` when the replacement cannot be
    ///   encoded.
    @discardableResult
    public func replaceOne(
        _ filter: MongoFilter, with replacement: Element, options: MongoUpdateOptions = MongoUpdateOptions()
    ) async throws(PersistenceError) -> MongoUpdateResult {
        let document = try DocumentCoding.encode(replacement, operation: "update")
        try Self.checkReplacement(document)
        return try await update(filter, document, options, mongoc_collection_replace_one)
    }

    /// Deletes the first document that a filter matches.
    ///
    /// - Parameters:
    ///   - filter: Which document.
    ///   - hint: The index to use, where the server must not choose.
    ///   - collation: How texts are compared.
    /// - Returns: Whether there was one.
    /// - Throws: ``PersistenceError``.
    @discardableResult
    public func deleteOne(
        _ filter: MongoFilter, hint: MongoIndexHint? = nil, collation: MongoCollation? = nil
    ) async throws(PersistenceError) -> Bool {
        try await delete(filter, .deletion(hint, collation), mongoc_collection_delete_one) > 0
    }

    /// Deletes all documents that a filter matches.
    ///
    /// - Parameters:
    ///   - filter: Which documents. ``MongoFilter/all`` empties the collection.
    ///   - hint: The index to use, where the server must not choose.
    ///   - collation: How texts are compared.
    /// - Returns: How many there were.
    /// - Throws: ``PersistenceError``.
    @discardableResult
    public func deleteMany(
        _ filter: MongoFilter, hint: MongoIndexHint? = nil, collation: MongoCollation? = nil
    ) async throws(PersistenceError) -> Int {
        try await delete(filter, .deletion(hint, collation), isMulti: true, mongoc_collection_delete_many)
    }

    /// A replacement with an operator would be taken for an update.
    static func checkReplacement(_ document: Document) throws(PersistenceError) {
        guard let key = document.keys.first, key.hasPrefix("$") else { return }
        throw PersistenceError(.invalidArgument, "a replacement's first field begins with a dollar sign")
    }

    private typealias Update =
        @Sendable (
            OpaquePointer?, OpaquePointer?, OpaquePointer?, OpaquePointer?, OpaquePointer?,
            UnsafeMutablePointer<bson_error_t>?
        ) -> Bool

    private func update(
        _ filter: MongoFilter, _ update: Document, _ options: MongoUpdateOptions, isMulti: Bool = false,
        _ function: @escaping Update
    ) async throws(PersistenceError) -> MongoUpdateResult {
        let filter = try filter.checked()
        let options = try options.document()
        let name = name
        let reply = try await core.run(operation("update", isWrite: true, isMulti: isMulti), session: session) { call in
            call.withCollection(name) { collection in
                call.withOptions(options) { options in
                    filter.withBSON { filter in
                        update.withBSON { update in
                            DriverAnswer { function(collection, filter, update, options, $0, $1) }.result
                        }
                    }
                }
            }
        }
        return MongoUpdateResult(reply: reply)
    }

    private typealias Delete =
        @Sendable (
            OpaquePointer?, OpaquePointer?, OpaquePointer?, OpaquePointer?, UnsafeMutablePointer<bson_error_t>?
        ) -> Bool

    private func delete(
        _ filter: MongoFilter, _ options: Document, isMulti: Bool = false, _ function: @escaping Delete
    ) async throws(PersistenceError) -> Int {
        let filter = try filter.checked()
        try options.requireWellFormed()
        let name = name
        let operation = operation("delete", isWrite: true, isMulti: isMulti)
        let reply = try await core.run(operation, session: session) { call in
            call.withCollection(name) { collection in
                call.withOptions(options) { options in
                    filter.withBSON { filter in
                        DriverAnswer { function(collection, filter, options, $0, $1) }.result
                    }
                }
            }
        }
        return reply["deletedCount"]?.int ?? 0
    }
}
