public import Persistence
public import PersistenceCore
public import PostgresEngine

/// Users in the table `users`.
///
/// Get one from what runs the statements: `database.users` takes a connection of the pool for each call,
/// `transaction.users` stays in the transaction.
public struct PostgresUserRepository<Executor: PostgresExecutor>: UserRepository {
    private let executor: Executor

    /// Creates a repository.
    ///
    /// - Parameter executor: What runs its statements.
    public init(_ executor: Executor) {
        self.executor = executor
    }

    /// Signs a user up.
    @discardableResult
    public func create(_ user: NewUser) async throws(PersistenceError) -> User {
        User(
            try await executor.runExplained(
                Queries.CreateUser(id: user.id.rawValue, email: user.email.text, name: user.name.text)))
    }

    /// Signs many users up in one round trip: all of them or none.
    @discardableResult
    public func createMany(_ users: [NewUser]) async throws(PersistenceError) -> [User] {
        try Batch.check(count: users.count, operation: Queries.CreateUsers.name)
        guard !users.isEmpty else { return [] }
        let rows = try await executor.runExplained(
            Queries.CreateUsers(
                ids: users.map(\.id.rawValue), emails: users.map(\.email.text), names: users.map(\.name.text)))
        return Self.inOrder(of: users, rows)
    }

    /// Signs up those of many users whose address is free, in one round trip.
    public func createManyIfAbsent(_ users: [NewUser]) async throws(PersistenceError) -> [User] {
        try Batch.check(count: users.count, operation: Queries.CreateUsersIfAbsent.name)
        guard !users.isEmpty else { return [] }
        let rows = try await executor.runExplained(
            Queries.CreateUsersIfAbsent(
                ids: users.map(\.id.rawValue), emails: users.map(\.email.text), names: users.map(\.name.text)))
        return Self.inOrder(of: users, rows)
    }

    /// Looks a user up.
    public func user(id: UserID) async throws(PersistenceError) -> User? {
        try await executor.run(Queries.GetUser(id: id.rawValue)).map(User.init)
    }

    /// Looks a user up by address.
    public func user(email: EmailAddress) async throws(PersistenceError) -> User? {
        try await executor.run(Queries.GetUserByEmail(email: email.text)).map(User.init)
    }

    /// Looks many users up in one round trip.
    public func users(ids: [UserID]) async throws(PersistenceError) -> [UserID: User] {
        try Batch.check(count: ids.count, operation: Queries.GetUsers.name)
        guard !ids.isEmpty else { return [:] }
        return try await executor.run(Queries.GetUsers(ids: ids.map(\.rawValue)))
            .reduce(into: [:]) { users, row in users[UserID(rawValue: row.id)] = User(row) }
    }

    /// Changes a user, unless somebody else has changed it since it was read.
    @discardableResult
    public func update(
        _ id: UserID, with changes: UserUpdate, expecting version: Int64
    ) async throws(PersistenceError) -> User {
        let row = try await executor.runExplained(
            Queries.UpdateUser(
                id: id.rawValue, version: version, email: changes.email?.text, name: changes.name?.text))
        guard let row else { throw try await refusal(of: id, operation: Queries.UpdateUser.name) }
        return User(row)
    }

    /// Deletes a user, so that it can be restored.
    @discardableResult
    public func softDelete(_ id: UserID, expecting version: Int64) async throws(PersistenceError) -> User {
        let row = try await executor.run(Queries.SoftDeleteUser(id: id.rawValue, version: version))
        guard let row else { throw try await refusal(of: id, operation: Queries.SoftDeleteUser.name) }
        return User(row)
    }

    /// Brings a deleted user back.
    @discardableResult
    public func restore(_ id: UserID) async throws(PersistenceError) -> User {
        if let row = try await executor.runExplained(Queries.RestoreUser(id: id.rawValue)) { return User(row) }
        if let user = try await user(id: id) { return user }
        throw PersistenceError(.notFound, "there is no such user", operation: Queries.RestoreUser.name)
    }

    /// Lists users page by page, newest first.
    public func users(_ request: KeysetPageRequest) async throws(PersistenceError) -> KeysetPage<User> {
        let bounds = try PageBounds(request, of: .users)
        let rows =
            bounds.isBackward
            ? try await executor.run(Queries.ListUsersBackward(id: bounds.key, limit: bounds.limit))
            : try await executor.run(Queries.ListUsers(id: bounds.key, limit: bounds.limit))
        return try Listing.users.page(rows.map(User.init), for: request, by: \.id)
    }

    /// Lists users by page number, newest first, with the total.
    public func users(_ request: OffsetPageRequest) async throws(PersistenceError) -> Page<User> {
        let rows = try await executor.run(
            Queries.ListUsersByOffset(limit: Int64(request.limit), offset: Int64(request.offset)))
        let total = try await executor.run(Queries.CountUsers())
        return Page(items: rows.map(User.init), total: Int(clamping: total), for: request)
    }

    /// Why a change of a version matched no row; asked afterwards, because a change that succeeds need not know.
    private func refusal(of id: UserID, operation: String) async throws(PersistenceError) -> PersistenceError {
        guard try await user(id: id) != nil else {
            return PersistenceError(.notFound, "there is no such user", operation: operation)
        }
        return PersistenceError(.staleVersion, operation: operation)
    }

    /// The server returns rows as it inserted them, in the order of the index.
    private static func inOrder(of users: [NewUser], _ rows: [UserRow]) -> [User] {
        let byID = rows.reduce(into: [:]) { users, row in users[UserID(rawValue: row.id)] = User(row) }
        return users.compactMap { byID[$0.id] }
    }
}

extension PostgresUserRepository: Sendable where Executor: Sendable {}

extension PostgresExecutor {
    /// The users, by this executor.
    public var users: PostgresUserRepository<Self> { PostgresUserRepository(self) }
}

extension User {
    fileprivate init(_ row: UserRow) {
        self.init(
            id: UserID(rawValue: row.id), email: EmailAddress(stored: row.email), name: DisplayName(stored: row.name),
            version: row.version, createdAt: row.createdAt, updatedAt: row.updatedAt, deletedAt: row.deletedAt)
    }
}
