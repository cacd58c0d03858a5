public import PersistenceCore

/// Keeps workspaces and their members.
///
/// Every change is recorded in the audit log, under ``AuditedEntity/workspace(_:)``, together with the change: one is never
/// without the other, in a transaction or outside one. The `actor` of a change is who made it, `nil` when no user did.
///
/// A deleted workspace is kept but does not exist for any function, and neither do its members. A workspace always has an
/// owner.
///
/// Every function also throws what its database throws: `connection`, `timeout`, `cancelled`, `poolExhausted` and so on.
/// A repository that is bound to a transaction is valid within that transaction only, so the protocol does not ask for
/// `Sendable`; one that is bound to a pool is.
public protocol WorkspaceRepository {
    /// Creates a workspace with its first owner.
    ///
    /// - Parameters:
    ///   - workspace: The workspace.
    ///   - owner: The owner, who is also recorded as the actor.
    /// - Returns: The workspace with version 1.
    /// - Throws: `PersistenceError` with the code `notFound` when the owner does not exist, `uniqueViolation` with the
    ///   constraint ``DomainConstraint/workspaceID`` when the identifier has been used.
    @discardableResult
    func create(_ workspace: NewWorkspace, ownedBy owner: UserID) async throws(PersistenceError) -> Workspace

    /// Looks a workspace up.
    ///
    /// - Parameter id: The workspace's identifier.
    /// - Returns: The workspace; `nil` when there is none or it is deleted.
    func workspace(id: WorkspaceID) async throws(PersistenceError) -> Workspace?

    /// Gives a workspace another name, unless somebody else has changed it since it was read (optimistic locking).
    ///
    /// - Parameters:
    ///   - id: The workspace's identifier.
    ///   - name: The new name.
    ///   - version: The version that the caller has read.
    ///   - actor: Who renames it.
    /// - Returns: The workspace with the next version.
    /// - Throws: `PersistenceError` with the code `notFound` when the workspace does not exist, `staleVersion` when it has
    ///   another version.
    @discardableResult
    func rename(
        _ id: WorkspaceID, to name: DisplayName, expecting version: Int64, by actor: UserID?
    ) async throws(PersistenceError) -> Workspace

    /// Deletes a workspace; its members stay recorded.
    ///
    /// - Parameters:
    ///   - id: The workspace's identifier.
    ///   - version: The version that the caller has read.
    ///   - actor: Who deletes it.
    /// - Returns: The deleted workspace with the next version.
    /// - Throws: `PersistenceError` with the code `notFound` when the workspace does not exist, `staleVersion` when it has
    ///   another version.
    @discardableResult
    func softDelete(
        _ id: WorkspaceID, expecting version: Int64, by actor: UserID?
    ) async throws(PersistenceError) -> Workspace

    /// Adds a member.
    ///
    /// - Parameters:
    ///   - user: The user who joins.
    ///   - workspace: The workspace.
    ///   - role: What the user may do.
    ///   - actor: Who adds the user.
    /// - Returns: The membership.
    /// - Throws: `PersistenceError` with the code `notFound` when the workspace or the user does not exist,
    ///   `uniqueViolation` with the constraint ``DomainConstraint/workspaceMember`` when the user is a member already.
    @discardableResult
    func addMember(
        _ user: UserID, to workspace: WorkspaceID, as role: WorkspaceRole, by actor: UserID?
    ) async throws(PersistenceError) -> WorkspaceMember

    /// Gives a member another role. Giving the role that the member has records nothing.
    ///
    /// - Parameters:
    ///   - user: The member.
    ///   - workspace: The workspace.
    ///   - role: What the user may do from now on.
    ///   - actor: Who changes the role.
    /// - Returns: The membership.
    /// - Throws: `PersistenceError` with the code `notFound` when the workspace does not exist or the user is no member of
    ///   it, `checkViolation` with the constraint ``DomainConstraint/workspaceOwner`` when the workspace would have no
    ///   owner left.
    @discardableResult
    func changeRole(
        of user: UserID, in workspace: WorkspaceID, to role: WorkspaceRole, by actor: UserID?
    ) async throws(PersistenceError) -> WorkspaceMember

    /// Removes a member; a member who leaves is the actor as well.
    ///
    /// - Parameters:
    ///   - user: The member.
    ///   - workspace: The workspace.
    ///   - actor: Who removes the member.
    /// - Returns: The membership that ended.
    /// - Throws: `PersistenceError` with the code `notFound` when the workspace does not exist or the user is no member of
    ///   it, `checkViolation` with the constraint ``DomainConstraint/workspaceOwner`` when the workspace would have no
    ///   owner left, also when its last two owners leave at the same moment.
    @discardableResult
    func removeMember(
        _ user: UserID, from workspace: WorkspaceID, by actor: UserID?
    ) async throws(PersistenceError) -> WorkspaceMember

    /// Looks a member up.
    ///
    /// - Parameters:
    ///   - user: The user.
    ///   - workspace: The workspace.
    /// - Returns: The membership; `nil` when the workspace does not exist or the user is no member of it.
    func member(_ user: UserID, of workspace: WorkspaceID) async throws(PersistenceError) -> WorkspaceMember?

    /// Lists a workspace's members page by page, in the order in which the users signed up.
    ///
    /// - Parameters:
    ///   - workspace: The workspace.
    ///   - request: The length of the page and where it begins.
    /// - Returns: The page; empty when the workspace does not exist.
    /// - Throws: `PersistenceError` with the code `invalidArgument` when the cursor is of another list.
    func members(
        of workspace: WorkspaceID, _ request: KeysetPageRequest
    ) async throws(PersistenceError) -> KeysetPage<WorkspaceMember>

    /// Lists the workspaces that a user is a member of page by page, newest first.
    ///
    /// - Parameters:
    ///   - user: The user.
    ///   - request: The length of the page and where it begins.
    /// - Returns: The page; empty when the user does not exist.
    /// - Throws: `PersistenceError` with the code `invalidArgument` when the cursor is of another list.
    func workspaces(
        of user: UserID, _ request: KeysetPageRequest
    ) async throws(PersistenceError) -> KeysetPage<Workspace>
}
