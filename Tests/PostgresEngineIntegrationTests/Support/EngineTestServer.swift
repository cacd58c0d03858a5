import Foundation
import PersistenceCore
import PostgresEngine
import Testing

/// The server that the engine's tests use.
enum EngineTestServer {
    static var url: String? { ProcessInfo.processInfo.environment["POSTGRES_URL"] }

    /// Without a server the tests are disabled; where everything must be there they run, and fail.
    static var isExpected: Bool { url != nil || ProcessInfo.processInfo.environment["CI"] == "true" }

    static func configuration() throws -> PostgresConfiguration {
        try PostgresConfiguration(uri: #require(url, "POSTGRES_URL says where the tests' server is"))
    }

    /// Lends a database of few connections and shuts it down.
    static func with<Result>(
        _ change: (inout PostgresConfiguration) -> Void = { _ in }, instrumentation: Instrumentation = .disabled,
        _ body: (PostgresDatabase) async throws -> Result
    ) async throws -> Result {
        var configuration = try configuration()
        configuration.pool = PostgresPoolConfiguration(maximum: 4)
        configuration.applicationName = "engine-tests"
        change(&configuration)
        let settings = configuration
        return try await TestGate.shared.pass {
            try await PostgresDatabase.with(settings, instrumentation: instrumentation, body)
        }
    }

    /// Lends a database with a table `name` of the given columns, and drops the table.
    static func withTable<Result>(
        _ columns: String, _ change: (inout PostgresConfiguration) -> Void = { _ in },
        _ body: (PostgresDatabase, PostgresIdentifier) async throws -> Result
    ) async throws -> Result {
        try await with(change) { database in
            let table = try PostgresIdentifier("engine_" + UUID().uuidString.lowercased())
            try await database.execute(PostgresStatement(sql: "CREATE TABLE \(table.quoted) (\(columns))"))
            do {
                let result = try await body(database, table)
                try await database.execute("DROP TABLE \(table)")
                return result
            } catch {
                try await database.execute("DROP TABLE \(table)")
                throw error
            }
        }
    }
}

extension Trait where Self == ConditionTrait {
    /// Runs a suite when there is a server, or must be one.
    static var engineServer: ConditionTrait {
        .enabled(if: EngineTestServer.isExpected, "POSTGRES_URL says where the tests' server is")
    }
}

/// Waits until `condition` holds, asking again and again; fails the test when it never does.
func eventually(
    _ what: Comment, within limit: Duration = .seconds(60), sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now.advanced(by: limit)
    while ContinuousClock.now < end {
        if try await condition() { return }
        // Asking without a pause would slow down what is waited for.
        try await Task.sleep(for: .milliseconds(2))
    }
    Issue.record(what, sourceLocation: sourceLocation)
}

/// The error that `body` throws.
func failure(
    sourceLocation: SourceLocation = #_sourceLocation, of body: () async throws -> Void
) async throws -> PersistenceError {
    let thrown = await #expect(throws: PersistenceError.self, sourceLocation: sourceLocation) { try await body() }
    return try #require(thrown, sourceLocation: sourceLocation)
}
