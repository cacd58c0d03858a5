#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// A person with an account.
public struct User: Identifiable, Hashable, Sendable, Codable {
    /// The user's identifier, made by the client that signed the user up.
    public let id: UserID

    /// The address that the user signs in with; no two users that exist have the same.
    public let email: EmailAddress

    /// The name that others see.
    public let name: DisplayName

    /// Grows by one with every change; see ``UserRepository/update(_:with:expecting:)``.
    public let version: Int64

    /// When the user signed up.
    public let createdAt: Date

    /// When the user last changed.
    public let updatedAt: Date

    /// When the user was deleted; `nil` for a user that exists.
    public let deletedAt: Date?

    /// Creates the value; repositories do.
    ///
    /// - Parameters:
    ///   - id: The user's identifier.
    ///   - email: The address that the user signs in with.
    ///   - name: The name that others see.
    ///   - version: The number of the state, from 1.
    ///   - createdAt: When the user signed up.
    ///   - updatedAt: When the user last changed.
    ///   - deletedAt: When the user was deleted.
    public init(
        id: UserID, email: EmailAddress, name: DisplayName, version: Int64, createdAt: Date, updatedAt: Date,
        deletedAt: Date? = nil
    ) {
        self.id = id
        self.email = email
        self.name = name
        self.version = version
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.deletedAt = deletedAt
    }
}
