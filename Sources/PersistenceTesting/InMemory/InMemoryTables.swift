import Persistence
import PersistenceCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The rows, and the rules that hold between them.
struct InMemoryTables: Sendable {
    struct Membership: Hashable {
        let workspace: WorkspaceID
        let user: UserID
    }

    private(set) var users: [UserID: User] = [:]
    /// The unique index: users that exist, by address, which compares without regard to case.
    private(set) var userByEmail: [EmailAddress: UserID] = [:]
    var workspaces: [WorkspaceID: Workspace] = [:]
    private(set) var members: [Membership: WorkspaceMember] = [:]
    private(set) var auditLog: [AuditEntryID: AuditEntry] = [:]

    // MARK: Users

    func existingUser(_ id: UserID) -> User? {
        users[id].flatMap { $0.deletedAt == nil ? $0 : nil }
    }

    mutating func insert(_ user: NewUser, now: Date) throws(PersistenceError) -> User {
        guard users[user.id] == nil else { throw PersistenceError(.userID) }
        let row = User(
            id: user.id, email: user.email, name: user.name, version: 1, createdAt: now, updatedAt: now)
        try put(row)
        return row
    }

    /// Writes a row, and keeps the index of addresses.
    mutating func put(_ user: User) throws(PersistenceError) {
        if user.deletedAt == nil {
            if let other = userByEmail[user.email], other != user.id { throw PersistenceError(.userEmail) }
        }
        if let before = existingUser(user.id) { userByEmail[before.email] = nil }
        if user.deletedAt == nil { userByEmail[user.email] = user.id }
        users[user.id] = user
    }

    // MARK: Workspaces

    func existingWorkspace(_ id: WorkspaceID) -> Workspace? {
        workspaces[id].flatMap { $0.deletedAt == nil ? $0 : nil }
    }

    func member(_ membership: Membership) -> WorkspaceMember? {
        existingWorkspace(membership.workspace).flatMap { _ in members[membership] }
    }

    /// Writes or removes a membership, and keeps an owner in the workspace.
    mutating func setMember(_ membership: Membership, _ member: WorkspaceMember?) throws(PersistenceError) {
        let before = members.updateValue(member, forKey: membership)
        guard before?.role == .owner, member?.role != .owner else { return }
        let hasOwner = members.contains { $0.key.workspace == membership.workspace && $0.value.role == .owner }
        guard hasOwner else { throw PersistenceError(.workspaceOwner) }
    }

    // MARK: Audit log

    mutating func append(_ entry: NewAuditEntry, now: Date) throws(PersistenceError) -> AuditEntry {
        let texts = entry.changes.flatMap { [$0.key, $0.value.before, $0.value.after] }
        guard !texts.contains(where: { $0?.utf8.contains(0) ?? false }) else {
            throw PersistenceError(.invalidData, "a change contains the character U+0000")
        }
        guard auditLog[entry.id] == nil else { throw PersistenceError(.auditEntryID) }
        let row = AuditEntry(
            id: entry.id, occurredAt: now, actor: entry.actor, action: entry.action, entity: entry.entity,
            changes: entry.changes)
        auditLog[entry.id] = row
        return row
    }
}

extension Dictionary {
    /// Sets or removes a value, and returns the one before.
    fileprivate mutating func updateValue(_ value: Value?, forKey key: Key) -> Value? {
        if let value { updateValue(value, forKey: key) } else { removeValue(forKey: key) }
    }
}
