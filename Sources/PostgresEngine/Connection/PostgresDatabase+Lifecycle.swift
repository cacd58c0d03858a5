public import PersistenceCore
public import ServiceLifecycle

extension PostgresDatabase: Service {
    /// Keeps the pool's minimum open, tests idle connections and closes old ones, until the service shuts down.
    ///
    /// On graceful shutdown no more connections are lent; those in use get the configuration's `shutdownTimeout` to come
    /// back, then they are closed. When the task is cancelled, they are closed at once.
    public func run() async throws {
        await withTaskCancellationOrGracefulShutdownHandler {
            await pool.run()
        } onCancelOrGracefulShutdown: {
            Task { [self] in await shutdown(within: shutdownTimeout) }
        }
        await shutdown(within: Task.isCancelled ? .zero : shutdownTimeout)
    }

    /// Ends the database in an orderly way: no more connections are lent, those in use may come back, then all are closed.
    ///
    /// - Parameter patience: How long connections in use may take.
    /// - Returns: How many connections were closed while they were in use.
    @discardableResult
    public func shutdown(within patience: Duration) async -> Int {
        subscriptions.close()
        return await pool.drain(for: patience)
    }

    /// Creates a database, lends it, and shuts it down: for scripts and tests.
    ///
    /// - Parameters:
    ///   - configuration: Where the server is and how connections behave.
    ///   - instrumentation: Receives what the database does.
    ///   - body: The work.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws, unwrapped; ``PersistenceError`` when the configuration is not usable.
    @discardableResult
    public static func with<Result>(
        _ configuration: Configuration, instrumentation: Instrumentation = .disabled,
        _ body: (PostgresDatabase) async throws -> Result
    ) async throws -> Result {
        let database = try PostgresDatabase(configuration: configuration, instrumentation: instrumentation)
        let maintenance = Task { await database.pool.run() }
        let result: Swift.Result<Result, any Error>
        do {
            result = .success(try await body(database))
        } catch {
            result = .failure(error)
        }
        await database.shutdown(within: database.shutdownTimeout)
        await maintenance.value
        return try result.get()
    }
}
