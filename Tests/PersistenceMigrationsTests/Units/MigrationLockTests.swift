import Foundation
import PersistenceCore
import Testing

@testable import PersistenceMigrations

@Suite("Lock numbers")
struct MigrationLockTests {
    @Test("the checksum is that of ISO 3309")
    func checksum() {
        // The check value that the catalogue of CRC algorithms gives.
        #expect(MigrationLockIdentifiers.crc32(Array("123456789".utf8)) == 0xCBF4_3926)
        #expect(MigrationLockIdentifiers.crc32([]) == 0)
    }

    @Test("the numbers are golang-migrate's")
    func numbers() {
        // python3: zlib.crc32(b"public\0schema_migrations\0app") * 1486364155 % 2**32, and with b"/app"
        #expect(MigrationLockIdentifiers.identifier("public", "schema_migrations", "app") == 1_787_120_056)
        #expect(MigrationLockIdentifiers.identifier("public", "schema_migrations", "/app") == 1_726_534_663)
        let both = MigrationLockIdentifiers.both(schema: "public", table: "schema_migrations", database: "app")
        #expect(both == both.sorted() && both.count == 2)
    }
}

@Suite("Adding migrations to a folder")
struct MigrationFolderTests {
    private func fault(_ body: () throws(PersistenceError) -> [String]) -> PersistenceError? {
        do throws(PersistenceError) {
            _ = try body()
            return nil
        } catch {
            return error
        }
    }

    @Test("numbers go on from the highest, and the folder is made when it is missing")
    func sequential() throws {
        let directory = try TemporaryDirectory()
        let folder = MigrationFolder(directory.path + "/new/folder")
        let first = try folder.addMigration(titled: "create users")
        #expect(
            first.map { $0.split(separator: "/").last } == [
                "000001_create_users.up.sql", "000001_create_users.down.sql",
            ])
        let second = try folder.addMigration(titled: "b", numbering: .sequential(digits: 3))
        #expect(second.first?.hasSuffix("/002_b.up.sql") == true)
        #expect(try MigrationSource.directory(folder.path).load().migrations.map(\.version) == [1, 2])
    }

    @Test("timestamps are in UTC and never collide in silence")
    func timestamp() throws {
        let directory = try TemporaryDirectory()
        let folder = MigrationFolder(directory.path)
        let now = Date(timeIntervalSince1970: 1_700_000_000)
        let files = try folder.addMigration(titled: "a", numbering: .timestamp, now: now)
        #expect(files.first?.hasSuffix("/20231114221320_a.up.sql") == true)
        let again = fault { () throws(PersistenceError) in
            try folder.addMigration(titled: "b", numbering: .timestamp, now: now)
        }
        #expect(again?.code == .migration)
        #expect(try directory.names.count == 2)
        // The next number would need more digits than it may have.
        let short = fault { () throws(PersistenceError) in try folder.addMigration(titled: "c") }
        #expect(short?.code == .invalidArgument)
    }

    @Test(
        "titles that cannot be part of a file's name are refused, and nothing is written",
        arguments: [
            "", "  ", "a/b", "../a", "a\\b", "a\u{0}b", "a\u{7}", "x.up.y", "x.down.", ".",
            String(repeating: "x", count: 201),
        ])
    func titles(_ title: String) throws {
        let directory = try TemporaryDirectory()
        let error = fault { () throws(PersistenceError) in
            try MigrationFolder(directory.path).addMigration(titled: title)
        }
        #expect(error?.code == .invalidArgument)
        #expect(try directory.names.isEmpty)
    }

    @Test("digits that are too few or too many are refused", arguments: [0, -1, 19, Int.max])
    func digits(_ digits: Int) throws {
        let directory = try TemporaryDirectory()
        let error = fault { () throws(PersistenceError) in
            try MigrationFolder(directory.path).addMigration(titled: "a", numbering: .sequential(digits: digits))
        }
        #expect(error?.code == .invalidArgument)
    }

    @Test("a folder that cannot be made is told")
    func noFolder() throws {
        let directory = try TemporaryDirectory()
        try directory.write("file", "")
        let error = fault { () throws(PersistenceError) in
            try MigrationFolder(directory.path + "/file/folder").addMigration(titled: "a")
        }
        #expect(error?.code == .configuration)
    }
}
