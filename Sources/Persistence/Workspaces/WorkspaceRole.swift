/// What a member may do in a workspace.
///
/// The library stores roles; the service decides what they allow.
public enum WorkspaceRole: String, Hashable, Sendable, Codable, CaseIterable {
    /// Owns the workspace; every workspace has at least one owner.
    case owner
    /// Manages the workspace and its members.
    case admin
    /// Works in the workspace.
    case member
    /// Reads.
    case viewer
}
