import Foundation
import PersistenceCore
import PersistenceMigrations
import Testing

@Suite("Reading migration files")
struct MigrationSourceTests {
    private func load(_ files: [(String, String)]) throws(PersistenceError) -> MigrationSet {
        try MigrationSource.embedded(files.map { MigrationFile(name: $0.0, text: $0.1) }).load()
    }

    private func fault(_ source: MigrationSource) -> PersistenceError? {
        do throws(PersistenceError) {
            _ = try source.load()
            return nil
        } catch {
            return error
        }
    }

    @Test("names follow golang-migrate's rule")
    func names() throws {
        let set = try load([
            ("000010_b.up.sql", ""), ("000010_b.down.sql", ""), ("2_a_long.title.up.sql", ""), ("0_.up.sql", ""),
            ("3_x.up.down.pgsql", ""), ("9223372036854775807_last.up.sql", ""),
            ("x1_a.up.sql", ""), ("1-a.up.sql", ""), ("1_a.sql", ""), ("1_a.UP.sql", ""), ("_a.up.sql", ""),
            ("", ""), ("1_a.up", ""), ("1_up.sql", ""), ("1_a\n.up.sql", ""),
        ])
        #expect(set.migrations.map(\.version) == [0, 2, 3, 10, .max])
        #expect(set.migrations.map(\.title) == ["", "a_long.title", "x.up", "b", "last"])
        #expect(set[version: 10]?.up != nil && set[version: 10]?.down != nil)
        #expect(set[version: 2]?.down == nil)
        #expect(set[version: 3]?.up == nil && set[version: 3]?.down != nil)
        #expect(set[version: 5] == nil && set[version: -1] == nil && set[version: 11] == nil)
        #expect(set.ignoredFiles.count == 9)
    }

    @Test("every version is found by binary search")
    func lookup() throws {
        let set = try load((1...100).map { ("\($0 * 2)_a.up.sql", "") })
        for version in Int64(0)...201 {
            #expect((set[version: version] != nil) == (version % 2 == 0 && version >= 2 && version <= 200))
        }
    }

    @Test("two files for one version and direction are refused, and all faults are told at once")
    func duplicates() {
        let error = fault(
            .embedded([
                MigrationFile(name: "1_a.up.sql", text: ""), MigrationFile(name: "01_b.up.sql", text: ""),
                MigrationFile(name: "9223372036854775808_c.up.sql", text: ""),
            ]))
        #expect(error?.code == .migration)
        #expect(error?.summary.contains("1_a.up.sql and 01_b.up.sql are both version 1, up") == true)
        #expect(error?.summary.contains("9223372036854775808_c.up.sql is larger than") == true)
    }

    @Test("titles of a pair may differ; the up file's counts")
    func titles() throws {
        let set = try load([("1_new.up.sql", ""), ("1_old.down.sql", "")])
        #expect(set.migrations.map(\.title) == ["new"])
    }

    @Test("a folder is read: links followed, folders and other files left out, byte order marks removed")
    func folder() throws {
        let folder = try TemporaryDirectory()
        try folder.write("1_a.up.sql", "SELECT 1")
        try folder.write("2_b.up.sql", bytes: [0xEF, 0xBB, 0xBF] + Array("SELECT 2".utf8))
        try folder.write("3_c.up.sql", "")
        try folder.write("README.md", "no migration")
        try FileManager.default.createDirectory(
            at: folder.url.appending(path: "4_d.up.sql"), withIntermediateDirectories: false)
        try FileManager.default.createSymbolicLink(
            at: folder.url.appending(path: "5_e.up.sql"), withDestinationURL: folder.url.appending(path: "1_a.up.sql"))
        let set = try MigrationSource.directory(folder.path).load()
        #expect(set.migrations.map(\.version) == [1, 2, 3, 5])
        #expect(set.migrations.map { $0.up?.text } == ["SELECT 1", "SELECT 2", "", "SELECT 1"])
        #expect(set.ignoredFiles == ["README.md"])
    }

    @Test("a folder that is missing or is a file is told")
    func noFolder() throws {
        let folder = try TemporaryDirectory()
        try folder.write("file", "")
        let missing = fault(.directory(folder.path + "/none"))
        #expect(missing?.code == .configuration)
        #expect(missing?.summary.hasSuffix("does not exist") == true)
        let file = fault(.directory(folder.path + "/file"))
        #expect(file?.summary.hasSuffix("is not a folder") == true)
    }

    @Test("an empty folder is an empty set")
    func empty() throws {
        let folder = try TemporaryDirectory()
        #expect(try MigrationSource.directory(folder.path).load().migrations.isEmpty)
    }

