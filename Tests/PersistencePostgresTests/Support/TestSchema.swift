import Foundation
import PersistenceCore
import PostgresEngine
import Testing

/// The server that the tests use.
enum TestServer {
    static let url = ProcessInfo.processInfo.environment["POSTGRES_URL"]

    /// On a continuous integration server a missing database fails the tests instead of skipping them.
    static let isExpected = url != nil || ProcessInfo.processInfo.environment["CI"] == "true"

    static func configuration() throws -> PostgresConfiguration {
        try PostgresConfiguration(uri: #require(url, "POSTGRES_URL says where the tests' server is"))
    }
}

extension Trait where Self == ConditionTrait {
    /// Runs a suite when there is a server, or must be one.
    static var server: ConditionTrait {
        .enabled(if: TestServer.isExpected, "POSTGRES_URL says where the tests' server is")
    }
}

/// Runs `body` with a database whose connections live in a schema of their own, with the tables of `Migrations/`.
func withSchema(_ body: (PostgresDatabase) async throws -> Void) async throws {
    try await withEmptySchema { database in
        try await database.withConnection { connection in
            for script in try MigrationFiles.up() {
                try await connection.executeScript(script)
            }
        }
        try await body(database)
    }
}

/// Runs `body` with a database whose connections live in an empty schema of their own.
func withEmptySchema(_ body: (PostgresDatabase) async throws -> Void) async throws {
    let schema = "test_\(UUID().uuidString.lowercased().replacing("-", with: ""))"
    var configuration = try TestServer.configuration()
    await TestGate.shared.enter()
    defer { TestGate.shared.leave() }
    try await PostgresDatabase.with(configuration) { try await $0.execute("CREATE SCHEMA \(identifier: schema)") }
    configuration.sessionParameters["search_path"] = schema
    let result: Result<Void, any Error>
    do {
        result = .success(try await PostgresDatabase.with(configuration, body))
    } catch {
        result = .failure(error)
    }
    configuration.sessionParameters["search_path"] = nil
    try await PostgresDatabase.with(configuration) {
        try await $0.execute("DROP SCHEMA \(identifier: schema) CASCADE")
    }
    try result.get()
}

/// The files of `Migrations/`, as text.
enum MigrationFiles {
    static func up() throws -> [String] { try scripts(suffix: ".up.sql") }

    static func down() throws -> [String] { try scripts(suffix: ".down.sql").reversed() }

    private static func scripts(suffix: String) throws -> [String] {
        try RepositoryFiles.contents(of: "Migrations").filter { $0.lastPathComponent.hasSuffix(suffix) }
            .map { try String(contentsOf: $0, encoding: .utf8) }
    }
}

/// Files beside the package's sources.
enum RepositoryFiles {
    static func folder(_ name: String) -> URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appending(path: name)
    }

    static func contents(of name: String) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(at: folder(name), includingPropertiesForKeys: nil)
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
    }
}
