internal import CMongoC
internal import PersistenceCore

/// Owns the driver's pool of clients, a `mongoc_client_pool_t`.
///
/// The pool is thread-safe by its own documentation.
final class DriverPool: Sendable {
    private struct State: ~Copyable {
        var pool: CPointer?
        /// All clients that were taken out of the driver's pool.
        ///
        /// They are kept out of it: giving one back for every operation would have the driver look through its connections
        /// each time.
        var clients: [PooledClient] = []
        /// Those that nobody uses; the last one was used last.
        var idle: [PooledClient] = []
    }

    let connections: ConnectionCounts
    let monitor: MongoMonitor
    private let settings: ConnectionSettings
    private let workers: DriverThreads
    private let state: SharedState<State>

    /// Creates a pool, which connects to nothing yet.
    ///
    /// - Parameters:
    ///   - configuration: Where the deployment is and how its clients behave.
    ///   - monitor: Hears what the driver finds out about the servers.
    ///   - workers: The threads that may block.
    ///   - isRecorded: Whether somebody wants to know which member answers a command.
    ///   - metrics: Takes how long it takes to open connections.
    /// - Throws: ``PersistenceError`` with the code `configuration` when the driver refuses the configuration.
    init(
        configuration: MongoConfiguration, monitor: MongoMonitor, workers: DriverThreads, isRecorded: Bool,
        metrics: PoolMetrics?
    ) throws(PersistenceError) {
        MongoLibrary.start()
        let uri = try configuration.driverURI()
        var error = bson_error_t()
        guard let pool = mongoc_client_pool_new_with_error(uri.pointer, &error) else {
            throw PersistenceError(.configuration, "the driver cannot use the configuration; see serverMessage").with {
                $0.serverMessage = error.text
            }
        }
        mongoc_client_pool_set_error_api(pool, MONGOC_ERROR_API_VERSION_2)
        mongoc_client_pool_max_size(pool, UInt32(configuration.pool.maximum))
        self.monitor = monitor
        connections = ConnectionCounts(metrics: metrics)
        self.workers = workers
        settings = ConnectionSettings(configuration: configuration)
        state = SharedState(State(pool: CPointer(pool)))
        monitor.install(on: pool, isRecorded: isRecorded)
    }

    deinit {
        let (pool, clients) = state.withLock { ($0.pool.take(), $0.clients) }
        guard let pool else { return }
        // Joins the threads that watch the servers.
        workers.submit { [monitor] in
            Self.destroy(pool, clients)
            // The driver calls back into it until here.
            withExtendedLifetime(monitor) {}
        }
    }

    /// Frees a pool whose clients nobody uses any more.
    private static func destroy(_ pool: CPointer, _ clients: [PooledClient]) {
        for client in clients {
            client.forgetCollections()
            mongoc_client_pool_push(pool.raw, client.pointer.raw)
        }
        mongoc_client_pool_destroy(pool.raw)
    }

    /// Takes a client out.
    ///
    /// The caller has one of as many permits as there are clients, so that this does not block.
    func pop() -> PooledClient? {
        let (idle, pool) = state.withLock { ($0.idle.popLast(), $0.pool) }
        if let idle { return idle }
        guard let pool, let pointer = mongoc_client_pool_try_pop(pool.raw) else { return nil }
        let connections = ClientConnections(counts: connections, settings: settings)
        StreamInitiator.install(on: pointer, connections: connections)
        let client = PooledClient(pointer: CPointer(pointer), connections: connections)
        state.withLock { $0.clients.append(client) }
        return client
    }

    /// Gives a client back.
    func push(_ client: PooledClient) {
        state.withLock { $0.idle.append(client) }
    }

    /// The clients that somebody uses.
    var clientsInUse: [PooledClient] {
        state.withLock { state in
            let idle = Set(state.idle.map(ObjectIdentifier.init))
            return state.clients.filter { !idle.contains(ObjectIdentifier($0)) }
        }
    }

    /// Closes all connections and frees the pool, on a thread that may block.
    ///
    /// Nobody has a client any more.
    func destroy() {
        let (pool, clients) = state.withLock { state in
            state.idle = []
            return (state.pool.take(), state.clients)
        }
        if let pool { Self.destroy(pool, clients) }
        state.withLock { $0.clients = [] }
    }
}

extension bson_error_t {
    /// The message.
    var text: String {
        withUnsafePointer(to: self) { String(cArray: $0.address(of: \.message)) }
    }
}
