public import PersistenceCore

/// Keeps users.
///
/// A deleted user is kept but does not exist for any function other than ``restore(_:)``, and its address is free for
/// others. Addresses are compared without regard to case.
///
/// Every function also throws what its database throws: `connection`, `timeout`, `cancelled`, `poolExhausted` and so on.
/// A repository that is bound to a transaction is valid within that transaction only, so the protocol does not ask for
/// `Sendable`; one that is bound to a pool is.
public protocol UserRepository {
    /// Signs a user up.
    ///
    /// - Parameter user: The user.
    /// - Returns: The user with version 1.
    /// - Throws: `PersistenceError` with the code `uniqueViolation` and the constraint ``DomainConstraint/userEmail`` when
    ///   a user that exists has the address, or ``DomainConstraint/userID`` when the identifier has been used.
    @discardableResult
    func create(_ user: NewUser) async throws(PersistenceError) -> User

    /// Signs many users up in one round trip: all of them or none.
    ///
    /// - Parameter users: The users; none is fine.
    /// - Returns: The users with version 1, in the order given.
    /// - Throws: `PersistenceError` as ``create(_:)``, also when two of the users have one address, and with the code
    ///   `tooLarge` for more than ``Batch/maximumCount`` users.
    @discardableResult
    func createMany(_ users: [NewUser]) async throws(PersistenceError) -> [User]

    /// Signs up those of many users whose address is free, in one round trip.
    ///
    /// Of several users with one address the first is signed up.
    ///
    /// - Parameter users: The users; none is fine.
    /// - Returns: The users that were signed up, in the order given. The others were left out because their address is
    ///   taken.
    /// - Throws: `PersistenceError` with the code `uniqueViolation` and the constraint ``DomainConstraint/userID`` when the
    ///   identifier of a user with a free address has been used, and `tooLarge` for more than ``Batch/maximumCount`` users;
    ///   nobody is signed up then.
    func createManyIfAbsent(_ users: [NewUser]) async throws(PersistenceError) -> [User]

    /// Looks a user up.
    ///
    /// - Parameter id: The user's identifier.
    /// - Returns: The user; `nil` when there is none or it is deleted.
    func user(id: UserID) async throws(PersistenceError) -> User?

    /// Looks a user up by address.
    ///
    /// - Parameter email: The address, in any case.
    /// - Returns: The user; `nil` when no user that exists has the address.
    func user(email: EmailAddress) async throws(PersistenceError) -> User?

    /// Looks many users up in one round trip.
    ///
    /// - Parameter ids: The users' identifiers; repeated ones count once.
    /// - Returns: The users that exist, by identifier.
    /// - Throws: `PersistenceError` with the code `tooLarge` for more than ``Batch/maximumCount`` identifiers.
    func users(ids: [UserID]) async throws(PersistenceError) -> [UserID: User]

    /// Changes a user, unless somebody else has changed it since it was read (optimistic locking).
    ///
    /// - Parameters:
    ///   - id: The user's identifier.
    ///   - changes: What to change. An update without changes counts as one.
    ///   - version: The version that the caller has read.
    /// - Returns: The user with the next version.
    /// - Throws: `PersistenceError` with the code `notFound` when the user does not exist, `staleVersion` when it has
    ///   another version, `uniqueViolation` with the constraint ``DomainConstraint/userEmail`` when another user has the
    ///   address.
    @discardableResult
    func update(
        _ id: UserID, with changes: UserUpdate, expecting version: Int64
    ) async throws(PersistenceError) -> User

    /// Deletes a user, so that it can be restored. Memberships in workspaces are kept.
    ///
    /// - Parameters:
    ///   - id: The user's identifier.
    ///   - version: The version that the caller has read.
    /// - Returns: The deleted user with the next version.
    /// - Throws: `PersistenceError` with the code `notFound` when the user does not exist, `staleVersion` when it has
    ///   another version.
    @discardableResult
    func softDelete(_ id: UserID, expecting version: Int64) async throws(PersistenceError) -> User

    /// Brings a deleted user back. A user that exists stays as it is.
    ///
    /// - Parameter id: The user's identifier.
    /// - Returns: The user, with the next version if it was deleted.
    /// - Throws: `PersistenceError` with the code `notFound` when there never was such a user, `uniqueViolation` with the
    ///   constraint ``DomainConstraint/userEmail`` when somebody else has taken the address since.
    @discardableResult
    func restore(_ id: UserID) async throws(PersistenceError) -> User

    /// Lists users page by page, newest first, at the same cost for every page.
    ///
    /// Identifiers of version 7 give the order. Users that sign up meanwhile appear on no later page, and none is shown
    /// twice.
    ///
    /// - Parameter request: The length of the page and where it begins.
    /// - Returns: The page.
    /// - Throws: `PersistenceError` with the code `invalidArgument` when the cursor is of another list.
    func users(_ request: KeysetPageRequest) async throws(PersistenceError) -> KeysetPage<User>

    /// Lists users by page number, newest first, with the total; the cost grows with the number of the page.
    ///
    /// Page and total are read one after the other: outside a transaction they may differ by what changed in between.
    ///
    /// - Parameter request: The length of the page and how many users to skip.
    /// - Returns: The page; empty beyond the end.
    func users(_ request: OffsetPageRequest) async throws(PersistenceError) -> Page<User>
}
