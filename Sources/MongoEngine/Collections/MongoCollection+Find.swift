internal import BSON
internal import CMongoC
public import PersistenceCore

extension MongoCollection {
    /// The documents that a filter matches.
    ///
    /// - Parameters:
    ///   - filter: Which documents.
    ///   - sort: In which order; without it, in whatever order the server finds them.
    ///   - skip: How many to leave out at the beginning; the server finds them all the same.
    ///   - limit: How many at most; 0 is none.
    ///   - options: Which fields, and how the query is run.
    /// - Returns: The documents; nothing is sent before the first is asked for.
    public func find(
        _ filter: MongoFilter = .all, sort: MongoSort? = nil, skip: Int = 0, limit: Int? = nil,
        options: MongoFindOptions = MongoFindOptions()
    ) -> MongoCursor<Element> {
        find(filter, as: Element.self, sort: sort, skip: skip, limit: limit, options: options)
    }

    /// The documents that a filter matches, decoded into another type than the collection's: for projections.
    ///
    /// - Parameters:
    ///   - filter: Which documents.
    ///   - type: The type to decode into.
    ///   - sort: In which order.
    ///   - skip: How many to leave out at the beginning.
    ///   - limit: How many at most; 0 is none.
    ///   - options: Which fields, and how the query is run.
    /// - Returns: The documents.
    public func find<Result: Decodable>(
        _ filter: MongoFilter = .all, as type: Result.Type, sort: MongoSort? = nil, skip: Int = 0, limit: Int? = nil,
        options: MongoFindOptions = MongoFindOptions()
    ) -> MongoCursor<Result> {
        let operation = operation("find")
        let batchSize = options.effectiveBatchSize
        return MongoCursor { [self] in
            CursorRun(
                core: core, operation: operation, batchSize: batchSize,
                decoding: DocumentCoding.decoding(type, operation: "find")
            ) {
                () async throws(PersistenceError) -> CursorPage in
                try check(skip: skip, limit: limit)
                // The server takes a limit of 0 for none at all.
                if limit == 0 { return CursorPage(batch: DocumentBatch(), handle: nil) }
                try filter.document.requireWellFormed()
                let command = options.document(sort: sort, skip: skip, limit: limit)
                try command.requireWellFormed()
                return try await core.run(operation, session: session, rows: { $0.batch.count }) {
                    [name, session] call in
                    let cursor = call.withCollection(name) { collection in
                        filter.document.withBSON { filter in
                            call.withOptions(command) { mongoc_collection_find_with_opts(collection, filter, $0, nil) }
                        }
                    }
                    guard let cursor else { return .failure(.poolClosed) }
                    return call.firstPage(stealing: cursor, session: session, count: batchSize)
                }
            }
        }
    }

    /// The first document that a filter matches.
    ///
    /// - Parameters:
    ///   - filter: Which documents.
    ///   - sort: Which of them is the first.
    ///   - options: Which fields, and how the query is run.
    /// - Returns: The document, or nil when none matches.
    /// - Throws: ``PersistenceError``.
    public func findOne(
        _ filter: MongoFilter = .all, sort: MongoSort? = nil, options: MongoFindOptions = MongoFindOptions()
    ) async throws(PersistenceError) -> Element? {
        try await findOne(filter, as: Element.self, sort: sort, options: options)
    }

    /// The first document that a filter matches, decoded into another type than the collection's.
    ///
    /// - Parameters:
    ///   - filter: Which documents.
    ///   - type: The type to decode into.
    ///   - sort: Which of them is the first.
    ///   - options: Which fields, and how the query is run.
    /// - Returns: The document, or nil when none matches.
    /// - Throws: ``PersistenceError``.
    public func findOne<Result: Decodable>(
        _ filter: MongoFilter = .all, as type: Result.Type, sort: MongoSort? = nil,
        options: MongoFindOptions = MongoFindOptions()
    ) async throws(PersistenceError) -> Result? {
        // As a command: the driver's cursor asks for a server twice, and copies what it knows of it each time.
        let command = options.command(finding: filter, in: name, sort: sort)
        try command.requireWellFormed()
        let found = try await core.run(operation("find"), session: session, rows: { $0 == nil ? 0 : 1 }) {
            call -> Swift.Result<Document?, MongoFailure> in
            call.command(command, .read).flatMap { reply in
                guard let batch = reply["cursor"]?["firstBatch"], case .array = batch else {
                    return .failure(.unexpectedReply)
                }
                return .success(batch[0]?.document)
            }
        }
        guard let found else { return nil }
        return try DocumentCoding.decode(type, from: found, operation: "find")
    }

    private func check(skip: Int, limit: Int?) throws(PersistenceError) {
        guard skip >= 0 else { throw PersistenceError(.invalidArgument, "skip is negative", operation: "find") }
        guard limit.map({ $0 >= 0 }) ?? true else {
            throw PersistenceError(.invalidArgument, "limit is negative", operation: "find")
        }
    }
}
