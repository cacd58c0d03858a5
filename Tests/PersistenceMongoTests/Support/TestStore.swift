import Foundation
import MongoEngine
import PersistenceCore
import PersistenceMongo
import PersistenceTesting
import Testing

/// The server that the tests use: MongoDB, or the endpoint of development that stands in for it.
enum TestServer {
    static let url = ProcessInfo.processInfo.environment["MONGO_URL"]

    /// On a continuous integration server a missing database fails the tests instead of skipping them.
    static let isExpected = url != nil || ProcessInfo.processInfo.environment["CI"] == "true"

    static func configuration(database: String) throws -> MongoConfiguration {
        var configuration = try MongoConfiguration(
            uri: #require(url, "MONGO_URL says where the tests' server is"))
        configuration.database = database
        return configuration
    }
}

extension Trait where Self == ConditionTrait {
    /// Runs a suite when there is a server, or must be one.
    static var mongo: ConditionTrait {
        .enabled(if: TestServer.isExpected, "MONGO_URL says where the tests' server is")
    }
}

/// Runs `body` with a database of its own, which is dropped in the end.
func withDatabase(_ body: (MongoDatabase) async throws -> Void) async throws {
    let name = "test_\(UUID().uuidString.lowercased().replacing("-", with: ""))"
    try await MongoDatabase.with(TestServer.configuration(database: name)) { database in
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(database))
        } catch {
            result = .failure(error)
        }
        try await database.drop()
        try result.get()
    }
}

/// The library's error that `body` throws.
func failure(_ body: () async throws -> Void) async -> PersistenceError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? PersistenceError
    }
}

/// Waits until `condition` holds, asking again and again; fails the test when it never does.
func eventually(
    _ what: Comment, within limit: Duration = .seconds(120), every pause: Duration = .milliseconds(5),
    sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now.advanced(by: limit)
    while ContinuousClock.now < end {
        if try await condition() { return }
        try await Task.sleep(for: pause)
    }
    Issue.record(what, sourceLocation: sourceLocation)
}
