public import PersistenceCore

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// The entity that an entry of the audit log is about.
///
/// The log keeps kind and identifier and no foreign key: an entry outlives what it is about.
public struct AuditedEntity: Hashable, Sendable, Codable {
    /// The kind of entity in the singular, such as `workspace`.
    public let kind: String

    /// The entity's identifier.
    public let id: UUID

    /// Names an entity of a service's own.
    ///
    /// - Parameters:
    ///   - kind: The kind of entity in the singular: 1 to 50 lower-case ASCII letters and `_`.
    ///   - id: The entity's identifier.
    /// - Throws: `PersistenceError` with the code `invalidArgument` when the kind has another form.
    public init(kind: String, id: UUID) throws(PersistenceError) {
        guard kind.utf8.count <= 50, AuditWord.isWord(kind.utf8) else {
            throw PersistenceError(
                .invalidArgument, "a kind of entity has 1 to 50 lower-case letters", operation: "AuditedEntity")
        }
        self.init(storedKind: kind, id: id)
    }

    /// An entity whose kind is known to have the right form: a constant of the library, or what a store returned.
    package init(storedKind kind: String, id: UUID) {
        self.kind = kind
        self.id = id
    }

    /// Reads and validates kind and identifier.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            kind: container.decode(String.self, forKey: .kind), id: container.decode(UUID.self, forKey: .id))
    }

    /// A user.
    ///
    /// - Parameter id: The user's identifier.
    /// - Returns: The entity.
    public static func user(_ id: UserID) -> AuditedEntity {
        AuditedEntity(storedKind: "user", id: id.rawValue)
    }

    /// A workspace.
    ///
    /// - Parameter id: The workspace's identifier.
    /// - Returns: The entity.
    public static func workspace(_ id: WorkspaceID) -> AuditedEntity {
        AuditedEntity(storedKind: "workspace", id: id.rawValue)
    }
}
