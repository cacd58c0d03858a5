@testable import PersistenceMigrations

/// The locks of the usual table in the usual schema.
enum MigrationLockFixture {
    static func identifiers(database: String) -> [Int64] {
        MigrationLockIdentifiers.both(schema: "public", table: "schema_migrations", database: database)
    }

    /// The one that golang-migrate's command line takes, which opens the database by URL.
    static func byURL(database: String) -> Int64 {
        MigrationLockIdentifiers.identifier("public", "schema_migrations", "/" + database)
    }

    /// The one that golang-migrate takes in a program that has opened the database itself.
    static func byHandle(database: String) -> Int64 {
        MigrationLockIdentifiers.identifier("public", "schema_migrations", database)
    }
}
