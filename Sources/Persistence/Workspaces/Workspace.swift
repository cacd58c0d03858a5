#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// A place that several people work in.
public struct Workspace: Identifiable, Hashable, Sendable, Codable {
    /// The workspace's identifier, made by the client that created it.
    public let id: WorkspaceID

    /// The name that its members see; several workspaces may have the same.
    public let name: DisplayName

    /// Grows by one with every change of the workspace itself, not of its members.
    public let version: Int64

    /// When the workspace was created.
    public let createdAt: Date

    /// When the workspace last changed.
    public let updatedAt: Date

    /// When the workspace was deleted; `nil` for one that exists.
    public let deletedAt: Date?

    /// Creates the value; repositories do.
    ///
    /// - Parameters:
    ///   - id: The workspace's identifier.
    ///   - name: The name that its members see.
    ///   - version: The number of the state, from 1.
    ///   - createdAt: When the workspace was created.
    ///   - updatedAt: When the workspace last changed.
    ///   - deletedAt: When the workspace was deleted.
    public init(
        id: WorkspaceID, name: DisplayName, version: Int64, createdAt: Date, updatedAt: Date, deletedAt: Date? = nil
    ) {
        self.id = id
        self.name = name
        self.version = version
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.deletedAt = deletedAt
    }
}
