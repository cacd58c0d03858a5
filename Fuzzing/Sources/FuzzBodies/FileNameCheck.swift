@testable import PersistenceMigrations

/// The names of migration files: what was read of a name makes the name again, but for leading zeros.
enum FileNameCheck {
    static func run(_ input: UnsafeRawBufferPointer) throws {
        let name = input.text
        let parts: MigrationFileName
        do throws(MigrationFileName.Failure) {
            parts = try MigrationFileName(name)
        } catch {
            return
        }
        try require(parts.version >= 0, "a version is negative")
        let digits = name.utf8.prefix { (0x30...0x39).contains($0) }
        let rest = Array(name.utf8.dropFirst(digits.count))
        let start = Array("_\(parts.title).\(parts.direction).".utf8)
        try require(rest.starts(with: start), "a name was read that is another")
        let again = try? MigrationFileName("\(parts.version)_\(parts.title).\(parts.direction).sql")
        try require(again == parts, "a name changes on its way")
    }
}
