public import PersistenceCore

/// A user to be created.
public struct NewUser: Identifiable, Hashable, Sendable {
    /// The identifier that the user will have.
    ///
    /// Creating the same value twice is refused, so a client that lost the answer
    /// can try again without making a second user.
    public let id: UserID

    /// The address that the user will sign in with.
    public let email: EmailAddress

    /// The name that others will see.
    public let name: DisplayName

    /// Describes a user.
    ///
    /// - Parameters:
    ///   - id: The identifier; a new one unless given.
    ///   - email: The address that the user will sign in with.
    ///   - name: The name that others will see.
    public init(id: UserID = UserID(), email: EmailAddress, name: DisplayName) {
        self.id = id
        self.email = email
        self.name = name
    }
}
