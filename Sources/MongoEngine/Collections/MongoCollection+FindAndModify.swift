internal import BSON
internal import CMongoC
public import PersistenceCore

/// Which form of a document ``MongoCollection/findOneAndUpdate(_:_:returning:sort:projection:options:)`` and its kin
/// return.
public enum MongoReturnedDocument: Sendable, Hashable {
    /// The document as it was.
    case before
    /// The document as it is now.
    case after
}

extension MongoCollection {
    /// Changes the first document that a filter matches, and returns it, in one step that nobody can come between.
    ///
    /// - Parameters:
    ///   - filter: Which document.
    ///   - update: What is changed.
    ///   - returned: Whether the document comes back as it was, or as it is now.
    ///   - sort: Which of several matching documents is the first.
    ///   - projection: Which fields come back.
    ///   - options: Whether to insert when none matches, which elements of arrays, which index.
    /// - Returns: The document; nil when none matched, and with `before` also when one was inserted.
    /// - Throws: ``PersistenceError``: as ``updateOne(_:_:options:)`` does.
    public func findOneAndUpdate(
        _ filter: MongoFilter, _ update: MongoUpdate, returning returned: MongoReturnedDocument = .after,
        sort: MongoSort? = nil, projection: MongoProjection? = nil, options: MongoUpdateOptions = MongoUpdateOptions()
    ) async throws(PersistenceError) -> Element? {
        try await findAndModify(
            filter, change: try update.checked(), returned: returned, sort: sort, projection: projection,
            options: options)
    }

    /// Replaces the first document that a filter matches, but for its `_id`, and returns it.
    ///
    /// - Parameters:
    ///   - filter: Which document.
    ///   - replacement: The new document.
    ///   - returned: Whether the document comes back as it was, or as it is now.
    ///   - sort: Which of several matching documents is the first.
    ///   - options: Whether to insert when none matches, and which index.
    /// - Returns: The document; nil when none matched, and with `before` also when one was inserted.
    /// - Throws: ``PersistenceError``: as ``replaceOne(_:with:options:)`` does.
    public func findOneAndReplace(
        _ filter: MongoFilter, with replacement: Element, returning returned: MongoReturnedDocument = .after,
        sort: MongoSort? = nil, options: MongoUpdateOptions = MongoUpdateOptions()
    ) async throws(PersistenceError) -> Element? {
        let document = try DocumentCoding.encode(replacement, operation: "findAndModify")
        try Self.checkReplacement(document)
        return try await findAndModify(
            filter, change: document, returned: returned, sort: sort, projection: nil, options: options)
    }

    /// Deletes the first document that a filter matches, and returns it.
    ///
    /// - Parameters:
    ///   - filter: Which document.
    ///   - sort: Which of several matching documents is the first.
    ///   - projection: Which fields come back.
    ///   - hint: The index to use, where the server must not choose.
    ///   - collation: How texts are compared.
    /// - Returns: The document; nil when none matched.
    /// - Throws: ``PersistenceError``.
    public func findOneAndDelete(
        _ filter: MongoFilter, sort: MongoSort? = nil, projection: MongoProjection? = nil,
        hint: MongoIndexHint? = nil, collation: MongoCollation? = nil
    ) async throws(PersistenceError) -> Element? {
        try await findAndModify(
            filter, change: nil, returned: .before, sort: sort, projection: projection,
            options: MongoUpdateOptions(hint: hint, collation: collation))
    }

    private func findAndModify(
        _ filter: MongoFilter, change: Document?, returned: MongoReturnedDocument, sort: MongoSort?,
        projection: MongoProjection?, options: MongoUpdateOptions
    ) async throws(PersistenceError) -> Element? {
        let filter = try filter.checked()
        var extra = Document()
        if !options.arrayFilters.isEmpty {
            let filters = options.arrayFilters.map { BSONValue.document($0.document) }
            extra.append("arrayFilters", .array(BSONArray(filters)))
        }
        if let hint = options.hint { extra.append("hint", hint.value) }
        if let collation = options.collation { extra.append("collation", .document(collation.document)) }
        try extra.requireWellFormed()
        try sort?.document.requireWellFormed()
        try projection?.document.requireWellFormed()
        var flags = change == nil ? MONGOC_FIND_AND_MODIFY_REMOVE.rawValue : 0
        if options.upserts { flags |= MONGOC_FIND_AND_MODIFY_UPSERT.rawValue }
        if returned == .after, change != nil { flags |= MONGOC_FIND_AND_MODIFY_RETURN_NEW.rawValue }

        let name = name
        let reply = try await core.run(operation("findAndModify", isWrite: true), session: session) {
            [extra, flags] call in
            let choices = mongoc_find_and_modify_opts_new()
            defer { mongoc_find_and_modify_opts_destroy(choices) }
            mongoc_find_and_modify_opts_set_flags(choices, mongoc_find_and_modify_flags_t(rawValue: flags))
            change?.withBSON { _ = mongoc_find_and_modify_opts_set_update(choices, $0) }
            sort?.document.withBSON { _ = mongoc_find_and_modify_opts_set_sort(choices, $0) }
            projection?.document.withBSON { _ = mongoc_find_and_modify_opts_set_fields(choices, $0) }
            call.withOptions(extra) { _ = mongoc_find_and_modify_opts_append(choices, $0) }
            return call.withCollection(name) { collection in
                filter.withBSON { filter in
                    DriverAnswer {
                        mongoc_collection_find_and_modify_with_opts(collection, filter, choices, $0, $1)
                    }.result
                }
            }
        }
        guard let document = reply["value"]?.document else { return nil }
        return try DocumentCoding.decode(Element.self, from: document.detached(), operation: "findAndModify")
    }
}
