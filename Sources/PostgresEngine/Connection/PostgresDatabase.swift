public import Configuration
public import PersistenceCore

/// A PostgreSQL database: a pool of connections, and everything that runs on them.
///
/// ```swift
/// let database = try PostgresDatabase(configuration: PostgresConfiguration(uri: "postgres://app@localhost/app"))
/// let group = ServiceGroup(services: [database], logger: logger)
/// try await group.run()
/// ```
public final class PostgresDatabase: PostgresExecutor, Sendable {
    /// Where the server is and how connections behave.
    public typealias Configuration = PostgresConfiguration

    let context: EngineContext
    let pool: PostgresPool
    let connector: PostgresConnector
    let shutdownTimeout: Duration
    /// Whether somebody hears of every use of the pool, however short.
    private let reportsEveryAcquire: Bool
    let reactorUse: ReactorUse
    let subscriptions = NotificationSubscriptions()

    /// Creates a database; connections are opened when they are needed, or by `run()`.
    ///
    /// - Parameters:
    ///   - configuration: Where the server is and how connections behave.
    ///   - instrumentation: Receives what the database does.
    ///   - hooks: What the service does with connections on their way into and out of the pool.
    ///   - reactor: A reactor to share with other databases; without one the database starts its own.
    /// - Throws: ``PersistenceError``: `configuration` with every fault, or `resourceExhausted` when no thread is left.
    public init(
        configuration: Configuration, instrumentation: Instrumentation = .disabled,
        hooks: PostgresPoolHooks = PostgresPoolHooks(), reactor: PostgresReactor? = nil
    ) throws(PersistenceError) {
        try configuration.validate()
        let executor = if let reactor { reactor } else { try PostgresReactor() }
        reactorUse = ReactorUse(of: executor, isOwner: reactor == nil)
        context = EngineContext(configuration: configuration, instrumentation: instrumentation)
        reportsEveryAcquire = instrumentation.reportsInstantOperations
        connector = PostgresConnector(configuration: configuration, context: context, reactorUse: reactorUse)
        pool = PostgresPool(
            configuration: configuration.pool, connector: connector, context: context,
            hooks: hooks.sessionHooks(context: context))
        shutdownTimeout = configuration.shutdownTimeout
    }

    /// Creates a database from a configuration reader.
    ///
    /// The keys are those of ``PostgresConfiguration/init(config:)``.
    ///
    /// - Parameters:
    ///   - config: The reader, scoped to the database's keys: `config.scoped(to: "postgres")`.
    ///   - instrumentation: Receives what the database does.
    /// - Throws: ``PersistenceError``: `configuration` with every fault, or `resourceExhausted` when no thread is left.
    public convenience init(
        config: ConfigReader, instrumentation: Instrumentation = .disabled
    ) throws(PersistenceError) {
        try self.init(configuration: PostgresConfiguration(config: config), instrumentation: instrumentation)
    }

    /// The pool's numbers, taken at one moment.
    public var statistics: PostgresPoolStatistics { pool.statistics }

    /// The reactor that serves the database's connections, for tasks that want to run beside them.
    public var executor: PostgresReactor { reactorUse.reactor }

    /// Lends a connection of the pool for one operation.
    public func lease() async throws(PersistenceError) -> PostgresLease {
        if let ready = leaseIfReady() { return ready }
        let span = context.instrumentation.begin(DatabaseOperation(.acquire, on: context.target))
        do throws(PersistenceError) {
            let session = try await pool.acquire()
            span?.end()
            return PostgresLease(borrowed: .passUnretained(session), from: pool)
        } catch {
            span?.end(throwing: error)
            throw error
        }
    }

    /// Lends a connection of the pool that is ready, when nobody listens to what takes no time.
    public func leaseIfReady() -> PostgresLease? {
        guard !reportsEveryAcquire, let session = pool.borrowIfReady() else { return nil }
        return PostgresLease(borrowed: session, from: pool)
    }

    /// Lends a connection of the pool.
    ///
    /// - Parameter body: The work.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws, unwrapped; ``PersistenceError`` when no connection can be had.
    @discardableResult
    public func withConnection<Result>(
        _ body: (PostgresConnection) async throws -> Result
    ) async throws -> Result {
        let lease = try await lease()
        let connection = PostgresConnection(session: lease.session, context: context)
        defer { connection.finish() }
        return try await body(connection)
    }

    /// Runs `body` in a transaction on a connection of the pool.
    ///
    /// The closure stays in the caller's isolation. BEGIN travels with the first statement; COMMIT follows when the closure
    /// returns, ROLLBACK when it throws.
    ///
    /// - Parameters:
    ///   - options: Isolation, access, timeouts, settings and retry policy.
    ///   - body: The work; it may run more than once when the options have a retry policy.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws, unwrapped, after ROLLBACK; ``PersistenceError`` when no connection can be had or when
    ///   COMMIT fails: `transactionAborted` when an error that the body swallowed had ended the transaction,
    ///   `commitUnknown` when the connection was lost around COMMIT.
    @discardableResult
    public func withTransaction<Result>(
        _ options: PostgresTransactionOptions = PostgresTransactionOptions(),
        _ body: (PostgresTransaction) async throws -> Result
    ) async throws -> Result {
        try await options.retrying { () async throws -> Result in
            let lease = try await lease()
            return try await TransactionRunner(session: lease.session, context: context).run(options, body)
        }
    }
}
