internal import PersistenceCore

/// What a service does with connections on their way into and out of the pool.
public struct PostgresPoolHooks: Sendable {
    /// Runs before a connection is opened; what it throws counts as a failure to connect.
    public var beforeConnect: (@Sendable () async throws -> Void)?

    /// Prepares every new connection; when it throws, the connection is closed and counts as not opened.
    ///
    /// What it sets is undone when the connection is reset, so settings for every session belong in
    /// ``PostgresConfiguration/sessionParameters``.
    public var afterConnect: (@Sendable (PostgresConnection) async throws -> Void)?

    /// Looks at a connection before it is lent: `false` closes it, and another is tried.
    public var beforeAcquire: (@Sendable (PostgresConnection) async -> Bool)?

    /// Looks at a connection after it has come back: `false` closes it.
    public var afterRelease: (@Sendable (PostgresConnection) async -> Bool)?

    /// Creates hooks that do nothing.
    public init() {}

    func sessionHooks(context: EngineContext) -> ConnectionPoolHooks<PostgresSession> {
        var hooks = ConnectionPoolHooks<PostgresSession>()
        hooks.beforeConnect = beforeConnect
        if let afterConnect {
            hooks.afterConnect = { session in
                try await Self.lend(session, context) { try await afterConnect($0) }
                session.clearTouched()
            }
        }
        if let beforeAcquire {
            hooks.beforeAcquire = { session in
                await Self.lend(session, context) { await beforeAcquire($0) }
            }
        }
        if let afterRelease {
            hooks.afterRelease = { session in
                await Self.lend(session, context) { await afterRelease($0) }
            }
        }
        return hooks
    }

    private static func lend<Result, Failure: Error>(
        _ session: PostgresSession, _ context: EngineContext,
        _ body: (PostgresConnection) async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        let connection = PostgresConnection(session: session, context: context)
        defer { connection.finish() }
        return try await body(connection)
    }
}
