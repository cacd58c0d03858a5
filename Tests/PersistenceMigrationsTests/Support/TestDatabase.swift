import Configuration
import Foundation
import PersistenceCore
import PersistenceMigrations
import PostgresEngine
import Testing

/// The server that integration tests use.
enum TestServer {
    static let url: String? = {
        let reader = ConfigReader(provider: EnvironmentVariablesProvider())
        return reader.string(forKey: "postgres.url", isSecret: true).flatMap { $0.isEmpty ? nil : $0 }
    }()

    /// Whether tests run that need the server; with CI=true they do, and fail where it is missing.
    static var isExpected: Bool {
        url != nil || ProcessInfo.processInfo.environment["CI"] == "true"
    }
}

/// Lends a database for the length of a test.
@discardableResult
func withDatabase<R>(
    _ configuration: PostgresConfiguration, instrumentation: Instrumentation = .disabled,
    _ body: (PostgresDatabase) async throws -> R
) async throws -> R {
    try await PostgresDatabase.with(configuration, instrumentation: instrumentation, body)
}

struct MissingServer: Error, CustomStringConvertible {
    let description = "POSTGRES_URL is not set"
}

/// A database of a test's own, dropped when the test ends.
struct TestDatabase {
    let name: String
    let configuration: PostgresConfiguration

    /// The database's URL, with the password.
    let url: String

    static func with<R>(_ body: (TestDatabase) async throws -> R) async throws -> R {
        guard let url = TestServer.url else { throw MissingServer() }
        let name = "migrations_" + UUID().uuidString.lowercased().replacing("-", with: "")
        var server = try PostgresConfiguration(uri: url)
        server.connectTimeout = .seconds(60)
        let test = try TestDatabase(name: name, server: server, serverURL: url)
        return try await withDatabase(server) { admin in
            let identifier = try PostgresIdentifier(name)
            try await admin.execute("CREATE DATABASE \(identifier)")
            let result: R
            do {
                result = try await body(test)
            } catch {
                try await admin.execute("DROP DATABASE \(identifier) WITH (FORCE)")
                throw error
            }
            try await admin.execute("DROP DATABASE \(identifier) WITH (FORCE)")
            return result
        }
    }

    private init(name: String, server: PostgresConfiguration, serverURL: String) throws {
        self.name = name
        var configuration = server
        configuration.database = name
        // A machine under load answers late; no test here is about that.
        configuration.cancellationGrace = .seconds(60)
        configuration.connectTimeout = .seconds(60)
        self.configuration = configuration
        var components = try #require(URLComponents(string: serverURL))
        components.path = "/" + name
        url = try #require(components.string)
    }

    /// Lends the database.
    func open<R>(_ body: (PostgresDatabase) async throws -> R) async throws -> R {
        try await withDatabase(configuration, body)
    }
}

/// A folder of files and a database to apply them to.
struct MigrationFixture {
    let database: PostgresDatabase
    let test: TestDatabase
    let folder: TemporaryDirectory

    static func with(
        _ files: [String: String] = [:], _ body: (MigrationFixture) async throws -> Void
    ) async throws {
        try await TestDatabase.with { test in
            try await test.open { database in
                let folder = try TemporaryDirectory()
                for (name, text) in files { try folder.write(name, text) }
                try await body(MigrationFixture(database: database, test: test, folder: folder))
            }
        }
    }

    /// Three migrations that make the tables a, b and c.
    static let threeTables = [
        "000001_a.up.sql": "CREATE TABLE a (id int PRIMARY KEY);\nINSERT INTO a VALUES (1);",
        "000001_a.down.sql": "DROP TABLE a;",
        "000002_b.up.sql": "CREATE TABLE b (id int);",
        "000002_b.down.sql": "DROP TABLE b;",
        "000003_c.up.sql": "CREATE TABLE c (id int);",
        "000003_c.down.sql": "DROP TABLE c;",
    ]

    func migrator(
        _ configuration: Migrator.Configuration = .init(), observer: (@Sendable (MigrationEvent) -> Void)? = nil
    ) -> Migrator {
        Migrator(
            database: database, source: .directory(folder.path), configuration: configuration, observer: observer)
    }

    func script(_ sql: String) async throws {
        try await database.withConnection { try await $0.executeScript(sql) }
    }

    /// The tables of the schema but the migrator's own, in order.
    var tables: [String] {
        get async throws {
            try await database.all(
                """
                SELECT table_name::text FROM information_schema.tables
                WHERE table_schema = 'public' AND table_name NOT LIKE 'schema_migrations%' ORDER BY 1
                """, as: String.self)
        }
    }

    /// The rows of golang-migrate's table.
    var versionRows: [String] {
        get async throws {
            try await database.all(
                "SELECT version || CASE WHEN dirty THEN ' dirty' ELSE '' END FROM schema_migrations", as: String.self)
        }
    }

    /// The ledger's lines.
    var ledger: [String] {
        get async throws {
            try await database.all(
                "SELECT action || ' ' || version FROM schema_migrations_ledger ORDER BY id", as: String.self)
        }
    }

    /// The error of a command, if it fails.
    func fault<R>(_ body: () async throws -> R) async -> PersistenceError? {
        do {
            _ = try await body()
            return nil
        } catch let error as PersistenceError {
            return error
        } catch {
            Issue.record(error, "not an error of the library's")
            return nil
        }
    }
}
