import PersistenceCore
import PersistenceMigrations
import PostgresEngine
import Testing

/// golang-migrate's part is played by the statements that it sends.
@Suite(
    "Taking over from golang-migrate, and handing back", .serialized, .enabled(if: TestServer.isExpected),
    .timeLimit(.minutes(5)))
struct TakeoverTests {
    /// What golang-migrate does to its table, as its PostgreSQL driver writes it.
    private struct OtherTool {
        let fixture: MigrationFixture

        func prepare() async throws {
            try await fixture.script(
                """
                CREATE TABLE IF NOT EXISTS "public"."schema_migrations"
                    (version bigint not null primary key, dirty boolean not null)
                """)
        }

        func setVersion(_ version: Int64, dirty: Bool = false) async throws {
            try await fixture.script("TRUNCATE \"public\".\"schema_migrations\"")
            if version >= 0 || dirty {
                try await fixture.database.execute(
                    "INSERT INTO \"public\".\"schema_migrations\" (version, dirty) VALUES (\(version), \(dirty))")
            }
        }

        func up(_ version: Int64, _ sql: String) async throws {
            try await setVersion(version, dirty: true)
            try await fixture.script(sql)
            try await setVersion(version)
        }
    }

    @Test("what golang-migrate has applied is adopted, and the rest applied")
    func takeOver() async throws {
        try await MigrationFixture.with(MigrationFixture.threeTables) { (fixture) async throws in
            let other = OtherTool(fixture: fixture)
            try await other.prepare()
            try await other.up(1, "CREATE TABLE a (id int)")
            try await other.up(2, "CREATE TABLE b (id int)")
            #expect(try await fixture.migrator().version() == SchemaVersion(2))
            #expect(try await fixture.migrator().status().findings.isEmpty)
            #expect(try await fixture.migrator().up().applied.map(\.version) == [3])
            #expect(try await fixture.ledger == ["adopted 1", "adopted 2", "up 3"])
            // From now on, a change of what was adopted is noticed.
            try fixture.folder.write("000001_a.up.sql", "SELECT 1")
            #expect(try await fixture.migrator().verify().findings.map(\.kind) == [.changed])
        }
    }

    @Test("the table is left as golang-migrate leaves it")
    func handBack() async throws {
        try await MigrationFixture.with(MigrationFixture.threeTables) { (fixture) async throws in
            try await fixture.migrator().up()
            let columns = try await fixture.database.all(
                """
                SELECT column_name || ' ' || data_type || ' ' || is_nullable FROM information_schema.columns
                WHERE table_name = 'schema_migrations' ORDER BY ordinal_position
                """, as: String.self)
            #expect(columns == ["version bigint NO", "dirty boolean NO"])
            #expect(try await fixture.versionRows == ["3"])
            let other = OtherTool(fixture: fixture)
            try await other.prepare()
            try await other.setVersion(2, dirty: true)
            try await fixture.script("DROP TABLE c")
            try await other.setVersion(2)
            // Back with us: the ledger's line is out of date, the file pending.
            #expect(try await fixture.migrator().status().items.map(\.state) == [.applied, .applied, .pending])
            try await fixture.migrator().up()
            #expect(try await fixture.ledger == ["up 1", "up 2", "up 3", "reverted 3", "up 3"])
            try await fixture.migrator().down(limit: nil)
            #expect(try await fixture.versionRows == [])
            try await other.up(1, "CREATE TABLE a (id int)")
            #expect(try await fixture.migrator().up().applied.map(\.version) == [2, 3])
        }
    }

    @Test("a dirty state of golang-migrate's is respected", arguments: [Int64(2), -1])
    func dirty(_ version: Int64) async throws {
        try await MigrationFixture.with(MigrationFixture.threeTables) { (fixture) async throws in
            let other = OtherTool(fixture: fixture)
            try await other.prepare()
            try await other.setVersion(version, dirty: true)
            let current = try await fixture.migrator().version()
            #expect(current == SchemaVersion(version == -1 ? nil : version, isDirty: true))
            let error = await fixture.fault { try await fixture.migrator().up() }
            #expect(error?.summary.contains("dirty at version \(version)") == true)
            try await fixture.migrator().force(nil)
            #expect(try await fixture.migrator().up().applied.count == 3)
        }
    }

    @Test("force declares any version from none upwards")
    func force() async throws {
        try await MigrationFixture.with(MigrationFixture.threeTables) { (fixture) async throws in
            let migrator = fixture.migrator()
            try await migrator.force(2)
            #expect(try await fixture.versionRows == ["2"])
            #expect(try await fixture.ledger == ["adopted 1", "adopted 2"])
            try await migrator.force(0)
            #expect(try await fixture.versionRows == ["0"])
            try await migrator.force(nil)
            #expect(try await fixture.versionRows == [])
            try await migrator.force(.max)
            #expect(try await migrator.version() == SchemaVersion(.max))
            for version in [-1, -2, Int64.min] {
                let error = await fixture.fault { try await migrator.force(version) }
                #expect(error?.code == .invalidArgument)
            }
        }
    }

    @Test("a schema newer than the files is refused, or accepted when that is expected")
    func ahead() async throws {
        try await MigrationFixture.with(MigrationFixture.threeTables) { (fixture) async throws in
            let other = OtherTool(fixture: fixture)
            try await other.prepare()
            try await other.setVersion(9)
            let error = await fixture.fault { try await fixture.migrator().up() }
            #expect(error?.summary.contains("newer than any file") == true)
            #expect(try await fixture.migrator(.init(policy: .init(databaseAhead: .accept))).up().isUnchanged)
        }
    }

    @Test("each of golang-migrate's two locks keeps us out, and ours keep it out", arguments: [true, false])
    func locks(_ byURL: Bool) async throws {
        try await MigrationFixture.with(MigrationFixture.threeTables) { (fixture) async throws in
            let name = fixture.test.name
            let identifier =
                byURL ? MigrationLockFixture.byURL(database: name) : MigrationLockFixture.byHandle(database: name)
            try await fixture.database.withConnection { connection in
                try await connection.execute("SELECT pg_advisory_lock(\(identifier))")
                let error = await fixture.fault {
                    try await fixture.migrator(.init(lockTimeout: .milliseconds(200))).up()
                }
                #expect(error?.code == .timeout)
                #expect(error?.timeout == .lock)
                #expect(error?.retrySafety == .safe)
                try await connection.execute("SELECT pg_advisory_unlock(\(identifier))")
            }
            // While a file runs, neither is free for another session; afterwards both are.
            try fixture.folder.write(
                "000004_d.up.sql",
                """
                CREATE TABLE d AS SELECT count(*) AS held FROM pg_locks
                WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted AND objid::bigint = \(identifier)
                """)
            try await fixture.migrator().up()
            let heldInFile = try await fixture.database.one("SELECT held FROM d", as: Int64.self)
            #expect(heldInFile == 1)
            let held = try await fixture.database.one(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid::bigint = \(identifier)",
                as: Int64.self)
            #expect(held == 0)
        }
    }
}
