public import Persistence
public import PersistenceCore
public import PostgresEngine

/// Workspaces in the tables `workspaces` and `workspace_members`.
///
/// Each change is one statement together with its entry in `audit_log`. Get a repository from what runs the statements:
/// `database.workspaces` takes a connection of the pool for each call, `transaction.workspaces` stays in the transaction.
public struct PostgresWorkspaceRepository<Executor: PostgresExecutor>: WorkspaceRepository {
    private let executor: Executor

    /// Creates a repository.
    ///
    /// - Parameter executor: What runs its statements.
    public init(_ executor: Executor) {
        self.executor = executor
    }

    /// Creates a workspace with its first owner.
    @discardableResult
    public func create(
        _ workspace: NewWorkspace, ownedBy owner: UserID
    ) async throws(PersistenceError) -> Workspace {
        let row = try await executor.runExplained(
            Queries.CreateWorkspace(
                id: workspace.id.rawValue, name: workspace.name.text, ownerID: owner.rawValue,
                entryID: AuditEntryID().rawValue))
        guard let row else {
            throw PersistenceError(
                .notFound, "there is no such user to own the workspace", operation: Queries.CreateWorkspace.name)
        }
        return Workspace(row)
    }

    /// Looks a workspace up.
    public func workspace(id: WorkspaceID) async throws(PersistenceError) -> Workspace? {
        try await executor.run(Queries.GetWorkspace(id: id.rawValue)).map(Workspace.init)
    }

    /// Gives a workspace another name, unless somebody else has changed it since it was read.
    @discardableResult
    public func rename(
        _ id: WorkspaceID, to name: DisplayName, expecting version: Int64, by actor: UserID?
    ) async throws(PersistenceError) -> Workspace {
        let row = try await executor.run(
            Queries.RenameWorkspace(
                id: id.rawValue, version: version, name: name.text, entryID: AuditEntryID().rawValue,
                actorID: actor?.rawValue))
        guard let row else { throw try await refusal(of: id, operation: Queries.RenameWorkspace.name) }
        return Workspace(row)
    }

    /// Deletes a workspace; its members stay recorded.
    @discardableResult
    public func softDelete(
        _ id: WorkspaceID, expecting version: Int64, by actor: UserID?
    ) async throws(PersistenceError) -> Workspace {
        let row = try await executor.run(
            Queries.SoftDeleteWorkspace(
                id: id.rawValue, version: version, entryID: AuditEntryID().rawValue, actorID: actor?.rawValue))
        guard let row else { throw try await refusal(of: id, operation: Queries.SoftDeleteWorkspace.name) }
        return Workspace(row)
    }

    /// Adds a member.
    @discardableResult
    public func addMember(
        _ user: UserID, to workspace: WorkspaceID, as role: WorkspaceRole, by actor: UserID?
    ) async throws(PersistenceError) -> WorkspaceMember {
        let row = try await executor.runExplained(
            Queries.AddWorkspaceMember(
                workspaceID: workspace.rawValue, userID: user.rawValue, role: role.rawValue,
                entryID: AuditEntryID().rawValue, actorID: actor?.rawValue))
        guard let row else {
            throw PersistenceError(
                .notFound, "there is no such workspace, or no such user", operation: Queries.AddWorkspaceMember.name)
        }
        return try WorkspaceMember(row)
    }

    /// Gives a member another role.
    @discardableResult
    public func changeRole(
        of user: UserID, in workspace: WorkspaceID, to role: WorkspaceRole, by actor: UserID?
    ) async throws(PersistenceError) -> WorkspaceMember {
        let row = try await executor.runExplained(
            Queries.ChangeWorkspaceMemberRole(
                workspaceID: workspace.rawValue, userID: user.rawValue, role: role.rawValue,
                entryID: AuditEntryID().rawValue, actorID: actor?.rawValue))
        guard let row else { throw Self.noMember(Queries.ChangeWorkspaceMemberRole.name) }
        return try WorkspaceMember(row)
    }

