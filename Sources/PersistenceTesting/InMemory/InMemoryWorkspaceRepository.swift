public import Persistence
public import PersistenceCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Workspaces and their members in an ``InMemoryDatabase``.
public struct InMemoryWorkspaceRepository: WorkspaceRepository, Sendable {
    let database: InMemoryDatabase

    /// Creates a workspace with its first owner.
    @discardableResult
    public func create(
        _ workspace: NewWorkspace, ownedBy owner: UserID
    ) async throws(PersistenceError) -> Workspace {
        try database.run("CreateWorkspace") { tables, now throws(PersistenceError) in
            guard tables.existingUser(owner) != nil else {
                throw PersistenceError(.notFound, "there is no such user to own the workspace")
            }
            guard tables.workspaces[workspace.id] == nil else { throw PersistenceError(.workspaceID) }
            let row = Workspace(id: workspace.id, name: workspace.name, version: 1, createdAt: now, updatedAt: now)
            tables.workspaces[row.id] = row
            try tables.setMember(
                .init(workspace: row.id, user: owner),
                WorkspaceMember(
                    workspaceID: row.id, userID: owner, role: .owner, createdAt: now, updatedAt: now))
            try tables.record(
                .workspaceCreated, of: row.id, by: owner, now: now,
                ["name": AuditChange(after: row.name.text), "owner": AuditChange(after: owner.description)])
            return row
        }
    }

    /// Looks a workspace up.
    public func workspace(id: WorkspaceID) async throws(PersistenceError) -> Workspace? {
        try database.run("GetWorkspace") { tables, _ in tables.existingWorkspace(id) }
    }

    /// Gives a workspace another name, unless somebody else has changed it.
    @discardableResult
    public func rename(
        _ id: WorkspaceID, to name: DisplayName, expecting version: Int64, by actor: UserID?
    ) async throws(PersistenceError) -> Workspace {
        try database.run("RenameWorkspace") { tables, now throws(PersistenceError) in
            let before = try Self.current(id, version, in: tables)
            let renamed = Workspace(
                id: id, name: name, version: version + 1, createdAt: before.createdAt, updatedAt: now)
            tables.workspaces[id] = renamed
            try tables.record(
                .workspaceRenamed, of: id, by: actor, now: now,
                ["name": AuditChange(before: before.name.text, after: name.text)])
            return renamed
        }
    }

    /// Deletes a workspace.
    @discardableResult
    public func softDelete(
        _ id: WorkspaceID, expecting version: Int64, by actor: UserID?
    ) async throws(PersistenceError) -> Workspace {
        try database.run("SoftDeleteWorkspace") { tables, now throws(PersistenceError) in
            let before = try Self.current(id, version, in: tables)
            let deleted = Workspace(
                id: id, name: before.name, version: version + 1, createdAt: before.createdAt, updatedAt: now,
                deletedAt: now)
            tables.workspaces[id] = deleted
            try tables.record(
                .workspaceDeleted, of: id, by: actor, now: now, ["name": AuditChange(before: before.name.text)])
            return deleted
        }
    }

    /// Adds a member.
    @discardableResult
    public func addMember(
        _ user: UserID, to workspace: WorkspaceID, as role: WorkspaceRole, by actor: UserID?
    ) async throws(PersistenceError) -> WorkspaceMember {
        try database.run("AddWorkspaceMember") { tables, now throws(PersistenceError) in
            guard tables.existingWorkspace(workspace) != nil, tables.existingUser(user) != nil else {
                throw PersistenceError(.notFound, "there is no such workspace, or no such user")
            }
            let key = InMemoryTables.Membership(workspace: workspace, user: user)
            guard tables.member(key) == nil else { throw PersistenceError(.workspaceMember) }
            let member = WorkspaceMember(
                workspaceID: workspace, userID: user, role: role, createdAt: now, updatedAt: now)
            try tables.setMember(key, member)
            try tables.record(
                .workspaceMemberAdded, of: workspace, by: actor, now: now,
                ["user": AuditChange(after: user.description), "role": AuditChange(after: role.rawValue)])
            return member
        }
    }

