public import Persistence
public import PersistenceCore

/// Users in an ``InMemoryDatabase``.
public struct InMemoryUserRepository: UserRepository, Sendable {
    let database: InMemoryDatabase

    /// Signs a user up.
    @discardableResult
    public func create(_ user: NewUser) async throws(PersistenceError) -> User {
        try database.run("CreateUser") { tables, now throws(PersistenceError) in
            try tables.insert(user, now: now)
        }
    }

    /// Signs many users up: all of them or none.
    @discardableResult
    public func createMany(_ users: [NewUser]) async throws(PersistenceError) -> [User] {
        try Batch.check(count: users.count, operation: "CreateUsers")
        return try database.run("CreateUsers") { tables, now throws(PersistenceError) in
            var created: [User] = []
            for user in users {
                created.append(try tables.insert(user, now: now))
            }
            return created
        }
    }

    /// Signs up those of many users whose address is free.
    public func createManyIfAbsent(_ users: [NewUser]) async throws(PersistenceError) -> [User] {
        try Batch.check(count: users.count, operation: "CreateUsersIfAbsent")
        return try database.run("CreateUsersIfAbsent") { tables, now throws(PersistenceError) in
            var created: [User] = []
            for user in users where tables.userByEmail[user.email] == nil {
                created.append(try tables.insert(user, now: now))
            }
            return created
        }
    }

    /// Looks a user up.
    public func user(id: UserID) async throws(PersistenceError) -> User? {
        try database.run("GetUser") { tables, _ in tables.existingUser(id) }
    }

    /// Looks a user up by address.
    public func user(email: EmailAddress) async throws(PersistenceError) -> User? {
        try database.run("GetUserByEmail") { tables, _ in
            tables.userByEmail[email].flatMap(tables.existingUser)
        }
    }

    /// Looks many users up.
    public func users(ids: [UserID]) async throws(PersistenceError) -> [UserID: User] {
        try Batch.check(count: ids.count, operation: "GetUsers")
        return try database.run("GetUsers") { tables, _ in
            ids.reduce(into: [:]) { $0[$1] = tables.existingUser($1) }
        }
    }

    /// Changes a user, unless somebody else has changed it.
    @discardableResult
    public func update(
        _ id: UserID, with changes: UserUpdate, expecting version: Int64
    ) async throws(PersistenceError) -> User {
        try database.run("UpdateUser") { tables, now throws(PersistenceError) in
            let user = try Self.current(id, version, in: tables)
            let updated = User(
                id: id, email: changes.email ?? user.email, name: changes.name ?? user.name, version: version + 1,
                createdAt: user.createdAt, updatedAt: now)
            try tables.put(updated)
            return updated
        }
    }

    /// Deletes a user, so that it can be restored.
    @discardableResult
    public func softDelete(_ id: UserID, expecting version: Int64) async throws(PersistenceError) -> User {
        try database.run("SoftDeleteUser") { tables, now throws(PersistenceError) in
            let user = try Self.current(id, version, in: tables)
            let deleted = User(
                id: id, email: user.email, name: user.name, version: version + 1, createdAt: user.createdAt,
                updatedAt: now, deletedAt: now)
            try tables.put(deleted)
            return deleted
        }
    }

    /// Brings a deleted user back.
    @discardableResult
    public func restore(_ id: UserID) async throws(PersistenceError) -> User {
        try database.run("RestoreUser") { tables, now throws(PersistenceError) in
            guard let user = tables.users[id] else { throw PersistenceError(.notFound, "there is no such user") }
            guard user.deletedAt != nil else { return user }
            let restored = User(
                id: id, email: user.email, name: user.name, version: user.version + 1, createdAt: user.createdAt,
                updatedAt: now)
            try tables.put(restored)
            return restored
        }
    }

    /// Lists users, newest first.
    public func users(
        _ request: KeysetPageRequest
    ) async throws(PersistenceError) -> KeysetPage<User> {
        try database.run("ListUsers") { tables, _ throws(PersistenceError) in
            try tables.userByEmail.values.compactMap(tables.existingUser).page(.users, request, by: \.id)
        }
    }

    /// Lists users by page number, newest first, with the total.
    public func users(_ request: OffsetPageRequest) async throws(PersistenceError) -> Page<User> {
        try database.run("ListUsersByOffset") { tables, _ in
            let users = tables.userByEmail.values.compactMap(tables.existingUser).sorted { $0.id > $1.id }
            return Page(
                items: Array(users.dropFirst(request.offset).prefix(request.limit)), total: users.count, for: request)
        }
    }

    private static func current(
        _ id: UserID, _ version: Int64, in tables: InMemoryTables
    ) throws(PersistenceError) -> User {
        guard let user = tables.existingUser(id) else {
            throw PersistenceError(.notFound, "there is no such user")
        }
        guard user.version == version else { throw PersistenceError(.staleVersion) }
        return user
    }
}
