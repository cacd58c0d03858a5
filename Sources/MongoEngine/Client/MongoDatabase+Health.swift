public import PersistenceCore

extension MongoDatabase: HealthCheck {
    /// The server and database in reports: `localhost:27017/app`.
    public var name: String { core.target.poolName }

    /// Asks a server for a sign of life on a client of the pool.
    ///
    /// Where the driver's own checks have found no server of the deployment more than once, it does not wait for one: a
    /// report that a database is down must not take as long as a search for it. Those checks go on, so that it hears of a
    /// server that is back within ``MongoConfiguration/heartbeatInterval``.
    ///
    /// - Throws: ``PersistenceError`` when no client can be had or no server answers in time; its summary names the servers
    ///   that are known to be down.
    public func check() async throws {
        let servers = topology.servers
        if !servers.isEmpty, servers.allSatisfy({ $0.kind == .unknown && $0.failedHeartbeats > 1 }) {
            let list = servers.map { "\($0.host) (\($0.failedHeartbeats) checks failed)" }.joined(separator: ", ")
            throw PersistenceError(
                .connection, "no server of the deployment can be reached: \(list)", operation: "ping",
                retrySafety: .safe)
        }
        try await ping()
    }
}
