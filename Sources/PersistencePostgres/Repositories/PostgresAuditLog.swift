public import Persistence
public import PersistenceCore
public import PostgresEngine

/// The audit log in the table `audit_log`, which refuses to change or remove its rows.
///
/// Get one from what runs the statements: `transaction.auditLog` records together with the change that the transaction
/// makes, `database.auditLog` takes a connection of the pool for each call.
public struct PostgresAuditLog<Executor: PostgresExecutor>: AuditLog {
    private let executor: Executor

    /// Creates a log.
    ///
    /// - Parameter executor: What runs its statements.
    public init(_ executor: Executor) {
        self.executor = executor
    }

    /// Appends an entry.
    @discardableResult
    public func append(_ entry: NewAuditEntry) async throws(PersistenceError) -> AuditEntry {
        AuditEntry(
            try await executor.runExplained(
                Queries.AppendAuditEntry(
                    id: entry.id.rawValue, actorID: entry.actor?.rawValue, action: entry.action.text,
                    entityKind: entry.entity.kind, entityID: entry.entity.id, changes: PostgresJSON(entry.changes))))
    }

    /// Lists the history of an entity page by page, newest first.
    public func entries(
        of entity: AuditedEntity, _ request: KeysetPageRequest
    ) async throws(PersistenceError) -> KeysetPage<AuditEntry> {
        let bounds = try PageBounds(request, of: .auditEntries)
        let rows =
            bounds.isBackward
            ? try await executor.run(
                Queries.ListAuditEntriesBackward(
                    entityKind: entity.kind, entityID: entity.id, id: bounds.key, limit: bounds.limit))
            : try await executor.run(
                Queries.ListAuditEntries(
                    entityKind: entity.kind, entityID: entity.id, id: bounds.key, limit: bounds.limit))
        return try Listing.auditEntries.page(rows.map(AuditEntry.init), for: request, by: \.id)
    }
}

extension PostgresAuditLog: Sendable where Executor: Sendable {}

extension PostgresExecutor {
    /// The audit log, by this executor.
    public var auditLog: PostgresAuditLog<Self> { PostgresAuditLog(self) }
}

extension AuditEntry {
    fileprivate init(_ row: AuditEntryRow) {
        self.init(
            id: AuditEntryID(rawValue: row.id), occurredAt: row.occurredAt,
            actor: row.actorID.map(UserID.init(rawValue:)),
            action: AuditAction(stored: row.action),
            entity: AuditedEntity(storedKind: row.entityKind, id: row.entityID), changes: row.changes.value)
    }
}
