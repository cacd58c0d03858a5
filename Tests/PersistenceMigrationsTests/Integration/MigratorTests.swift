import PersistenceCore
import PersistenceMigrations
import PostgresEngine
import Synchronization
import Testing

@Suite("Migrating a database", .serialized, .enabled(if: TestServer.isExpected), .timeLimit(.minutes(5)))
struct MigratorTests {
    @Test("up, down and goto run the files and record versions and ledger")
    func commands() async throws {
        try await MigrationFixture.with(MigrationFixture.threeTables) { (fixture) async throws in
            let migrator = fixture.migrator()
            #expect(try await migrator.version() == .none)
            let up = try await migrator.up(limit: 2)
            #expect(up.applied.map(\.version) == [1, 2])
            #expect(up.current == SchemaVersion(2))
            #expect(try await fixture.tables == ["a", "b"])
            #expect(try await fixture.versionRows == ["2"])
            #expect(try await migrator.up().applied.map(\.title) == ["c"])
            #expect(try await migrator.up().isUnchanged)
            #expect(try await migrator.goto(1).applied.map { "\($0.direction) \($0.version)" } == ["down 3", "down 2"])
            #expect(try await fixture.tables == ["a"])
            #expect(try await migrator.goto(3).current == SchemaVersion(3))
            #expect(try await migrator.down(limit: 1).current == SchemaVersion(2))
            let down = try await migrator.down(limit: 5)
            #expect(down.shortfall == 3)
            #expect(try await fixture.tables == [])
            // No version is no row, as golang-migrate has it.
            #expect(try await fixture.versionRows == [])
            #expect(try await migrator.down(limit: nil).isUnchanged)
            #expect(
                try await fixture.ledger == [
                    "up 1", "up 2", "up 3", "down 3", "down 2", "up 2", "up 3", "down 3", "down 2", "down 1",
                ])
        }
    }

    @Test("the ledger holds checksum, duration and applier")
    func ledger() async throws {
        try await MigrationFixture.with(["1_a.up.sql": "SELECT 1;\r\n"]) { (fixture) async throws in
            try await fixture.migrator(.init(applier: "the test")).up()
            let row = try await fixture.database.one(
                """
                SELECT checksum, duration > interval '0', applier, session_user::text,
                    recorded_at BETWEEN now() - interval '1 minute' AND clock_timestamp()
                FROM schema_migrations_ledger
                """, as: (String, Bool, String, String, Bool).self)
            // printf 'SELECT 1;\n' | sha256sum
            #expect(row.0 == "b4e0497804e46e0a0b0b8c31975b062152d551bac49c3c2e80932567b4085dcd")
            #expect(row.1 && row.4)
            #expect(row.2 == "\(row.3) (the test)")
            // Another line end is the same file.
            try fixture.folder.write("1_a.up.sql", "SELECT 1;\n")
            #expect(try await fixture.migrator().verify().findings.isEmpty)
        }
    }

    @Test("a failing file leaves no dirty state, no partial change, and tells file, line and column")
    func failure() async throws {
        let files = [
            "1_a.up.sql": "CREATE TABLE a (id int)",
            "2_b.up.sql": "-- é\nCREATE TABLE b (id int);\nSELECT 'é',\n  nothing FROM b;\nCREATE TABLE c (id int)",
        ]
        try await MigrationFixture.with(files) { (fixture) async throws in
            let error = await fixture.fault { try await fixture.migrator().up() }
            #expect(error?.code == .migration)
            #expect(error?.serverCode == "42703")
            #expect(error?.location?.hasSuffix("/2_b.up.sql:4:3") == true)
            #expect(error?.description.contains("2_b.up.sql:4:3: ") == true)
            #expect((error?.underlying as? PersistenceError)?.code == .invalidStatement)
            #expect(try await fixture.tables == ["a"])
            #expect(try await fixture.versionRows == ["1"])
            #expect(try await fixture.ledger == ["up 1"])
            // Corrected, it goes on.
            try fixture.folder.write("2_b.up.sql", "CREATE TABLE b (id int)")
            #expect(try await fixture.migrator().up().applied.map(\.version) == [2])
        }
    }

    @Test("an error without a position is told with the place of its statement")
    func failureWithoutPosition() async throws {
        let text = "CREATE TABLE a (id int PRIMARY KEY);\n\n  INSERT INTO a VALUES (1);\n INSERT INTO a VALUES (1);"
        try await MigrationFixture.with(["1_a.up.sql": text]) { (fixture) async throws in
            let error = await fixture.fault { try await fixture.migrator().up() }
            #expect(error?.location?.hasSuffix("/1_a.up.sql:4:2") == true)
            #expect(error?.serverCode == "23505")
            #expect(error?.constraint == "a_pkey")
            #expect(try await fixture.tables == [])
        }
    }

    @Test("a constraint that COMMIT checks fails the file as a whole")
    func deferredConstraint() async throws {
        let text = """
            CREATE TABLE a (id int PRIMARY KEY, parent int REFERENCES a DEFERRABLE INITIALLY DEFERRED);
            INSERT INTO a VALUES (1, 2);
            """
        try await MigrationFixture.with(["1_a.up.sql": text]) { (fixture) async throws in
            let error = await fixture.fault { try await fixture.migrator().up() }
            #expect(error?.code == .migration)
            #expect(error?.serverCode == "23503")
            #expect(try await fixture.tables == [])
            #expect(try await fixture.migrator().version() == .none)
        }
    }

    @Test("a file that cannot run in a transaction is told how to run outside one")
    func hint() async throws {
        let files = ["1_a.up.sql": "CREATE TABLE a (id int)", "2_i.up.sql": "CREATE INDEX CONCURRENTLY i ON a (id)"]
        try await MigrationFixture.with(files) { (fixture) async throws in
            let error = await fixture.fault { try await fixture.migrator().up() }
            #expect(error?.serverCode == "25001")
            #expect(error?.summary.contains("-- persistence:no-transaction") == true)
            #expect(try await fixture.versionRows == ["1"])
        }
    }

    @Test("a file outside a transaction runs statement by statement, and leaves the database dirty when it fails")
    func outsideTransaction() async throws {
        let files = [
            "1_a.up.sql": "CREATE TABLE a (id int)",
            "2_i.up.sql": "-- persistence:no-transaction\nCREATE INDEX CONCURRENTLY i ON a (id);\nVACUUM a;",
            "3_b.up.sql":
                "-- persistence:no-transaction\nCREATE TABLE b (id int);\nSELECT 1/0;\nCREATE TABLE c (id int);",
            "2_i.down.sql": "-- persistence:no-transaction\nDROP INDEX CONCURRENTLY i;",
            "1_a.down.sql": "-- persistence:no-transaction\nDROP TABLE nothing;",
        ]
        try await MigrationFixture.with(files) { (fixture) async throws in
            let migrator = fixture.migrator()
            #expect(try await migrator.up(limit: 2).current == SchemaVersion(2))
            let error = await fixture.fault { try await migrator.up() }
            #expect(error?.location?.hasSuffix("/3_b.up.sql:3:1") == true)
            #expect(error?.summary.contains("dirty at version 3") == true)
            #expect(try await fixture.tables == ["a", "b"])
            #expect(try await fixture.versionRows == ["3 dirty"])
            #expect(try await migrator.version() == SchemaVersion(3, isDirty: true))
            #expect(try await migrator.status().findings.map(\.kind) == [.dirty])
            for refused in [
                await fixture.fault { try await migrator.up() },
                await fixture.fault { try await migrator.down(limit: 1) },
                await fixture.fault { try await migrator.goto(1) },
            ] {
                #expect(refused?.code == .migration)
                #expect(refused?.summary.contains("dirty at version 3") == true)
            }
            #expect(try await migrator.force(2) == SchemaVersion(3, isDirty: true))
            #expect(try await fixture.versionRows == ["2"])
            #expect(try await migrator.down(limit: 1).current == SchemaVersion(1))
            // Taking back the first one fails on its way to none, which golang-migrate writes as a dirty -1.
            #expect(
                await fixture.fault { try await migrator.down(limit: 1) } != nil)
            #expect(try await fixture.versionRows == ["-1 dirty"])
            #expect(try await migrator.version() == SchemaVersion(nil, isDirty: true))
            try await migrator.force(nil)
            #expect(try await fixture.versionRows == [])
        }
    }

    @Test("a file outside a transaction that leaves one open is refused and rolled back")
    func openTransaction() async throws {
        let text = "-- persistence:no-transaction\nBEGIN;\nCREATE TABLE a (id int);"
        try await MigrationFixture.with(["1_a.up.sql": text]) { (fixture) async throws in
            let error = await fixture.fault { try await fixture.migrator().up() }
            #expect(error?.summary.contains("leaves a transaction open") == true)
            #expect(try await fixture.tables == [])
            #expect(try await fixture.versionRows == ["1 dirty"])
        }
    }

    @Test("no file depends on the settings or the role that another has chosen")
    func isolation() async throws {
        let files = [
            "1_a.up.sql": """
            SELECT set_config('search_path', '', false);
            SET work_mem = '77MB';
            SET ROLE pg_monitor;
            """,
            "2_b.up.sql": "-- persistence:no-transaction\nSET search_path TO pg_catalog; SET ROLE pg_monitor",
            "3_c.up.sql": "CREATE TABLE c AS SELECT current_setting('work_mem') AS memory, current_user::text AS who",
        ]
        try await MigrationFixture.with(files) { (fixture) async throws in
            #expect(try await fixture.migrator().up().current == SchemaVersion(3))
            let row = try await fixture.database.one(
                "SELECT memory <> '77MB', who = session_user FROM public.c", as: (Bool, Bool).self)
            #expect(row.0 && row.1)
        }
    }

    @Test("changed, missing and late files are refused, and force accepts them")
    func disagreements() async throws {
        try await MigrationFixture.with(MigrationFixture.threeTables) { (fixture) async throws in
            let migrator = fixture.migrator()
            try await migrator.up()
            try fixture.folder.write("000001_a.up.sql", "CREATE TABLE a (id bigint)")
            try fixture.folder.remove("000002_b.up.sql")
            try fixture.folder.remove("000002_b.down.sql")
            #expect(try await migrator.verify().findings.map(\.kind) == [.changed, .missing])
            let error = await fixture.fault { try await migrator.up() }
            #expect(error?.summary.contains("version 1 (a) has changed") == true)
            #expect(error?.summary.contains("version 2 (b) is applied, but has no file") == true)
            let policy = MigrationPolicy(changed: .accept, missing: .accept)
            #expect(try await fixture.migrator(.init(policy: policy)).up().accepted.count == 2)
            try await migrator.force(3)
            #expect(try await migrator.verify().findings.isEmpty)
            #expect(try await migrator.up().isUnchanged)
        }
    }

    @Test("a file that a merge brought late is refused, or applied without moving the version")
    func outOfOrder() async throws {
        let files = MigrationFixture.threeTables.filter { !$0.key.hasPrefix("000002") }
        try await MigrationFixture.with(files) { (fixture) async throws in
            try await fixture.migrator().up()
            try fixture.folder.write("000002_b.up.sql", "CREATE TABLE b (id int)")
            let error = await fixture.fault { try await fixture.migrator().up() }
            #expect(error?.summary.contains("version 2 (b) is older than the schema") == true)
            #expect(try await fixture.migrator(.init(policy: .init(outOfOrder: .ignore))).up().isUnchanged)
            let report = try await fixture.migrator(.init(policy: .init(outOfOrder: .apply))).up()
            #expect(report.applied.map(\.version) == [2])
            #expect(report.current == SchemaVersion(3))
            #expect(try await fixture.tables == ["a", "b", "c"])
            #expect(try await fixture.versionRows == ["3"])
            #expect(try await fixture.migrator().up().isUnchanged)
        }
    }

    @Test("a plan tells what would run, and changes nothing")
    func plan() async throws {
        try await MigrationFixture.with(MigrationFixture.threeTables) { (fixture) async throws in
            let plan = try await fixture.migrator().plan(.up(limit: 2))
            #expect(plan.steps.map { $0.script.statements.count } == [2, 1])
            #expect(plan.target == 2)
            let exists = try await fixture.database.one(
                "SELECT to_regclass('schema_migrations') IS NULL", as: Bool.self)
            #expect(exists)
        }
    }

    @Test("status tells where each migration stands")
    func status() async throws {
        try await MigrationFixture.with(MigrationFixture.threeTables) { (fixture) async throws in
            try await fixture.migrator().up(limit: 2)
            try fixture.folder.write("notes.txt", "")
            let status = try await fixture.migrator().status()
            #expect(status.items.map(\.state) == [.applied, .applied, .pending])
            #expect(status.items[0].record?.action == .up)
            #expect(status.items[0].record?.duration ?? .zero > .zero)
            #expect(status.ignoredFiles == ["notes.txt"])
        }
    }

    @Test("verify names files that cannot be taken apart")
    func verify() async throws {
        let files = ["1_a.up.sql": "SELECT '", "1_a.down.sql": "COMMIT"]
        try await MigrationFixture.with(files) { (fixture) async throws in
            let status = try await fixture.migrator().verify()
            #expect(status.findings.map(\.kind) == [.invalid, .invalid])
        }
    }

    @Test("drop removes everything but extensions, so that up can begin anew")
    func drop() async throws {
        let up = """
            CREATE EXTENSION IF NOT EXISTS citext;
            CREATE TYPE mood AS ENUM ('sad', 'happy');
            CREATE DOMAIN positive AS int CHECK (value > 0);
            CREATE TYPE pair AS (a int, b int);
            CREATE TYPE span AS RANGE (subtype = int4);
            CREATE SEQUENCE "odd ""na""me";
            CREATE TABLE parent (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, mood mood, email citext);
            CREATE TABLE child (id serial, parent int REFERENCES parent) PARTITION BY RANGE (id);
            CREATE TABLE child_1 PARTITION OF child FOR VALUES FROM (1) TO (100);
            CREATE VIEW happy AS SELECT * FROM parent WHERE mood = 'happy';
            CREATE MATERIALIZED VIEW stored AS SELECT 1 AS one;
            CREATE FUNCTION twice(a int, text DEFAULT 'x') RETURNS int LANGUAGE sql AS 'SELECT a * 2';
            CREATE PROCEDURE nothing() LANGUAGE sql AS 'SELECT 1';
            CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int);
            CREATE AGGREGATE counted(*) (SFUNC = int8inc, STYPE = bigint, INITCOND = '0');
            CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;
            CREATE TRIGGER touch BEFORE UPDATE ON parent FOR EACH ROW EXECUTE FUNCTION touch();
            """
        try await MigrationFixture.with(["1_all.up.sql": up]) { (fixture) async throws in
            let migrator = fixture.migrator()
            try await migrator.up()
            #expect(try await migrator.drop() > 0)
            #expect(try await migrator.version() == .none)
            let extensions = try await fixture.database.all("SELECT extname::text FROM pg_extension", as: String.self)
            #expect(extensions.contains("citext"))
            #expect(try await migrator.up().applied.count == 1)
            // Dropping what is dirty is how one begins anew.
            try await fixture.script("UPDATE schema_migrations SET dirty = true")
            #expect(try await migrator.drop() > 0)
            #expect(try await migrator.drop() == 0)
        }
    }

    @Test("another schema and another table are used, whatever their names")
    func names() async throws {
        let files = ["1_a.up.sql": "CREATE TABLE a (id int)", "1_a.down.sql": "DROP TABLE a"]
        try await MigrationFixture.with(files) { (fixture) async throws in
            try await fixture.script("CREATE SCHEMA \"odd \"\"schema\"")
            let configuration = Migrator.Configuration(schema: "odd \"schema", table: "My;Table")
            #expect(try await fixture.migrator(configuration).up().current == SchemaVersion(1))
            #expect(try await fixture.tables == [])
            let count = try await fixture.database.one(
                "SELECT count(*) FROM \"odd \"\"schema\".\"My;Table_ledger\"", as: Int64.self)
            #expect(count == 1)
            #expect(try await fixture.migrator(configuration).down(limit: nil).current == .none)
            let missing = await fixture.fault { try await fixture.migrator(.init(schema: "nowhere")).up() }
            #expect(missing?.code == .configuration)
            for table in ["", "a\u{0}b", String(repeating: "x", count: 60)] {
                let error = await fixture.fault { try await fixture.migrator(.init(table: table)).version() }
                #expect(error?.code == .configuration)
            }
        }
    }

    @Test("a table of the same name that is no version table is told, not touched")
    func foreignTable() async throws {
        try await MigrationFixture.with(MigrationFixture.threeTables) { (fixture) async throws in
            try await fixture.script("CREATE TABLE schema_migrations (version text)")
            let error = await fixture.fault { try await fixture.migrator().up() }
            #expect(error?.summary.contains("is not a version table of golang-migrate") == true)
            #expect(try await fixture.tables == [])
        }
    }

    @Test("a statement that waits for a lock gives up in time, and nothing is applied")
    func statementLockTimeout() async throws {
        let files = [
            "1_a.up.sql": "CREATE TABLE a (id int)", "2_b.up.sql": "CREATE TABLE b (id int); ALTER TABLE a ADD x int",
        ]
        try await MigrationFixture.with(files) { (fixture) async throws in
            try await fixture.migrator().up(limit: 1)
            var configuration = Migrator.Configuration()
            configuration.statementLockTimeout = .milliseconds(50)
            try await fixture.database.withTransaction { transaction in
                try await transaction.execute("SELECT 1 FROM a")
                let error = await fixture.fault { try await fixture.migrator(configuration).up() }
                #expect(error?.serverCode == "55P03")
                #expect(error?.code == .migration)
            }
            #expect(try await fixture.tables == ["a"])
            #expect(try await fixture.migrator(configuration).up().applied.map(\.version) == [2])
        }
    }

    @Test("a role that may only read can see that nothing is pending")
    func readOnlyRole() async throws {
        try await MigrationFixture.with(MigrationFixture.threeTables) { (fixture) async throws in
            try await fixture.script(
                """
                CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL);
                INSERT INTO schema_migrations VALUES (3, false);
                """)
            var configuration = fixture.test.configuration
            configuration.sessionParameters["default_transaction_read_only"] = "on"
            let source = MigrationSource.directory(fixture.folder.path)
            try await withDatabase(configuration) { (database) async throws in
                #expect(try await Migrator(database: database, source: source).up().isUnchanged)
                let error = await fixture.fault {
                    try await Migrator(database: database, source: source).down(limit: 1)
                }
                #expect(error != nil)
            }
        }
    }

    @Test("a start-up with nothing pending does not wait for the lock")
    func nothingPending() async throws {
        try await MigrationFixture.with(MigrationFixture.threeTables) { (fixture) async throws in
            try await fixture.migrator().up()
            try await fixture.database.withConnection { connection in
                for identifier in MigrationLockFixture.identifiers(database: fixture.test.name) {
                    try await connection.execute("SELECT pg_advisory_lock(\(identifier))")
                }
                #expect(try await fixture.migrator(.init(lockTimeout: .zero)).up().isUnchanged)
            }
        }
    }

    @Test("observers hear every step")
    func observer() async throws {
        try await MigrationFixture.with(MigrationFixture.threeTables) { (fixture) async throws in
            let heard = Mutex<[String]>([])
            let lines = Mutex<[String]>([])
            let migrator = fixture.migrator { event in
                let text: String =
                    switch event {
                    case .locked: "locked"
                    case .started(let step, let number, let count): "start \(step.migration.version) \(number)/\(count)"
                    case .progressed(_, let statement, let count): "statement \(statement)/\(count)"
                    case .finished(let step, _): "finish \(step.migration.version)"
                    default: "other"
                    }
                heard.withLock { $0.append(text) }
                lines.withLock { $0.append("\(event)") }
            }
            try await migrator.up(limit: 2)
            let printed = lines.withLock { $0 }
            #expect(printed[1...3] == ["1/up a: file 1 of 2", "1/up a: statement 1 of 2", "1/up a: statement 2 of 2"])
            #expect(printed[4].hasPrefix("1/up a: applied in "))
            #expect(
                heard.withLock { $0 } == [
                    "locked", "start 1 1/2", "statement 1/2", "statement 2/2", "finish 1", "start 2 2/2",
                    "statement 1/1", "finish 2",
                ])
        }
    }
}
