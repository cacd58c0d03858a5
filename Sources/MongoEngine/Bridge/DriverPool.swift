internal import CMongoC
internal import PersistenceCore
internal import Synchronization

/// Owns the driver's pool of clients, a `mongoc_client_pool_t`.
///
/// The pool is thread-safe by its own documentation.
final class DriverPool: Sendable {
    private struct State: ~Copyable {
        var pool: CPointer?
        /// The driver hands out the same clients again and again.
        var clients: [CPointer: PooledClient] = [:]
    }

    let connections: ConnectionCounts
    let monitor: MongoMonitor
    private let settings: ConnectionSettings
    private let workers: DriverThreads
    private let state: Mutex<State>

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
        state = Mutex(State(pool: CPointer(pool)))
        monitor.install(on: pool, isRecorded: isRecorded)
    }

    deinit {
        let (pool, clients) = state.withLock { ($0.pool.take(), Array($0.clients.values)) }
        guard let pool else { return }
        // Joins the threads that watch the servers.
        workers.submit { [monitor] in
            mongoc_client_pool_destroy(pool.raw)
            // The driver calls back into both until here.
            withExtendedLifetime((monitor, clients)) {}
        }
    }

    /// Takes a client out.
    ///
    /// The caller has one of as many permits as there are clients, so that this does not block.
    func pop() -> PooledClient? {
        guard let pool = state.withLock({ $0.pool }), let client = mongoc_client_pool_try_pop(pool.raw) else {
            return nil
        }
        let pointer = CPointer(client)
        return state.withLock { state in
            if let known = state.clients[pointer] { return known }
            let connections = ClientConnections(counts: connections, settings: settings)
            StreamInitiator.install(on: pointer.raw, connections: connections)
            let client = PooledClient(pointer: pointer, connections: connections)
            state.clients[pointer] = client
            return client
        }
    }

    /// Gives a client back, on a thread that may block.
    func push(_ client: PooledClient) {
        guard let pool = state.withLock({ $0.pool }) else { return }
        mongoc_client_pool_push(pool.raw, client.pointer.raw)
    }

    /// Closes all connections and frees the pool, on a thread that may block.
    ///
    /// Nobody has a client any more.
    func destroy() {
        let pool = state.withLock { $0.pool.take() }
        if let pool { mongoc_client_pool_destroy(pool.raw) }
        state.withLock { $0.clients = [:] }
    }
}

extension bson_error_t {
    /// The message.
    var text: String {
        withUnsafePointer(to: self) { String(cArray: $0.address(of: \.message)) }
    }
}
