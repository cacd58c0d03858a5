import Foundation
import Persistence
import PersistenceCore
import PersistenceMigrations
import PersistencePostgres
import PostgresEngine
import Testing

@Suite("The schema of Migrations/", .server)
struct SchemaTests {
    @Test("Every step can be taken back and taken again")
    func reversible() async throws {
        try await withEmptySchema { database in
            try await database.withConnection { connection in
                for script in try MigrationFiles.up() { try await connection.executeScript(script) }
                #expect(try await Self.objects(connection) > 0)
                for script in try MigrationFiles.down() { try await connection.executeScript(script) }
                #expect(try await Self.objects(connection) == 0)
                for script in try MigrationFiles.up() { try await connection.executeScript(script) }
                #expect(try await connection.users.create(Self.newUser("ada")).version == 1)
            }
        }
    }

    @Test("The migrator applies the folder, finds nothing to do the second time, and takes everything back")
    func migrator() async throws {
        try await withEmptySchema { database in
            let migrator = Migrator(database: database, source: .directory(RepositoryFiles.folder("Migrations").path()))
            let files = try MigrationFiles.up().count
            #expect(try await migrator.up().applied.count == files)
            #expect(try await migrator.up().isUnchanged)
            #expect(try await database.users.create(Self.newUser("ada")).version == 1)
            #expect(try await migrator.down(limit: nil).applied.count == files)
            let error = await #expect(throws: PersistenceError.self) { try await database.users.user(id: UserID()) }
            #expect(error?.code == .invalidStatement)
        }
    }

    @Test("The audit log refuses to be changed, emptied or truncated, even where that would touch no row")
    func appendOnly() async throws {
        try await withSchema { database in
            let user = UserID()
            let action = try AuditAction("user.seen")
            let entry = try await database.auditLog.append(
                NewAuditEntry(actor: nil, action: action, entity: .user(user)))
            for statement: PostgresStatement in [
                "UPDATE audit_log SET actor_id = id", "DELETE FROM audit_log", "DELETE FROM audit_log WHERE false",
                "TRUNCATE audit_log",
            ] {
                let error = await #expect(throws: PersistenceError.self) { try await database.execute(statement) }
                #expect(error?.code == .permission)
            }
            let stored = try await database.auditLog.entries(of: .user(user), KeysetPageRequest())
            #expect(stored.items == [entry])
        }
    }