    /// Removes a member.
    @discardableResult
    public func removeMember(
        _ user: UserID, from workspace: WorkspaceID, by actor: UserID?
    ) async throws(PersistenceError) -> WorkspaceMember {
        let row = try await executor.runExplained(
            Queries.RemoveWorkspaceMember(
                workspaceID: workspace.rawValue, userID: user.rawValue, entryID: AuditEntryID().rawValue,
                actorID: actor?.rawValue))
        guard let row else { throw Self.noMember(Queries.RemoveWorkspaceMember.name) }
        return try WorkspaceMember(row)
    }

    /// Looks a member up.
    public func member(
        _ user: UserID, of workspace: WorkspaceID
    ) async throws(PersistenceError) -> WorkspaceMember? {
        let row = try await executor.run(
            Queries.GetWorkspaceMember(workspaceID: workspace.rawValue, userID: user.rawValue))
        guard let row else { return nil }
        return try WorkspaceMember(row)
    }

    /// Lists a workspace's members page by page, in the order in which the users signed up.
    public func members(
        of workspace: WorkspaceID, _ request: KeysetPageRequest
    ) async throws(PersistenceError) -> KeysetPage<WorkspaceMember> {
        let bounds = try PageBounds(request, of: .members)
        let rows =
            bounds.isBackward
            ? try await executor.run(
                Queries.ListWorkspaceMembersBackward(
                    workspaceID: workspace.rawValue, userID: bounds.key, limit: bounds.limit))
            : try await executor.run(
                Queries.ListWorkspaceMembers(
                    workspaceID: workspace.rawValue, userID: bounds.key, limit: bounds.limit))
        let members = try rows.map { row throws(PersistenceError) in try WorkspaceMember(row) }
        return try Listing.members.page(members, for: request, by: \.userID)
    }

    /// Lists the workspaces that a user is a member of page by page, newest first.
    public func workspaces(
        of user: UserID, _ request: KeysetPageRequest
    ) async throws(PersistenceError) -> KeysetPage<Workspace> {
        let bounds = try PageBounds(request, of: .workspacesOfUser)
        let rows =
            bounds.isBackward
            ? try await executor.run(
                Queries.ListWorkspacesOfUserBackward(
                    userID: user.rawValue, workspaceID: bounds.key, limit: bounds.limit))
            : try await executor.run(
                Queries.ListWorkspacesOfUser(userID: user.rawValue, workspaceID: bounds.key, limit: bounds.limit))
        return try Listing.workspacesOfUser.page(rows.map(Workspace.init), for: request, by: \.id)
    }

    /// Why a change of a version matched no row; asked afterwards, because a change that succeeds need not know.
    private func refusal(
        of id: WorkspaceID, operation: String
    ) async throws(PersistenceError) -> PersistenceError {
        guard try await workspace(id: id) != nil else {
            return PersistenceError(.notFound, "there is no such workspace", operation: operation)
        }
        return PersistenceError(.staleVersion, operation: operation)
    }

    private static func noMember(_ operation: String) -> PersistenceError {
        PersistenceError(
            .notFound, "there is no such workspace, or the user is no member of it", operation: operation)
    }
}

extension PostgresWorkspaceRepository: Sendable where Executor: Sendable {}

extension PostgresExecutor {
    /// The workspaces and their members, by this executor.
    public var workspaces: PostgresWorkspaceRepository<Self> { PostgresWorkspaceRepository(self) }
}

extension Workspace {
    fileprivate init(_ row: WorkspaceRow) {
        self.init(
            id: WorkspaceID(rawValue: row.id), name: DisplayName(stored: row.name), version: row.version,
            createdAt: row.createdAt, updatedAt: row.updatedAt, deletedAt: row.deletedAt)
    }
}

extension WorkspaceMember {
    fileprivate init(_ row: WorkspaceMemberRow) throws(PersistenceError) {
        guard let role = WorkspaceRole(rawValue: row.role) else {
            throw PersistenceError(.decoding, "the column role holds a role that this version does not know")
                .with { $0.column = "role" }
        }
        self.init(
            workspaceID: WorkspaceID(rawValue: row.workspaceID), userID: UserID(rawValue: row.userID), role: role,
            createdAt: row.createdAt, updatedAt: row.updatedAt)
    }
}
