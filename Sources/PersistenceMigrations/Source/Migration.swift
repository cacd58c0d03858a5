/// A migration: a version, a title, and a file for each direction.
public struct Migration: Hashable, Sendable, Identifiable {
    /// The number that orders migrations.
    public let version: Int64

    /// What the file's name says after the version, such as `create_users`.
    public let title: String

    /// The file that brings the schema to this version.
    public let up: MigrationFile?

    /// The file that takes it back.
    public let down: MigrationFile?

    /// The version.
    public var id: Int64 { version }
}

/// Migrations in the order of their versions.
public struct MigrationSet: Hashable, Sendable {
    /// The migrations, by version.
    public let migrations: [Migration]

    /// The names of files that are no migrations, in alphabetical order.
    public let ignoredFiles: [String]

    /// Where the files came from, for messages.
    public let origin: String

    init(migrations: [Migration], ignoredFiles: [String] = [], origin: String) {
        self.migrations = migrations
        self.ignoredFiles = ignoredFiles
        self.origin = origin
    }

    /// Finds a migration.
    ///
    /// - Parameter version: Its version.
    /// - Returns: The migration, or `nil`.
    public subscript(version version: Int64) -> Migration? {
        var range = migrations[...]
        while let first = range.first {
            let middle = range.startIndex + range.count / 2
            if migrations[middle].version == version { return migrations[middle] }
            if first.version > version { return nil }
            range = migrations[middle].version < version ? range[(middle + 1)...] : range[..<middle]
        }
        return nil
    }
}
