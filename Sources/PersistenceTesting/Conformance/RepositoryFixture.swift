public import Persistence
import PersistenceCore

/// The repositories under test: all on one database, without any rows, and used by one check alone.
public struct RepositoryFixture {
    /// The users.
    public let users: any UserRepository

    /// The workspaces and their members.
    public let workspaces: any WorkspaceRepository

    /// The audit log.
    public let auditLog: any AuditLog

    private let attempt: (() async throws -> Void) async throws -> Void

    /// Puts repositories to the test.
    ///
    /// - Parameters:
    ///   - users: The users.
    ///   - workspaces: The workspaces and their members.
    ///   - auditLog: The audit log.
    ///   - attempt: Runs a step that is expected to fail, and passes its error on. Repositories that are bound to a
    ///     transaction need a savepoint here, because the transaction would otherwise refuse all that follows.
    public init(
        users: any UserRepository, workspaces: any WorkspaceRepository, auditLog: any AuditLog,
        attempt: @escaping (() async throws -> Void) async throws -> Void = { try await $0() }
    ) {
        self.users = users
        self.workspaces = workspaces
        self.auditLog = auditLog
        self.attempt = attempt
    }

    /// Puts the repositories of a database in memory to the test.
    ///
    /// - Parameter database: The database.
    public init(_ database: InMemoryDatabase) {
        self.init(users: database.users, workspaces: database.workspaces, auditLog: database.auditLog)
    }

    /// Fails unless `body` throws this error.
    func expectError(
        _ code: PersistenceError.Code, _ constraint: DomainConstraint? = nil, _ subject: String,
        fileID: String = #fileID, line: Int = #line, _ body: () async throws -> Void
    ) async throws {
        var thrown: (any Error)?
        do {
            try await attempt(body)
        } catch {
            thrown = error
        }
        try PersistenceTesting.expectError(thrown, code, constraint, subject, fileID: fileID, line: line)
    }

    /// Signs a user up.
    @discardableResult
    func signUp(_ name: String) async throws -> User {
        try await users.create(Sample.user(name))
    }

    /// The history of a workspace, oldest first.
    func history(_ workspace: WorkspaceID) async throws -> [AuditEntry] {
        try await auditLog.entries(of: .workspace(workspace), KeysetPageRequest(limit: 100)).items.reversed()
    }
}

/// The repositories under test, for checks that use them from several tasks at once.
public struct ConcurrentRepositoryFixture: Sendable {
    /// The users.
    public let users: any UserRepository & Sendable

    /// The workspaces and their members.
    public let workspaces: any WorkspaceRepository & Sendable

    /// Puts repositories to the test.
    ///
    /// - Parameters:
    ///   - users: The users.
    ///   - workspaces: The workspaces and their members.
    public init(users: any UserRepository & Sendable, workspaces: any WorkspaceRepository & Sendable) {
        self.users = users
        self.workspaces = workspaces
    }

    /// Puts the repositories of a database in memory to the test.
    ///
    /// - Parameter database: The database.
    public init(_ database: InMemoryDatabase) {
        self.init(users: database.users, workspaces: database.workspaces)
    }
}

/// Values that checks store.
enum Sample {
    static func user(_ name: String) throws -> NewUser {
        try NewUser(email: email(name), name: DisplayName(name))
    }

    static func email(_ name: String) throws -> EmailAddress {
        try EmailAddress("\(name)@example.org")
    }
}
