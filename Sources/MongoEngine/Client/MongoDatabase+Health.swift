public import PersistenceCore

extension MongoDatabase: HealthCheck {
    /// The server and database in reports: `localhost:27017/app`.
    public var name: String { core.target.poolName }

    /// Asks a server for a sign of life on a client of the pool.
    ///
    /// - Throws: ``PersistenceError`` when no client can be had or no server answers in time.
    public func check() async throws {
        try await ping()
    }
}
