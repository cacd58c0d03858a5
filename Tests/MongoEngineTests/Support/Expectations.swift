import PersistenceCore
import Testing

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
