import PersistenceCore
import PersistenceMigrations
import PostgresEngine
import Testing

/// Names of schemas and tables that would be SQL if they were not quoted.
@Suite("Migrating into schemas with hostile names", .serialized, .enabled(if: TestServer.isExpected))
struct HostileNameTests {
    static let names: [String] = [
        "s\"; DROP TABLE canary; --", "s'; DROP TABLE canary; --", "\"\"", "'", "a.b", "\"a\".\"b\"", "SELECT",
        "a, public", "$$", "a\\", "\\'", ";", "\n", " ", "e\u{301}", "\"\u{301}", "%I%s", "😀",
    ]

    @Test("the schema and its tables are those, and nothing else happens: up, down, force and drop")
    func names() async throws {
        try await MigrationFixture.with(MigrationFixture.threeTables) { (fixture) async throws in
            try await fixture.script("CREATE TABLE canary (alive boolean); INSERT INTO canary VALUES (true)")
            for name in Self.names {
                let schema = try PostgresIdentifier(name)
                try await fixture.database.execute("CREATE SCHEMA \(schema)")
                let migrator = fixture.migrator(.init(schema: name, table: "t" + name, applier: name))
                try await migrator.up()
                #expect(try await tables(of: name, in: fixture) == ["a", "b", "c", "t" + name, "t" + name + "_ledger"])
                try await migrator.down(limit: 1)
                try await migrator.force(2)
                #expect(try await migrator.version() == SchemaVersion(2))
                let row = try await fixture.database.one(
                    """
                    SELECT version::text FROM \(PostgresIdentifier(name, "t" + name))
                    """, as: String.self)
                #expect(row == "2")
                #expect(try await migrator.drop() > 0)
                #expect(try await tables(of: name, in: fixture) == [])
                try await fixture.database.execute("DROP SCHEMA \(schema)")
            }
            #expect(try await fixture.database.one("SELECT alive FROM canary", as: Bool.self))
        }
    }

    @Test("a name that the server would cut off or cut short is refused before anything is done")
    func refusals() async throws {
        try await MigrationFixture.with(MigrationFixture.threeTables) { (fixture) async throws in
            for name in ["", "\0", "a\0b", String(repeating: "x", count: 64), String(repeating: "é", count: 32)] {
                for configuration in [
                    Migrator.Configuration(schema: name), Migrator.Configuration(table: name),
                    Migrator.Configuration(table: name + String(repeating: "y", count: 60)),
                ] {
                    let error = await fixture.fault { try await fixture.migrator(configuration).up() }
                    #expect(error?.code == .configuration)
                }
            }
            #expect(try await fixture.tables == [])
        }
    }

    private func tables(of schema: String, in fixture: MigrationFixture) async throws -> [String] {
        try await fixture.database.all(
            """
            SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace IN (
                SELECT oid FROM pg_namespace WHERE nspname = \(schema)) ORDER BY relname COLLATE "C"
            """, as: String.self)
    }
}
