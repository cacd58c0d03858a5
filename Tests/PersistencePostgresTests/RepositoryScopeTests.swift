import Persistence
import PersistenceCore
import PersistencePostgres
import PostgresEngine
import Testing

@Suite("Repositories in transactions", .server)
struct RepositoryScopeTests {
    @Test("What repositories do in a transaction is undone together")
    func rollback() async throws {
        struct Abandoned: Error {}
        try await withSchema { database in
            let new = try Self.newUser("ada")
            let workspace = try NewWorkspace(name: DisplayName("Research"))
            await #expect(throws: Abandoned.self) {
                try await database.withTransaction { transaction in
                    let user = try await transaction.users.create(new)
                    try await transaction.workspaces.create(workspace, ownedBy: user.id)
                    #expect(try await transaction.workspaces.workspace(id: workspace.id) != nil)
                    throw Abandoned()
                }
            }
            #expect(try await database.users.user(id: new.id) == nil)
            #expect(try await database.workspaces.workspace(id: workspace.id) == nil)
            let history = try await database.auditLog.entries(of: .workspace(workspace.id), KeysetPageRequest())
            #expect(history.items.isEmpty)
        }
    }

    @Test("A repository kept beyond its transaction says so")
    func keptTooLong() async throws {
        try await withSchema { database in
            var kept: PostgresUserRepository<PostgresTransaction>?
            try await database.withTransaction { transaction in kept = transaction.users }
            let users = try #require(kept)
            let error = await #expect(throws: PersistenceError.self) { try await users.user(id: UserID()) }
            #expect(error?.code == .transactionFinished)
        }
    }

    @Test("A refusal is told in the domain's words, with the operation, and without the address")
    func explained() async throws {
        try await withSchema { database in
            let ada = try await database.users.create(Self.newUser("ada"))
            let error = await #expect(throws: PersistenceError.self) {
                try await database.users.create(NewUser(email: ada.email, name: ada.name))
            }
            #expect(error?.description == "uniqueViolation in CreateUser: another user has this email address [23505]")
            let details = String(reflecting: try #require(error))
            #expect(!details.contains("ada"))
        }
    }

    @Test("A role that this version does not know is a decoding error, not a wrong role")
    func unknownRole() async throws {
        try await withSchema { database in
            let ada = try await database.users.create(Self.newUser("ada"))
            let workspace = try await database.workspaces.create(
                NewWorkspace(name: DisplayName("Research")), ownedBy: ada.id)
            let grace = try await database.users.create(Self.newUser("grace"))
            try await database.execute(
                "ALTER TABLE workspace_members DROP CONSTRAINT workspace_members_role_check")
            try await database.execute(
                """
                INSERT INTO workspace_members (workspace_id, user_id, role)
                VALUES (\(workspace.id.rawValue), \(grace.id.rawValue), 'auditor')
                """)
            let error = await #expect(throws: PersistenceError.self) {
                try await database.workspaces.members(of: workspace.id, KeysetPageRequest())
            }
            #expect(error?.code == .decoding)
            #expect(error?.column == "role")
        }
    }

    private static func newUser(_ name: String) throws -> NewUser {
        try NewUser(email: EmailAddress("\(name)@example.org"), name: DisplayName(name))
    }
}
