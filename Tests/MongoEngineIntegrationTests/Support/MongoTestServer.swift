import BSON
import Foundation
import MongoEngine
import PersistenceCore
import Testing

/// The endpoint that the engine's tests use.
enum MongoTestServer {
    static var url: String? { ProcessInfo.processInfo.environment["MONGO_URL"] }

    /// Without an endpoint the tests are disabled; where everything must be there they run, and fail.
    static var isExpected: Bool { url != nil || ProcessInfo.processInfo.environment["CI"] == "true" }

    /// Whether the endpoint is MongoDB itself, and not an engine that lacks some of it.
    ///
    /// `MONGO_IS_REAL` says so; without it, the server's own build information does.
    static var isReal: Bool {
        get async {
            if let answer = ProcessInfo.processInfo.environment["MONGO_IS_REAL"] { return answer == "1" }
            guard url != nil else { return false }
            return await realTask.value
        }
    }

    private static let realTask = Task { () -> Bool in
        let information = try? await with { database in try await database.runCommand(["buildInfo": 1], on: "admin") }
        // Only MongoDB says which compiler it was built with and which allocator it uses.
        return information?["allocator"] != nil && information?["modules"] != nil
    }

    static func configuration() throws -> MongoConfiguration {
        try MongoConfiguration(uri: #require(url, "MONGO_URL says where the tests' endpoint is"))
    }

    /// Lends a database of few clients and shuts it down.
    static func with<Result>(
        _ change: (inout MongoConfiguration) -> Void = { _ in }, instrumentation: Instrumentation = .disabled,
        _ body: (MongoDatabase) async throws -> Result
    ) async throws -> Result {
        var configuration = try configuration()
        configuration.pool = MongoPoolConfiguration(maximum: 4)
        configuration.applicationName = "engine-tests"
        change(&configuration)
        return try await MongoDatabase.with(configuration, instrumentation: instrumentation, body)
    }

    /// Lends a collection of a new name, and drops it.
    static func withCollection<Element: Codable & Sendable, Result>(
        of type: Element.Type, _ change: (inout MongoConfiguration) -> Void = { _ in },
        _ body: (MongoDatabase, MongoCollection<Element>) async throws -> Result
    ) async throws -> Result {
        try await with(change) { database in
            let collection = try database.collection("engine_" + UUID().uuidString.lowercased(), of: type)
            do {
                let result = try await body(database, collection)
                try await collection.drop()
                return result
            } catch {
                try? await collection.drop()
                throw error
            }
        }
    }
}

extension Trait where Self == ConditionTrait {
    /// Runs a suite when there is an endpoint, or must be one.
    static var mongoServer: ConditionTrait {
        .enabled(if: MongoTestServer.isExpected, "MONGO_URL says where the tests' endpoint is")
    }

    /// Runs a suite when the endpoint is MongoDB itself; elsewhere it is reported as skipped.
    static var realMongoServer: ConditionTrait {
        .enabled("the endpoint is MongoDB itself (MONGO_IS_REAL=1)") { await MongoTestServer.isReal }
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
        try await Task.sleep(for: .milliseconds(5))
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
