package import PersistenceCore

/// A list that is paged by an identifier: its name, for cursors, and its order.
///
/// Shared by the implementations, so that a cursor means the same to each.
package struct Listing<Key: EntityIdentifier>: Sendable {
    /// The name with the order, which a cursor carries.
    package let name: String

    /// Whether the list goes from large identifiers to small ones.
    package let isDescending: Bool

    /// The key that the request's page is beside; `nil` for the first page.
    package func key(of request: KeysetPageRequest) throws(PersistenceError) -> Key? {
        try request.values(of: name, Key.self)
    }

    /// Makes a page of what was fetched.
    package func page<Item>(
        _ rows: [Item], for request: KeysetPageRequest, by key: (Item) -> Key
    ) throws(PersistenceError) -> KeysetPage<Item> {
        try KeysetPage(rows: rows, for: request, listing: name) { [key($0)] }
    }
}

extension Listing<UserID> {
    /// Users, newest first.
    package static var users: Listing { Listing(name: "users.newest", isDescending: true) }

    /// The members of a workspace, in the order in which they signed up.
    package static var members: Listing { Listing(name: "workspace_members.oldest", isDescending: false) }
}

extension Listing<WorkspaceID> {
    /// The workspaces of a user, newest first.
    package static var workspacesOfUser: Listing { Listing(name: "workspaces.newest", isDescending: true) }
}

extension Listing<AuditEntryID> {
    /// The history of an entity, newest first.
    package static var auditEntries: Listing { Listing(name: "audit_log.newest", isDescending: true) }
}
