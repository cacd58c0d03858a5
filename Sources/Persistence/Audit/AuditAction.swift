public import PersistenceCore

/// What was done, as `entity.verb`: `workspace.renamed`.
///
/// Both parts are lower-case words of ASCII letters and `_`, 100 characters in all at most. A service adds its own as
/// static members.
public struct AuditAction: Hashable, Sendable, CustomStringConvertible {
    /// The text.
    public let text: String

    /// Names an action.
    ///
    /// - Parameter text: The text, `entity.verb`.
    /// - Throws: `PersistenceError` with the code `invalidArgument` when the text has another form.
    public init(_ text: String) throws(PersistenceError) {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard text.utf8.count <= 100, parts.count == 2, parts.allSatisfy({ AuditWord.isWord($0) }) else {
            throw PersistenceError(
                .invalidArgument, "an audit action has the form entity.verb in lower-case letters",
                operation: "AuditAction")
        }
        self.text = text
    }

    /// An action that is known to have the right form: a constant of the library, or what a store returned.
    package init(stored text: String) {
        self.text = text
    }

    /// The text.
    public var description: String { text }
}

extension AuditAction: Codable {
    /// Reads and validates the text.
    public init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }

    /// Writes the text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

extension AuditAction {
    /// A workspace was created, with its first owner.
    public static let workspaceCreated = AuditAction(stored: "workspace.created")
    /// A workspace got another name.
    public static let workspaceRenamed = AuditAction(stored: "workspace.renamed")
    /// A workspace was deleted.
    public static let workspaceDeleted = AuditAction(stored: "workspace.deleted")
    /// A user joined a workspace.
    public static let workspaceMemberAdded = AuditAction(stored: "workspace.member_added")
    /// A member of a workspace got another role.
    public static let workspaceMemberRoleChanged = AuditAction(stored: "workspace.member_role_changed")
    /// A member left a workspace or was removed from it.
    public static let workspaceMemberRemoved = AuditAction(stored: "workspace.member_removed")
}

/// The words that actions and kinds of entities are made of.
enum AuditWord {
    static func isWord(_ text: some Collection<UInt8>) -> Bool {
        !text.isEmpty
            && text.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || $0 == UInt8(ascii: "_")
            }
    }
}
