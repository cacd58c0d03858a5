#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// One line of the audit log: who did what to which entity, and what changed.
///
/// It never changes.
public struct AuditEntry: Identifiable, Hashable, Sendable, Codable {
    /// The entry's identifier; entries of one process are in the order of their identifiers.
    public let id: AuditEntryID

    /// When it happened, by the database's clock; all entries of one transaction have the same time.
    public let occurredAt: Date

    /// Who did it; `nil` when no user did.
    public let actor: UserID?

    /// What was done.
    public let action: AuditAction

    /// What it was done to.
    public let entity: AuditedEntity

    /// The fields that changed, by name.
    public let changes: [String: AuditChange]

    /// Creates the value; the audit log does.
    ///
    /// - Parameters:
    ///   - id: The entry's identifier.
    ///   - occurredAt: When it happened.
    ///   - actor: Who did it.
    ///   - action: What was done.
    ///   - entity: What it was done to.
    ///   - changes: The fields that changed, by name.
    public init(
        id: AuditEntryID, occurredAt: Date, actor: UserID?, action: AuditAction, entity: AuditedEntity,
        changes: [String: AuditChange]
    ) {
        self.id = id
        self.occurredAt = occurredAt
        self.actor = actor
        self.action = action
        self.entity = entity
        self.changes = changes
    }
}
