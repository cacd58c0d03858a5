public import PersistenceCore

/// A workspace to be created.
public struct NewWorkspace: Identifiable, Hashable, Sendable {
    /// The identifier that the workspace will have.
    ///
    /// Creating the same value twice is refused, so a client that lost the
    /// answer can try again without making a second workspace.
    public let id: WorkspaceID

    /// The name that its members will see.
    public let name: DisplayName

    /// Describes a workspace.
    ///
    /// - Parameters:
    ///   - id: The identifier; a new one unless given.
    ///   - name: The name that its members will see.
    public init(id: WorkspaceID = WorkspaceID(), name: DisplayName) {
        self.id = id
        self.name = name
    }
}
