public import PersistenceCore
public import ServiceLifecycle

extension MongoDatabase: Service {
    /// Keeps the database until the service shuts down.
    ///
    /// On graceful shutdown no more clients are lent; those in use get the configuration's `shutdownTimeout` to come
    /// back, then their connections are closed. When the task is cancelled, they are closed at once.
    public func run() async throws {
        let patience = core.configuration.shutdownTimeout
        await withTaskCancellationOrGracefulShutdownHandler {
            await core.pool.untilDrained()
        } onCancelOrGracefulShutdown: {
            Task { [self] in await shutdown(within: patience) }
        }
        await shutdown(within: Task.isCancelled ? .zero : patience)
    }

    /// Ends the database in an orderly way: no more clients are lent, those in use may come back, then all connections
    /// are closed.
    ///
    /// It does not wait for servers that are down: what is then left to be freed is freed in the background.
    ///
    /// - Parameter patience: How long clients in use may take.
    /// - Returns: How many clients were cut off while they were in use.
    @discardableResult
    public func shutdown(within patience: Duration) async -> Int {
        await core.pool.drain(for: patience)
    }

    /// Creates a database, lends it, and shuts it down: for scripts and tests.
    ///
    /// - Parameters:
    ///   - configuration: Where the deployment is and how its clients behave.
    ///   - instrumentation: Receives what the database does.
    ///   - body: The work.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws, unwrapped; ``PersistenceError`` when the configuration is not usable.
    @discardableResult
    public static func with<Result>(
        _ configuration: Configuration, instrumentation: Instrumentation = .disabled,
        _ body: (MongoDatabase) async throws -> Result
    ) async throws -> Result {
        let database = try MongoDatabase(configuration: configuration, instrumentation: instrumentation)
        let result: Swift.Result<Result, any Error>
        do {
            result = .success(try await body(database))
        } catch {
            result = .failure(error)
        }
        await database.shutdown(within: configuration.shutdownTimeout)
        return try result.get()
    }
}
