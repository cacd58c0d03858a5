import PersistenceCore
import PersistenceTesting
import PostgresEngine
import Synchronization

/// The servers, and everything between them and the pools.
final class Stage: Sendable {
    private struct Servers: Sendable {
        var primary: PostgresTestServer
        var replica: PostgresTestServer
        /// The proxy that leads to the primary.
        var first: Int
        var generation: Int
    }

    private let servers: Mutex<Servers>
    /// The direct pool's ways to the two servers.
    let proxies: [TCPProxy]
    /// PgBouncer's way to the primary.
    let poolerProxy: TCPProxy
    let pooler: PgBouncerTestServer

    static let schema = "CREATE TABLE written (n bigint NOT NULL, note text)"
    static let directName = "soak-direct"
    static let pooledName = "soak-pooled"

    init() async throws {
        // Sessions whose network has frozen would keep their locks, and a change of the table would wait for them for ever.
        let settings = ["max_connections": "120", "idle_in_transaction_session_timeout": "8s"]
        let primary = try await PostgresTestServer(.init(settings: settings))
        try await primary.start()
        try await primary.query(Self.schema)
        let replica = try await Self.replica(of: primary, generation: 1)
        proxies = [try TCPProxy(port: primary.port), try TCPProxy(port: replica.port)]
        poolerProxy = try TCPProxy(port: primary.port)
        var options = PgBouncerTestServer.Options()
        options.poolSize = 6
        // By default it waits for 15 seconds after a failed login, and never gives up a query that waits for one.
        options.settings = ["server_login_retry": "1", "server_connect_timeout": "3", "query_wait_timeout": "10"]
        pooler = try await PgBouncerTestServer(in: primary, through: poolerProxy, options)
        try await pooler.start()
        servers = Mutex(Servers(primary: primary, replica: replica, first: 0, generation: 1))
    }

    var primary: PostgresTestServer { servers.withLock { $0.primary } }

    private static func replica(of primary: PostgresTestServer, generation: Int) async throws -> PostgresTestServer {
        let name = "replica\(generation)"
        let replica = try await primary.makeReplica(named: name, settings: ["wal_retrieve_retry_interval": "100ms"])
        try await replica.start()
        try await primary.replicateSynchronously(to: [name])
        return replica
    }

    /// The primary dies, its replica takes over, and gets a replica of its own.
    func failOver() async throws {
        let before = servers.withLock { $0 }
        try await before.primary.kill()
        try await before.replica.promote()
        let now = before.replica
        try poolerProxy.redirect(port: now.port)
        poolerProxy.resetConnections()
        await before.primary.remove()
        let replica = try await Self.replica(of: now, generation: before.generation + 1)
        try proxies[before.first].redirect(port: replica.port)
        servers.withLock { servers in
            servers = Servers(
                primary: now, replica: replica, first: 1 - before.first, generation: before.generation + 1)
        }
    }

    /// Starts PgBouncer again when it has ended by itself, as whatever supervises it would.
    ///
    /// - Returns: Whether it had.
    func revivePooler() async throws -> Bool {
        if (try? await pooler.command("SHOW VERSION")) != nil { return false }
        try await pooler.kill()
        try await pooler.start()
        return true
    }

    /// Makes the network as it should be, and forgets what hangs in it.
    func heal() {
        for proxy in proxies + [poolerProxy] {
            proxy.change { $0 = TCPProxy.Behaviour() }
            proxy.resetConnections()
        }
    }

    func remove() async {
        await pooler.remove()
        let servers = servers.withLock { $0 }
        await servers.replica.remove()
        await servers.primary.remove()
        for proxy in proxies + [poolerProxy] { proxy.stop() }
    }

    // MARK: Configurations

    /// Straight to whichever server takes writes.
    var direct: PostgresConfiguration {
        var configuration = base
        configuration.hosts = proxies.map { PostgresHost($0.host, port: $0.port) }
        configuration.targetSession = .readWrite
        configuration.applicationName = Self.directName
        configuration.pool.maximum = 8
        configuration.pool.minimum = 2
        return configuration
    }

    /// Through PgBouncer, which has fewer connections.
    var pooled: PostgresConfiguration {
        var configuration = base
        configuration.hosts = [PostgresHost(pooler.host, port: pooler.port)]
        configuration.statementMode = .unnamed
        configuration.applicationName = Self.pooledName
        configuration.pool.maximum = 8
        return configuration
    }

    /// Straight to the primary, past every proxy.
    var observer: PostgresConfiguration {
        let primary = primary
        var configuration = base
        configuration.hosts = [PostgresHost(primary.host, port: primary.port)]
        configuration.applicationName = "soak-observer"
        configuration.pool.maximum = 1
        return configuration
    }

    private var base: PostgresConfiguration {
        let primary = primary
        var configuration = PostgresConfiguration(
            user: primary.username, password: Secret(primary.password), database: primary.database)
        configuration.tls = .disable
        configuration.connectTimeout = .seconds(2)
        configuration.cancellationGrace = .seconds(1)
        configuration.pool.connectRetryDelay = .milliseconds(20)
        configuration.pool.connectRetryDelayLimit = .milliseconds(250)
        configuration.pool.livenessTestAge = .milliseconds(200)
        configuration.pool.livenessTestTimeout = .seconds(1)
        configuration.pool.healthCheckInterval = .seconds(1)
        return configuration
    }
}