    @Test("bytes that are not UTF-8 are told with their place")
    func encoding() throws {
        let folder = try TemporaryDirectory()
        try folder.write("1_a.up.sql", bytes: Array("SELECT 1;\n-- é ".utf8) + [0xE9, 0x0A])
        try folder.write("2_b.up.sql", bytes: [0xFF, 0xFE, 0x53, 0x00])
        let error = fault(.directory(folder.path))
        #expect(error?.code == .migration)
        #expect(error?.summary.contains("1_a.up.sql:2:6 is not UTF-8") == true)
        #expect(error?.summary.contains("2_b.up.sql is UTF-16") == true)
    }

    @Test("a link to nothing is told, not left out")
    func brokenLink() throws {
        let folder = try TemporaryDirectory()
        try FileManager.default.createSymbolicLink(
            at: folder.url.appending(path: "1_a.up.sql"), withDestinationURL: folder.url.appending(path: "gone"))
        #expect(fault(.directory(folder.path))?.summary.hasSuffix("1_a.up.sql cannot be read") == true)
    }
}

@Suite("Taking migration files apart")
struct MigrationScriptTests {
    private func script(_ text: String) throws(PersistenceError) -> MigrationScript {
        try MigrationScript(MigrationFile(name: "1_a.up.sql", text: text))
    }

    private func fault(_ text: String) -> PersistenceError? {
        do throws(PersistenceError) {
            _ = try script(text)
            return nil
        } catch {
            return error
        }
    }

    @Test("a file runs in a transaction unless it says otherwise before its first statement")
    func marker() throws {
        #expect(try script("SELECT 1").runsInTransaction)
        #expect(try script("").runsInTransaction)
        #expect(try !script("/* why */\n-- persistence:no-transaction\nVACUUM; COMMIT").runsInTransaction)
        #expect(fault("SELECT 1;\n-- persistence:no-transaction")?.location == "1_a.up.sql:2:1")
        #expect(fault("-- persistence:no-transactions\nSELECT 1")?.location == "1_a.up.sql:1:1")
    }

    @Test(
        "BEGIN and COMMIT around a whole file are left out",
        arguments: [
            "BEGIN; SELECT 1; COMMIT;", "begin work;\nSELECT 1;\nend transaction",
            "START TRANSACTION; SELECT 1; COMMIT WORK",
        ])
    func wrapper(_ text: String) throws {
        #expect(try script(text).statements.map(\.text) == ["SELECT 1"])
        #expect(try script("-- persistence:no-transaction\n" + text).statements.count == 3)
    }

    @Test(
        "transaction statements elsewhere are refused with their place",
        arguments: [
            ("SELECT 1;\n COMMIT;", "2:2"), ("BEGIN; SELECT 1", "1:1"), ("ROLLBACK", "1:1"), ("ABORT", "1:1"),
            ("BEGIN; SELECT 1; COMMIT; SELECT 2; BEGIN; COMMIT", "1:18"),
            ("BEGIN ISOLATION LEVEL SERIALIZABLE; COMMIT", "1:1"),
            ("PREPARE TRANSACTION 'a'", "1:1"), ("ROLLBACK PREPARED 'a'", "1:1"), ("COMMIT AND CHAIN", "1:1"),
            ("START TRANSACTION READ ONLY", "1:1"), ("END", "1:1"),
        ])
    func transactionControl(_ text: String, _ place: String) {
        let error = fault(text)
        #expect(error?.code == .migration)
        #expect(error?.location == "1_a.up.sql:\(place)")
        #expect(error?.description.contains("1_a.up.sql:\(place)") == true)
    }

    @Test(
        "savepoints, prepared statements and names that look like transaction statements are allowed",
        arguments: [
            "SAVEPOINT a; ROLLBACK TO a; ROLLBACK WORK TO SAVEPOINT a; RELEASE a", "PREPARE p AS SELECT 1",
            "SELECT 'COMMIT'", "CREATE TABLE commit (a int)", "(SELECT 1)", "DISCARD PLANS",
        ])
    func allowed(_ text: String) throws {
        #expect(try script(text).runsInTransaction)
    }

    @Test("DISCARD ALL is refused, because the migration lock would go with it")
    func discard() {
        #expect(fault("-- persistence:no-transaction\ndiscard all")?.location == "1_a.up.sql:2:1")
    }

    @Test("what cannot be taken apart is told with file, line and column")
    func syntax() {
        let error = fault("SELECT 1;\n  SELECT 'a")
        #expect(error?.code == .migration)
        #expect(error?.location == "1_a.up.sql:2:10")
    }
}
