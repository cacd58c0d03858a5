import Foundation
import PersistenceMigrations
import PostgresEngine
import Testing

@Suite("The command line without a server")
struct CommandLineTests {
    private let tool = CommandLineTool()

    @Test("help is at hand, and succeeds")
    func help() async throws {
        let outcome = try await tool.run("migrate", "--help")
        #expect(outcome.status == 0)
        for command in ["create", "up", "down", "goto", "force", "version", "status", "verify", "plan", "drop"] {
            #expect(outcome.output.contains("  \(command)"))
        }
        #expect(try await tool.run("migrate", "up", "--help").output.contains("--lock-timeout"))
    }

    @Test(
        "a command line that cannot be understood ends with 2 and says why",
        arguments: [
            ["migrate", "sideways"], ["migrate", "up", "x"], ["migrate", "up", "-5"], ["migrate", "up", "1", "2"],
            ["migrate", "goto"], ["migrate", "goto", "-1"], ["migrate", "goto", "99999999999999999999"],
            ["migrate", "force"], ["migrate", "force", "-2"], ["migrate", "force", "a"],
            ["migrate", "force", "1", "2"],
            ["migrate", "down", "--all", "3"], ["migrate", "up", "--lock-timeout", "-1"],
            ["migrate", "up", "--lock-timeout"], ["migrate", "up", "--unknown"], ["migrate", "create"],
            ["migrate", "create", "--digits", "0", "a"], ["migrate", "create", "--ext", "json", "a"],
            ["migrate", "up", "--source", "http://a"], ["migrate", "up", "--path", "a", "--source", "file://b"],
            ["migrate", "plan", "goto"], ["migrate", "plan", "up", "-1"], ["migrate", "up", "--out-of-order", "maybe"],
            ["migrate", "up", "--statement-timeout", "0"], ["migrate", "up", "--statement-lock-timeout", "inf"],
            ["migrate", "up"], ["sideways"],
        ])
    func usage(_ arguments: [String]) async throws {
        let outcome = try await tool.run(arguments)
        #expect(outcome.status == 2, "\(arguments): \(outcome.error)")
        #expect(outcome.output.isEmpty)
        #expect(!outcome.error.isEmpty)
    }

    @Test("create makes pairs, by number or by time, with one dash or two")
    func create() async throws {
        let folder = try TemporaryDirectory()
        var tool = tool
        tool.directory = folder.path
        let first = try await tool.run("migrate", "create", "--seq", "create users")
        #expect(first.status == 0)
        #expect(first.output == "Migrations/000001_create_users.up.sql\nMigrations/000001_create_users.down.sql\n")
        #expect(try await tool.run("migrate", "create", "-ext", "sql", "-dir", "Migrations", "-seq", "b").status == 0)
        #expect(try await tool.run("migrate", "-path", "Migrations", "create", "-seq", "c").status == 0)
        #expect(try await tool.run("migrate", "create", "--digits", "4", "--path", "other", "d").status == 0)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/Migrations").sorted()
        #expect(
            names.filter { $0.hasSuffix(".up.sql") } == [
                "000001_create_users.up.sql", "000002_b.up.sql", "000003_c.up.sql",
            ])
        #expect(FileManager.default.fileExists(atPath: folder.path + "/other/0001_d.down.sql"))
        let stamped = try await tool.run("migrate", "create", "--path", "times", "e")
        #expect(stamped.output.wholeMatch(of: /times\/20\d{12}_e\.up\.sql\ntimes\/20\d{12}_e\.down\.sql\n/) != nil)
        #expect(try await tool.run("migrate", "create", "a/b").status == 1)
    }

    @Test("no password is printed, whatever is wrong with the URL")
    func secrets() async throws {
        let urls = [
            "postgres://app:hunter2@127.0.0.1:1/app", "postgres://app:hunter2@/app?nonsense=1", "hunter2",
            "postgres://app:hunter2@127.0.0.1:1/app?x-unknown=1", "mysql://app:hunter2@127.0.0.1/app",
            "postgres://app:hunter2@127.0.0.1:1/app?x-no-lock=true",
            "postgres://app:hunter2@127.0.0.1:1/a?x-migrations-table=%zz",
            "postgres://app:hunter2@127.0.0.1:1/app?x-statement-timeout=soon",
        ]
        for url in urls {
            for outcome in [
                try await tool.run("migrate", "version", "--database", url),
                try await CommandLineTool(environment: ["POSTGRES_URL": url]).run("migrate", "up", "--verbose"),
            ] {
                #expect(outcome.status == 1, "\(outcome.error)")
                #expect(!(outcome.output + outcome.error).contains("hunter2"), "\(outcome.error)")
                // A server that may come up yet is waited for, which is said first.
                let lines = outcome.error.split(separator: "\n")
                #expect(lines.first { !$0.hasPrefix("trying again: ") }?.hasPrefix("error: ") == true)
                #expect(lines.count { $0.hasPrefix("trying again: ") } <= 1)
            }
        }
    }
}

