import Persistence
import PersistenceCore
import PostgresEngine

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A row of `users`.
struct UserRow: Sendable {
    let id: UUID
    let email: String
    let name: String
    let version: Int64
    let createdAt: Date
    let updatedAt: Date
    let deletedAt: Date?

    init(_ row: borrowing PostgresRow) throws(PersistenceError) {
        id = try row.decode(0)
        email = try row.decode(1)
        name = try row.decode(2)
        version = try row.decode(3)
        createdAt = try row.decode(4)
        updatedAt = try row.decode(5)
        deletedAt = try row.decode(6)
    }
}

/// A row of `workspaces`.
struct WorkspaceRow: Sendable {
    let id: UUID
    let name: String
    let version: Int64
    let createdAt: Date
    let updatedAt: Date
    let deletedAt: Date?

    init(_ row: borrowing PostgresRow) throws(PersistenceError) {
        id = try row.decode(0)
        name = try row.decode(1)
        version = try row.decode(2)
        createdAt = try row.decode(3)
        updatedAt = try row.decode(4)
        deletedAt = try row.decode(5)
    }
}

/// A row of `workspace_members`.
struct WorkspaceMemberRow: Sendable {
    let workspaceID: UUID
    let userID: UUID
    let role: String
    let createdAt: Date
    let updatedAt: Date

    init(_ row: borrowing PostgresRow) throws(PersistenceError) {
        workspaceID = try row.decode(0)
        userID = try row.decode(1)
        role = try row.decode(2)
        createdAt = try row.decode(3)
        updatedAt = try row.decode(4)
    }
}

/// A row of `audit_log`.
struct AuditEntryRow: Sendable {
    let id: UUID
    let occurredAt: Date
    let actorID: UUID?
    let action: String
    let entityKind: String
    let entityID: UUID
    let changes: PostgresJSON<[String: AuditChange]>

    init(_ row: borrowing PostgresRow) throws(PersistenceError) {
        id = try row.decode(0)
        occurredAt = try row.decode(1)
        actorID = try row.decode(2)
        action = try row.decode(3)
        entityKind = try row.decode(4)
        entityID = try row.decode(5)
        changes = try row.decode(6)
    }
}
