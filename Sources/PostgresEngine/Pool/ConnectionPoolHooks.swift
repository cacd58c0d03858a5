/// What a pool's owner does with connections on their way in and out.
struct ConnectionPoolHooks<Connection: PoolableConnection>: Sendable {
    /// Runs before a connection is opened; what it throws counts as a failure to connect.
    var beforeConnect: (@Sendable () async throws -> Void)?

    /// Runs on every new connection; when it throws, the connection is closed and counts as not opened.
    var afterConnect: (@Sendable (Connection) async throws -> Void)?

    /// Runs before a connection is lent.
    ///
    /// When it returns false, the connection is closed and another is tried.
    ///
    /// Together with the liveness test it must be done within `livenessTestTimeout`.
    var beforeAcquire: (@Sendable (Connection) async -> Bool)?

    /// Runs after a connection has come back and was reset if need be.
    ///
    /// When it returns false, the connection is closed.
    ///
    /// The caller that gave the connection back does not wait for it. Together with the reset it must be done within
    /// `livenessTestTimeout`.
    var afterRelease: (@Sendable (Connection) async -> Bool)?
}
