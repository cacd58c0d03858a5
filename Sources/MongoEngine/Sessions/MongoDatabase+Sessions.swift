internal import CMongoC
internal import PersistenceCore

extension MongoDatabase {
    /// Lends a session.
    ///
    /// - Parameters:
    ///   - options: Causal consistency, or one moment for all reads.
    ///   - body: The work.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws, unwrapped; ``PersistenceError`` when no client can be had, or the server has no
    ///   sessions.
    @discardableResult
    public func withSession<Result>(
        _ options: MongoSessionOptions = MongoSessionOptions(), _ body: (MongoSession) async throws -> Result
    ) async throws -> Result {
        let scope = try await core.run(MongoOperation("startSession")) { call in call.startSession(options) }
        defer { scope.finish() }
        return try await body(MongoSession(core: core, scope: scope))
    }

    /// Runs `body` in a transaction.
    ///
    /// The transaction begins with the first operation, is committed when the closure returns, and aborted when it throws.
    /// When the server marks a failure as transient, all of it is done again; when the outcome of the commit is not
    /// known, the commit is. Source: the transactions convenience API specification.
    ///
    /// ```swift
    /// try await database.withTransaction { session in
    ///     try await accounts.bound(to: session).updateOne(.id(from), .increment("balance", by: -amount))
    ///     try await accounts.bound(to: session).updateOne(.id(to), .increment("balance", by: amount))
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - options: Concerns and time limits.
    ///   - body: The work; it may run more than once, so it must not have effects outside the database.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws, unwrapped, after the transaction was aborted; ``PersistenceError`` when no client can
    ///   be had or the commit fails: `transactionAborted` when an error that the body swallowed had ended the
    ///   transaction, `commitUnknown` when the server did not say what became of it.
    @discardableResult
    public func withTransaction<Result>(
        _ options: MongoTransactionOptions = MongoTransactionOptions(),
        _ body: (MongoSession) async throws -> Result
    ) async throws -> Result {
        try await withSession { session in try await session.withTransaction(options, body) }
    }
}

extension MongoCall {
    fileprivate mutating func startSession(_ options: MongoSessionOptions) -> Result<SessionScope, MongoFailure> {
        let choices = mongoc_session_opts_new()
        defer { mongoc_session_opts_destroy(choices) }
        mongoc_session_opts_set_causal_consistency(choices, options.isCausallyConsistent)
        if options.isSnapshot { mongoc_session_opts_set_snapshot(choices, true) }
        var error = bson_error_t()
        guard let session = mongoc_client_start_session(client, choices, &error) else {
            return .failure(MongoFailure(error))
        }
        return .success(SessionScope(stealing: session, lane: keepClient()))
    }
}