    /// Gives a member another role.
    @discardableResult
    public func changeRole(
        of user: UserID, in workspace: WorkspaceID, to role: WorkspaceRole, by actor: UserID?
    ) async throws(PersistenceError) -> WorkspaceMember {
        try database.run("ChangeWorkspaceMemberRole") { tables, now throws(PersistenceError) in
            let key = InMemoryTables.Membership(workspace: workspace, user: user)
            let before = try Self.current(key, in: tables)
            let changed = WorkspaceMember(
                workspaceID: workspace, userID: user, role: role, createdAt: before.createdAt, updatedAt: now)
            try tables.setMember(key, changed)
            if before.role != role {
                try tables.record(
                    .workspaceMemberRoleChanged, of: workspace, by: actor, now: now,
                    [
                        "user": AuditChange(before: user.description, after: user.description),
                        "role": AuditChange(before: before.role.rawValue, after: role.rawValue),
                    ])
            }
            return changed
        }
    }

    /// Removes a member.
    @discardableResult
    public func removeMember(
        _ user: UserID, from workspace: WorkspaceID, by actor: UserID?
    ) async throws(PersistenceError) -> WorkspaceMember {
        try database.run("RemoveWorkspaceMember") { tables, now throws(PersistenceError) in
            let key = InMemoryTables.Membership(workspace: workspace, user: user)
            let removed = try Self.current(key, in: tables)
            try tables.setMember(key, nil)
            try tables.record(
                .workspaceMemberRemoved, of: workspace, by: actor, now: now,
                [
                    "user": AuditChange(before: user.description),
                    "role": AuditChange(before: removed.role.rawValue),
                ])
            return removed
        }
    }

    /// Looks a member up.
    public func member(
        _ user: UserID, of workspace: WorkspaceID
    ) async throws(PersistenceError) -> WorkspaceMember? {
        try database.run("GetWorkspaceMember") { tables, _ in
            tables.member(.init(workspace: workspace, user: user))
        }
    }

    /// Lists a workspace's members, in the order in which the users signed up.
    public func members(
        of workspace: WorkspaceID, _ request: KeysetPageRequest
    ) async throws(PersistenceError) -> KeysetPage<WorkspaceMember> {
        try database.run("ListWorkspaceMembers") { tables, _ throws(PersistenceError) in
            try tables.members.keys.filter { $0.workspace == workspace }.compactMap(tables.member)
                .page(.members, request, by: \.userID)
        }
    }

    /// Lists the workspaces that a user is a member of, newest first.
    public func workspaces(
        of user: UserID, _ request: KeysetPageRequest
    ) async throws(PersistenceError) -> KeysetPage<Workspace> {
        try database.run("ListWorkspacesOfUser") { tables, _ throws(PersistenceError) in
            try tables.members.keys.filter { $0.user == user }
                .compactMap { tables.existingWorkspace($0.workspace) }
                .page(.workspacesOfUser, request, by: \.id)
        }
    }

    private static func current(
        _ id: WorkspaceID, _ version: Int64, in tables: InMemoryTables
    ) throws(PersistenceError) -> Workspace {
        guard let workspace = tables.existingWorkspace(id) else {
            throw PersistenceError(.notFound, "there is no such workspace")
        }
        guard workspace.version == version else { throw PersistenceError(.staleVersion) }
        return workspace
    }

    private static func current(
        _ key: InMemoryTables.Membership, in tables: InMemoryTables
    ) throws(PersistenceError) -> WorkspaceMember {
        guard let member = tables.member(key) else {
            throw PersistenceError(.notFound, "there is no such workspace, or the user is no member of it")
        }
        return member
    }
}

extension InMemoryTables {
    fileprivate mutating func record(
        _ action: AuditAction, of workspace: WorkspaceID, by actor: UserID?, now: Date, _ changes: [String: AuditChange]
    ) throws(PersistenceError) {
        _ = try append(
            NewAuditEntry(actor: actor, action: action, entity: .workspace(workspace), changes: changes), now: now)
    }
}