@Suite("The command line on a database", .serialized, .enabled(if: TestServer.isExpected), .timeLimit(.minutes(5)))
struct CommandLineDatabaseTests {
    private func withTool(
        _ files: [String: String], _ body: (CommandLineTool, MigrationFixture) async throws -> Void
    ) async throws {
        try await MigrationFixture.with(files) { (fixture) async throws in
            let project = fixture.folder.url.appending(path: "Migrations")
            try FileManager.default.createDirectory(at: project, withIntermediateDirectories: false)
            for (name, text) in files {
                try Data(text.utf8).write(to: project.appending(path: name))
            }
            let tool = CommandLineTool(environment: ["POSTGRES_URL": fixture.test.url], directory: fixture.folder.path)
            try await body(tool, fixture)
        }
    }

    @Test("every command does what it says")
    func commands() async throws {
        try await withTool(MigrationFixture.threeTables) { (tool, fixture) async throws in
            let none = try await tool.run("migrate", "version")
            #expect(none.status == 1)
            #expect(none.error == "error: no migration\n")
            let plan = try await tool.run("migrate", "plan", "--sql")
            #expect(plan.status == 0)
            #expect(plan.output.contains("-1 -> 1  up  Migrations/000001_a.up.sql  2 statements"))
            #expect(plan.output.contains("CREATE TABLE b (id int);"))
            let up = try await tool.run("migrate", "up", "2")
            #expect(up.status == 0)
            #expect(up.output.contains("1/up a (") && up.output.contains("2/up b ("))
            #expect(try await tool.run("migrate", "version").output == "2\n")
            #expect(try await tool.run("migrate", "up").status == 0)
            let unchanged = try await tool.run("migrate", "up")
            #expect(unchanged.status == 0)
            #expect(unchanged.output == "no change\n")
            #expect(try await tool.run("migrate", "goto", "1").output.contains("2/down b ("))
            #expect(try await tool.run("migrate", "force", "2").output == "2, was 1\n")
            #expect(try await tool.run("migrate", "force", "-1").output == "-1, was 2\n")
            let unknown = try await tool.run("migrate", "force", "7")
            #expect(unknown.status == 0)
            #expect(unknown.error == "note: there is no migration 7 in Migrations\n")
            #expect(try await tool.run("migrate", "force", "1").error.isEmpty)
            let short = try await tool.run("migrate", "up", "5")
            #expect(short.status == 1)
            #expect(short.output.contains("3/up c ("))
            #expect(short.error.contains("3 migrations fewer than the 5 asked for"))
            #expect(try await tool.run("migrate", "down", "1").output.contains("3/down c ("))
            #expect(try await tool.run("migrate", "verify").output == "ok, 1 pending\n")
            #expect(try await tool.run("migrate", "status").output.contains("2  applied     b"))
        }
    }

    @Test("what asks first does nothing where nobody can be asked, unless forced")
    func questions() async throws {
        try await withTool(MigrationFixture.threeTables) { (tool, fixture) async throws in
            #expect(try await tool.run("migrate", "up").status == 0)
            for outcome in [
                try await tool.run("migrate", "down"), try await tool.run("migrate", "down", "--all"),
                try await tool.run("migrate", "drop"),
            ] {
                #expect(outcome.status == 1)
                #expect(outcome.error.contains("use --force"))
            }
            #expect(try await fixture.tables == ["a", "b", "c"])
            #expect(try await tool.run("migrate", "down", "-all", "--force").status == 0)
            #expect(try await fixture.tables == [])
            #expect(try await tool.run("migrate", "up").status == 0)
            #expect(try await tool.run("migrate", "drop", "-f").status == 0)
            #expect(try await fixture.tables == [])
        }
    }

