public import PersistenceCore

/// An entry to be appended to the audit log.
public struct NewAuditEntry: Identifiable, Hashable, Sendable {
    /// The identifier that the entry will have.
    ///
    /// Appending the same value twice is refused, so a client that lost the
    /// answer can try again without recording something twice.
    public let id: AuditEntryID

    /// Who did it; `nil` when no user did.
    public let actor: UserID?

    /// What was done.
    public let action: AuditAction

    /// What it was done to.
    public let entity: AuditedEntity

    /// The fields that changed, by name.
    public let changes: [String: AuditChange]

    /// Describes an entry.
    ///
    /// - Parameters:
    ///   - id: The identifier; a new one unless given.
    ///   - actor: Who did it; `nil` when no user did.
    ///   - action: What was done.
    ///   - entity: What it was done to.
    ///   - changes: The fields that changed, by name. They are kept for ever: no secrets.
    public init(
        id: AuditEntryID = AuditEntryID(), actor: UserID?, action: AuditAction, entity: AuditedEntity,
        changes: [String: AuditChange] = [:]
    ) {
        self.id = id
        self.actor = actor
        self.action = action
        self.entity = entity
        self.changes = changes
    }
}
