public import PersistenceCore

extension PostgresDatabase: HealthCheck {
    /// The server and database in reports: `localhost:5432/app`.
    public var name: String { context.target.poolName }

    /// Runs the cheapest statement on a connection of the pool.
    ///
    /// - Throws: ``PersistenceError`` when no connection can be had or the server does not answer in time.
    public func check() async throws {
        try await execute(Self.healthStatement)
    }

    private static var healthStatement: PostgresStatement { "SELECT 1" }
}
