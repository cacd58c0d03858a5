internal import BSON
internal import CMongoC
public import PersistenceCore

extension MongoCollection {
    /// Creates the collection, for options that one created by its first write would not have.
    ///
    /// - Parameter options: The options.
    /// - Throws: ``PersistenceError``: `invalidStatement` with the server code 48 when there is a collection of that name;
    ///   `unsupported` when the server lacks an option.
    public func create(_ options: MongoCollectionOptions = MongoCollectionOptions()) async throws(PersistenceError) {
        var command: Document = ["create": .string(name)]
        command.append(contentsOf: try options.document())
        try await administer("create", command)
    }

    /// Changes what documents must satisfy from now on.
    ///
    /// - Parameters:
    ///   - validator: The filter; ``MongoFilter/all`` takes everything.
    ///   - level: Which writes are validated.
    ///   - action: What happens to documents that the validator refuses.
    /// - Throws: ``PersistenceError``.
    public func setValidator(
        _ validator: MongoFilter, level: MongoCollectionOptions.ValidationLevel = .strict,
        action: MongoCollectionOptions.ValidationAction = .error
    ) async throws(PersistenceError) {
        try await administer(
            "collMod",
            [
                "collMod": .string(name), "validator": .document(validator.document),
                "validationLevel": .string(level.rawValue), "validationAction": .string(action.rawValue),
            ])
    }

    /// Drops the collection with its documents and indexes; one that is not there stays so.
    ///
    /// - Throws: ``PersistenceError``.
    public func drop() async throws(PersistenceError) {
        do throws(PersistenceError) {
            try await administer("drop", ["drop": .string(name)])
        } catch {
            // NamespaceNotFound, as servers before 7.0 answer.
            if error.serverCode != "26" { throw error }
        }
    }

    private func administer(_ operation: String, _ command: Document) async throws(PersistenceError) {
        try command.requireWellFormed()
        _ = try await core.run(self.operation(operation, isWrite: true), session: session) { call in
            call.command(command, .write)
        }
    }
}

extension MongoDatabase {
    /// The database's collections and views.
    ///
    /// - Parameter filter: Which of them: a filter on `name`, `type` and `options`.
    /// - Returns: The collections, in no order.
    /// - Throws: ``PersistenceError``.
    public func listCollections(_ filter: MongoFilter = .all) async throws(PersistenceError) -> [MongoCollectionInfo] {
        let options: Document = ["filter": .document(try filter.checked())]
        let core = core
        let operation = MongoOperation("listCollections")
        let cursor = MongoCursor {
            CursorRun(
                core: core, operation: operation, batchSize: 1000,
                decoding: CursorDecoding(each: { MongoCollectionInfo($0) })
            ) {
                () async throws(PersistenceError) -> CursorPage in
                try await core.run(operation) { call in
                    let database = mongoc_client_get_database(call.client, call.database)
                    defer { mongoc_database_destroy(database) }
                    let cursor = call.withOptions(options, limitsTime: false) {
                        mongoc_database_find_collections_with_opts(database, $0)
                    }
                    guard let cursor else { return .failure(.poolClosed) }
                    return call.firstPage(stealing: cursor, session: nil, count: 1000)
                }
            }
        }
        return try await cursor.collect()
    }

    /// Drops the database with all its collections.
    ///
    /// - Throws: ``PersistenceError``.
    public func drop() async throws(PersistenceError) {
        _ = try await core.run(MongoOperation("dropDatabase", isWrite: true)) { call in
            call.command(["dropDatabase": 1], .write)
        }
    }
}