    @Test(
        "The database keeps its rules against writers that do not use the library",
        arguments: [
            ("INSERT INTO users (id, email, name) VALUES (gen_random_uuid(), 'nobody', 'n')", "users_email_check"),
            ("INSERT INTO users (id, email, name) VALUES (gen_random_uuid(), 'a b@c.d', 'n')", "users_email_check"),
            (
                "INSERT INTO users (id, email, name) VALUES (gen_random_uuid(), repeat('a', 250) || '@b.cd', 'n')",
                "users_email_check"
            ),
            ("INSERT INTO users (id, email, name) VALUES (gen_random_uuid(), 'a@b.cd', ' ')", "users_name_check"),
            (
                "INSERT INTO users (id, email, name) VALUES (gen_random_uuid(), 'a@b.cd', repeat('n', 201))",
                "users_name_check"
            ),
            (
                "INSERT INTO users (id, email, name, version) VALUES (gen_random_uuid(), 'a@b.cd', 'n', 0)",
                "users_version_check"
            ),
            ("INSERT INTO workspaces (id, name) VALUES (gen_random_uuid(), '')", "workspaces_name_check"),
            (
                "INSERT INTO workspace_members VALUES (gen_random_uuid(), gen_random_uuid(), 'king')",
                "workspace_members_role_check"
            ),
            (
                "INSERT INTO workspace_members VALUES (gen_random_uuid(), gen_random_uuid(), 'owner')",
                "workspace_members_workspace_id_fkey"
            ),
            (
                "INSERT INTO audit_log (id, action, entity_kind, entity_id) "
                    + "VALUES (gen_random_uuid(), 'Paid', 'a', gen_random_uuid())", "audit_log_action_check"
            ),
            (
                "INSERT INTO audit_log (id, action, entity_kind, entity_id, changes) "
                    + "VALUES (gen_random_uuid(), 'a.b', 'a', gen_random_uuid(), '[]')", "audit_log_changes_check"
            ),
        ])
    func rules(statement: String, constraint: String) async throws {
        try await withSchema { database in
            let error = await #expect(throws: PersistenceError.self) {
                try await database.withConnection { try await $0.executeScript(statement) }
            }
            #expect(error?.constraint == constraint)
        }
    }

    @Test("Every rule of the domain names a constraint that a refusal of the database carries")
    func constraintNames() async throws {
        try await withSchema { database in
            let names = try await database.all(
                """
                SELECT conname::text FROM pg_constraint WHERE connamespace = current_schema()::regnamespace
                UNION SELECT indexname::text FROM pg_indexes WHERE schemaname = current_schema()
                """, as: String.self)
            // The rule about owners lives in a trigger, under a constraint name of its own.
            let kept = DomainConstraint.all.filter { !DomainConstraint.ofDocuments.contains($0) }
            for rule in kept where rule != .workspaceOwner {
                #expect(names.contains(rule.name))
            }
        }
    }

    @Test(
        "Of two transactions that see a workspace with two owners, one may take its owner away",
        arguments: [PostgresTransactionOptions.repeatableRead, .serializable])
    func ownersUnderStrictIsolation(options: PostgresTransactionOptions) async throws {
        try await withSchema { database in
            let ada = try await database.users.create(Self.newUser("ada"))
            let grace = try await database.users.create(Self.newUser("grace"))
            let workspace = try await database.workspaces.create(
                NewWorkspace(name: DisplayName("Research")), ownedBy: ada.id)
            try await database.workspaces.addMember(grace.id, to: workspace.id, as: .owner, by: ada.id)

            let error = await #expect(throws: PersistenceError.self) {
                try await database.withTransaction(options) { first in
                    // Both owners are in the first transaction's snapshot before the second one commits.
                    #expect(try await first.workspaces.member(ada.id, of: workspace.id)?.role == .owner)
                    try await database.withTransaction(options) { second in
                        _ = try await second.workspaces.removeMember(ada.id, from: workspace.id, by: ada.id)
                    }
                    _ = try await first.workspaces.removeMember(grace.id, from: workspace.id, by: grace.id)
                }
            }
            #expect(error?.code == .serializationFailure)
            #expect(error?.retrySafety == .safe)
            let members = try await database.workspaces.members(of: workspace.id, KeysetPageRequest())
            #expect(members.items.map(\.userID) == [grace.id])
        }
    }

    @Test("A workspace that is removed for good takes its members along")
    func cascade() async throws {
        try await withSchema { database in
            let ada = try await database.users.create(Self.newUser("ada"))
            let workspace = try await database.workspaces.create(
                NewWorkspace(name: DisplayName("Research")), ownedBy: ada.id)
            #expect(try await database.execute("DELETE FROM workspaces WHERE id = \(workspace.id.rawValue)") == 1)
            let members: Int64 = try await database.one("SELECT count(*) FROM workspace_members", as: Int64.self)
            #expect(members == 0)
        }
    }

    @Test("Within one transaction, a later change has a later time")
    func updatedAt() async throws {
        try await withSchema { database in
            try await database.withTransaction { transaction in
                let ada = try await transaction.users.create(Self.newUser("ada"))
                let first = try await transaction.users.update(ada.id, with: UserUpdate(), expecting: 1)
                let second = try await transaction.users.update(ada.id, with: UserUpdate(), expecting: 2)
                #expect(ada.updatedAt < first.updatedAt)
                #expect(first.updatedAt < second.updatedAt)
            }
        }
    }

    private static func newUser(_ name: String) throws -> NewUser {
        try NewUser(email: EmailAddress("\(name)@example.org"), name: DisplayName(name))
    }

    /// How many tables, indexes and functions the schema has.
    private static func objects(_ connection: PostgresConnection) async throws -> Int64 {
        try await connection.one(
            """
            SELECT (SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace)
                + (SELECT count(*) FROM pg_proc WHERE pronamespace = current_schema()::regnamespace)
            """, as: Int64.self)
    }
}