    @Test("reports are JSON for programs")
    func json() async throws {
        try await withTool(MigrationFixture.threeTables) { (tool, _) async throws in
            func object(_ outcome: CommandLineTool.Outcome) throws -> [String: Any] {
                try #require(JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
            }
            let none = try object(try await tool.run("migrate", "version", "--json"))
            #expect(none["version"] is NSNull && none["dirty"] as? Bool == false)
            let plan = try object(try await tool.run("migrate", "plan", "up", "2", "--json"))
            #expect(
                (plan["steps"] as? [[String: Any]])?.map { $0["file"] as? String } == [
                    "Migrations/000001_a.up.sql", "Migrations/000002_b.up.sql",
                ])
            #expect(plan["target"] as? Int == 2)
            #expect(try await tool.run("migrate", "up", "1").status == 0)
            let status = try object(try await tool.run("migrate", "status", "--json"))
            #expect(status["version"] as? Int == 1 && status["pending"] as? Int == 2 && status["ok"] as? Bool == true)
            #expect((status["migrations"] as? [[String: Any]])?.first?["checksum"] is String)
            let verify = try await tool.run("migrate", "verify", "--json")
            #expect(verify.status == 0)
            #expect(try object(verify)["findings"] as? [String] == [])
        }
    }

    @Test("a failing file is told with file, line, column and the server's words, and nothing is dirty")
    func failure() async throws {
        try await withTool(["1_a.up.sql": "CREATE TABLE a (id int);\nINSERT INTO a VALUES ('x');"]) {
            (tool, fixture) async throws in
            let outcome = try await tool.run("migrate", "up")
            #expect(outcome.status == 1)
            #expect(outcome.error.contains("Migrations/1_a.up.sql:2:23: "))
            #expect(outcome.error.contains("invalid input syntax for type integer"))
            #expect(try await fixture.versionRows == [])
            #expect(try await tool.run("migrate", "verify").status == 0)
        }
    }

    @Test("disagreements fail verify and up, and options accept them")
    func disagreements() async throws {
        try await withTool(MigrationFixture.threeTables) { (tool, fixture) async throws in
            #expect(try await tool.run("migrate", "up").status == 0)
            try fixture.folder.write("Migrations/000001_a.up.sql", "SELECT 1")
            let verify = try await tool.run("migrate", "verify")
            #expect(verify.status == 1)
            #expect(verify.error.contains("changed: the up file of version 1 (a) has changed"))
            #expect(try await tool.run("migrate", "up").status == 1)
            let accepted = try await tool.run("migrate", "up", "--accept-changed")
            #expect(accepted.status == 0)
            #expect(accepted.error.contains("warning: "))
        }
    }

    @Test("golang-migrate's command lines and URLs are understood")
    func golangMigrate() async throws {
        try await withTool(MigrationFixture.threeTables) { (tool, fixture) async throws in
            var tool = tool
            tool.environment = [:]
            try await fixture.script("CREATE SCHEMA other; CREATE SCHEMA \"Meta\"")
            let url =
                fixture.test.url.replacing("postgres://", with: "pgx5://")
                + "?x-migrations-table-quoted=1&x-migrations-table=%22Meta%22.%22versions%22&search_path=other"
                + "&x-statement-timeout=60000&x-multi-statement=true"
            let outcome = try await tool.run(
                "migrate", "-source", "file://Migrations", "-database", url, "-lock-timeout", "3", "up", "1")
            #expect(outcome.status == 0, "\(outcome.error)")
            let version = try await fixture.database.one("SELECT version FROM \"Meta\".versions", as: Int64.self)
            #expect(version == 1)
            let exists = try await fixture.database.one("SELECT to_regclass('other.a') IS NOT NULL", as: Bool.self)
            #expect(exists)
        }
    }

    @Test("an interrupt stops cleanly and ends with 130", arguments: [SIGINT, SIGTERM])
    func interrupt(_ signal: Int32) async throws {
        try await withTool(["1_a.up.sql": "CREATE TABLE a (id int); SELECT pg_sleep(60);"]) {
            (tool, fixture) async throws in
            let (database, name) = (fixture.database, fixture.test.name)
            let outcome = try await tool.run("migrate", "up") { process in
                // Wait until the file is where it sleeps.
                while try await database.one(
                    """
                    SELECT count(*) = 0 FROM pg_stat_activity
                    WHERE datname = \(name) AND query LIKE 'SELECT pg_sleep%' AND state = 'active'
                    """, as: Bool.self)
                {
                    await Task.yield()
                }
                kill(process.processIdentifier, signal)
            }
            #expect(outcome.status == 130)
            #expect(outcome.error.contains("nothing of it is applied"))
            #expect(try await fixture.tables == [])
            #expect(try await fixture.versionRows == [])
        }
    }
}
