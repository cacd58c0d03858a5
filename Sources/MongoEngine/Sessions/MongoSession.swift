public import BSON
public import PersistenceCore

/// Operations that belong together: they see each other's effects, and may form transactions.
///
/// ``MongoDatabase/withSession(_:_:)`` and ``MongoDatabase/withTransaction(_:_:)`` lend one. It has a client for itself;
/// what is asked of it runs one after the other, whoever asks.
public final class MongoSession: Sendable {
    let core: MongoCore
    let scope: SessionScope

    init(core: MongoCore, scope: SessionScope) {
        self.core = core
        self.scope = scope
    }

    /// A collection whose operations are part of the session, until the session ends.
    ///
    /// - Parameters:
    ///   - name: The collection's name.
    ///   - type: The type of its documents.
    /// - Returns: The collection.
    /// - Throws: ``PersistenceError`` with the code `invalidArgument` when MongoDB has no collections of such a name.
    public func collection<Element: Codable & Sendable>(
        _ name: String, of type: Element.Type
    ) throws(PersistenceError) -> MongoCollection<Element> {
        try MongoCollection(name: name, core: core, session: scope)
    }

    /// A collection of documents as they are, whose operations are part of the session.
    ///
    /// - Parameter name: The collection's name.
    /// - Returns: The collection.
    /// - Throws: ``PersistenceError`` with the code `invalidArgument` when MongoDB has no collections of such a name.
    public func collection(_ name: String) throws(PersistenceError) -> MongoCollection<Document> {
        try MongoCollection(name: name, core: core, session: scope)
    }

    /// Runs a command as part of the session; see ``MongoDatabase/runCommand(_:on:isWrite:)``.
    ///
    /// - Parameters:
    ///   - command: The command.
    ///   - database: The database to run it on; without one, the configured.
    ///   - isWrite: Whether it changes something.
    /// - Returns: The reply.
    /// - Throws: ``PersistenceError``.
    public func runCommand(
        _ command: Document, on database: String? = nil, isWrite: Bool = false
    ) async throws(PersistenceError) -> Document {
        try await core.runCommand(command, on: database, isWrite: isWrite, session: scope)
    }

    /// Runs `body` in a transaction of the session; see ``MongoDatabase/withTransaction(_:_:)``.
    ///
    /// - Parameters:
    ///   - options: Concerns and time limits.
    ///   - body: The work; it may run more than once.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws, unwrapped; ``PersistenceError``.
    @discardableResult
    public func withTransaction<Result>(
        _ options: MongoTransactionOptions = MongoTransactionOptions(),
        _ body: (MongoSession) async throws -> Result
    ) async throws -> Result {
        try await TransactionRun(session: self, options: options).run(body)
    }
}

extension MongoCollection {
    /// The same collection as part of a session.
    ///
    /// - Parameter session: The session.
    /// - Returns: The collection, for as long as the session lasts.
    /// - Throws: ``PersistenceError`` with the code `invalidArgument` when the session is another database's.
    public func bound(to session: MongoSession) throws(PersistenceError) -> MongoCollection {
        guard session.core === core else {
            throw PersistenceError(.invalidArgument, "the session and the collection are not of the same database")
        }
        return try MongoCollection(name: name, core: core, session: session.scope)
    }
}
