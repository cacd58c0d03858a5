#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// A user's part in a workspace.
public struct WorkspaceMember: Hashable, Sendable, Codable {
    /// The workspace.
    public let workspaceID: WorkspaceID

    /// The user.
    public let userID: UserID

    /// What the user may do.
    public let role: WorkspaceRole

    /// When the user joined.
    public let createdAt: Date

    /// When the role last changed.
    public let updatedAt: Date

    /// Creates the value; repositories do.
    ///
    /// - Parameters:
    ///   - workspaceID: The workspace.
    ///   - userID: The user.
    ///   - role: What the user may do.
    ///   - createdAt: When the user joined.
    ///   - updatedAt: When the role last changed.
    public init(
        workspaceID: WorkspaceID, userID: UserID, role: WorkspaceRole, createdAt: Date, updatedAt: Date
    ) {
        self.workspaceID = workspaceID
        self.userID = userID
        self.role = role
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}
