/// Changes to a user; what is `nil` stays as it is.
public struct UserUpdate: Hashable, Sendable {
    /// The new address.
    public var email: EmailAddress?

    /// The new name.
    public var name: DisplayName?

    /// Describes changes.
    ///
    /// - Parameters:
    ///   - email: The new address.
    ///   - name: The new name.
    public init(email: EmailAddress? = nil, name: DisplayName? = nil) {
        self.email = email
        self.name = name
    }

    /// Whether nothing is to be changed.
    public var isEmpty: Bool { email == nil && name == nil }
}
