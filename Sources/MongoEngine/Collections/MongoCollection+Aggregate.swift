public import BSON
internal import CMongoC
public import PersistenceCore

/// How an aggregation is run.
public struct MongoAggregateOptions: Sendable, Hashable {
    /// Whether stages that need more memory than the server allows may use its disk.
    public var allowsDiskUse: Bool?
    /// The index to use, where the server must not choose.
    public var hint: MongoIndexHint?
    /// How texts are compared.
    public var collation: MongoCollation?
    /// How many documents come in one batch, from 1 to 100,000.
    public var batchSize: Int
    /// What the server shows for the aggregation, in its log and in `currentOp`.
    public var comment: String?

    /// Creates options.
    ///
    /// - Parameters:
    ///   - allowsDiskUse: Whether large stages may use the server's disk.
    ///   - hint: The index to use.
    ///   - collation: How texts are compared.
    ///   - batchSize: How many documents come in one batch.
    ///   - comment: What the server shows for the aggregation.
    public init(
        allowsDiskUse: Bool? = nil, hint: MongoIndexHint? = nil, collation: MongoCollation? = nil,
        batchSize: Int = 1000, comment: String? = nil
    ) {
        self.allowsDiskUse = allowsDiskUse
        self.hint = hint
        self.collation = collation
        self.batchSize = batchSize
        self.comment = comment
    }

    var effectiveBatchSize: Int { min(max(batchSize, 1), 100_000) }

    func document(isWrite: Bool) -> Document {
        var document = Document()
        if !isWrite { document.append("batchSize", .int32(Int32(effectiveBatchSize))) }
        if let allowsDiskUse { document.append("allowDiskUse", .bool(allowsDiskUse)) }
        if let hint { document.append("hint", hint.value) }
        if let collation { document.append("collation", .document(collation.document)) }
        if let comment { document.append("comment", .string(comment)) }
        return document
    }
}

extension MongoCollection {
    /// Runs an aggregation and decodes its documents into a type.
    ///
    /// - Parameters:
    ///   - pipeline: The stages.
    ///   - type: The type to decode into.
    ///   - options: How the aggregation is run.
    /// - Returns: The documents; nothing is sent before the first is asked for.
    public func aggregate<Result: Decodable>(
        _ pipeline: MongoPipeline, as type: Result.Type, options: MongoAggregateOptions = MongoAggregateOptions()
    ) -> MongoCursor<Result> {
        let isWrite = pipeline.isWrite
        let operation = operation("aggregate", isWrite: isWrite)
        let batchSize = options.effectiveBatchSize
        return MongoCursor { [self] in
            CursorRun(
                core: core, operation: operation, batchSize: batchSize,
                decoding: DocumentCoding.decoding(type, operation: "aggregate")
            ) {
                () async throws(PersistenceError) -> CursorPage in
                let stages: Document = ["pipeline": pipeline.value]
                try stages.requireWellFormed()
                let choices = options.document(isWrite: isWrite)
                try choices.requireWellFormed()
                return try await core.run(operation, session: session, rows: { $0.batch.count }) {
                    [name, session] call in
                    let cursor = call.withCollection(name) { collection in
                        stages.withBSON { stages in
                            call.withOptions(choices) {
                                mongoc_collection_aggregate(collection, MONGOC_QUERY_NONE, stages, $0, nil)
                            }
                        }
                    }
                    guard let cursor else { return .failure(.poolClosed) }
                    return call.firstPage(stealing: cursor, session: session, count: batchSize)
                }
            }
        }
    }

    /// Runs an aggregation.
    ///
    /// - Parameters:
    ///   - pipeline: The stages.
    ///   - options: How the aggregation is run.
    /// - Returns: The documents as they are; nothing is sent before the first is asked for.
    public func aggregate(
        _ pipeline: MongoPipeline, options: MongoAggregateOptions = MongoAggregateOptions()
    ) -> MongoCursor<Document> {
        aggregate(pipeline, as: Document.self, options: options)
    }

    // MARK: Explaining

    /// How far the server goes to explain a query.
    @nonexhaustive
    public enum Verbosity: String, Sendable, Hashable, CaseIterable {
        /// It chooses a plan.
        case queryPlanner
        /// It runs the plan, and tells how much it looked at.
        case executionStats
        /// The same for the plans that it did not choose.
        case allPlansExecution
    }

    /// How the server finds the documents of a query.
    ///
    /// - Parameters:
    ///   - filter: Which documents.
    ///   - sort: In which order.
    ///   - limit: How many at most.
    ///   - options: How the query is run.
    ///   - verbosity: How far the server goes.
    /// - Returns: The server's explanation, whose form depends on its version.
    /// - Throws: ``PersistenceError``.
    public func explain(
        _ filter: MongoFilter, sort: MongoSort? = nil, limit: Int? = nil,
        options: MongoFindOptions = MongoFindOptions(), verbosity: Verbosity = .executionStats
    ) async throws(PersistenceError) -> Document {
        var find: Document = ["find": .string(name), "filter": .document(filter.document)]
        find.append(contentsOf: options.document(sort: sort, skip: 0, limit: limit))
        return try await explain(find, verbosity)
    }

    /// How the server runs an aggregation.
    ///
    /// - Parameters:
    ///   - pipeline: The stages.
    ///   - verbosity: How far the server goes.
    /// - Returns: The server's explanation, whose form depends on its version.
    /// - Throws: ``PersistenceError``.
    public func explain(
        _ pipeline: MongoPipeline, verbosity: Verbosity = .executionStats
    ) async throws(PersistenceError) -> Document {
        try await explain(
            ["aggregate": .string(name), "pipeline": pipeline.value, "cursor": .document(Document())], verbosity)
    }

    private func explain(_ command: Document, _ verbosity: Verbosity) async throws(PersistenceError) -> Document {
        let command: Document = ["explain": .document(command), "verbosity": .string(verbosity.rawValue)]
        try command.requireWellFormed()
        return try await core.run(operation("explain"), session: session) { call in call.command(command, .read) }
    }
}
