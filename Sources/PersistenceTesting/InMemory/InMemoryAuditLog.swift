public import Persistence
public import PersistenceCore

/// The audit log in an ``InMemoryDatabase``.
public struct InMemoryAuditLog: AuditLog, Sendable {
    let database: InMemoryDatabase

    /// Appends an entry.
    @discardableResult
    public func append(_ entry: NewAuditEntry) async throws(PersistenceError) -> AuditEntry {
        try database.run("AppendAuditEntry") { tables, now throws(PersistenceError) in
            try tables.append(entry, now: now)
        }
    }

    /// Lists the history of an entity, newest first.
    public func entries(
        of entity: AuditedEntity, _ request: KeysetPageRequest
    ) async throws(PersistenceError) -> KeysetPage<AuditEntry> {
        try database.run("ListAuditEntries") { tables, _ throws(PersistenceError) in
            try tables.auditLog.values.filter { $0.entity == entity }.page(.auditEntries, request, by: \.id)
        }
    }
}
