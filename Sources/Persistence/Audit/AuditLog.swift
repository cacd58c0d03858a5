public import PersistenceCore

/// Keeps who did what to which entity.
///
/// Entries are appended and read; nothing changes or removes them.
///
/// To record a change in the same breath, append in the transaction that makes it. ``WorkspaceRepository`` records its
/// changes by itself.
///
/// Every function also throws what its database throws: `connection`, `timeout`, `cancelled`, `poolExhausted` and so on.
/// A log that is bound to a transaction is valid within that transaction only, so the protocol does not ask for
/// `Sendable`; one that is bound to a pool is.
public protocol AuditLog {
    /// Appends an entry.
    ///
    /// - Parameter entry: The entry.
    /// - Returns: The entry with its time.
    /// - Throws: `PersistenceError` with the code `uniqueViolation` and the constraint ``DomainConstraint/auditEntryID``
    ///   when the identifier has been used, `invalidData` when a change contains the character U+0000, which PostgreSQL's
    ///   `jsonb` cannot hold.
    @discardableResult
    func append(_ entry: NewAuditEntry) async throws(PersistenceError) -> AuditEntry

    /// Lists the history of an entity page by page, newest first.
    ///
    /// - Parameters:
    ///   - entity: The entity, which need not exist any more.
    ///   - request: The length of the page and where it begins.
    /// - Returns: The page; empty when nothing was recorded.
    /// - Throws: `PersistenceError` with the code `invalidArgument` when the cursor is of another list.
    func entries(
        of entity: AuditedEntity, _ request: KeysetPageRequest
    ) async throws(PersistenceError) -> KeysetPage<AuditEntry>
}
