public import BSON
public import Configuration
public import PersistenceCore

/// A MongoDB database: one client for the whole process, and everything that runs on it.
///
/// ```swift
/// let database = try MongoDatabase(configuration: MongoConfiguration(uri: "mongodb://app@localhost/app"))
/// let group = ServiceGroup(services: [database], logger: logger)
/// try await group.run()
/// ```
///
/// Calls into the driver block, so they run on threads of the database's own, as many as there are clients. A waiting
/// caller costs no thread.
public final class MongoDatabase: Sendable {
    /// Where the deployment is and how its clients behave.
    public typealias Configuration = MongoConfiguration

    let core: MongoCore

    /// Creates a database; connections are opened when they are needed.
    ///
    /// - Parameters:
    ///   - configuration: Where the deployment is and how its clients behave.
    ///   - instrumentation: Receives what the database does. Its logger gets the C library's log as well; that log
    ///     exists once in a process, so the database made last decides.
    /// - Throws: ``PersistenceError``: `configuration` with every fault.
    public init(
        configuration: Configuration, instrumentation: Instrumentation = .disabled
    ) throws(PersistenceError) {
        try configuration.validate()
        core = try MongoCore(configuration: configuration, instrumentation: instrumentation)
    }

    /// Creates a database from a configuration reader.
    ///
    /// The keys are those of ``MongoConfiguration/init(config:)``.
    ///
    /// - Parameters:
    ///   - config: The reader, scoped to the database's keys: `config.scoped(to: "mongo")`.
    ///   - instrumentation: Receives what the database does.
    /// - Throws: ``PersistenceError``: `configuration` with every fault.
    public convenience init(
        config: ConfigReader, instrumentation: Instrumentation = .disabled
    ) throws(PersistenceError) {
        try self.init(configuration: MongoConfiguration(config: config), instrumentation: instrumentation)
    }

    /// The database's name.
    public var databaseName: String { core.configuration.database }

    /// The pool's numbers, taken at one moment.
    public var statistics: MongoPoolStatistics { core.pool.statistics }

    /// What the driver knows about the servers; nothing before the first operation.
    public var topology: MongoTopology { core.monitor.topology }

    /// A collection whose documents are decoded into a type.
    ///
    /// Nothing is sent, and the collection need not exist.
    ///
    /// - Parameters:
    ///   - name: The collection's name.
    ///   - type: The type of its documents.
    /// - Returns: The collection.
    /// - Throws: ``PersistenceError`` with the code `invalidArgument` when MongoDB has no collections of such a name.
    public func collection<Element: Codable & Sendable>(
        _ name: String, of type: Element.Type
    ) throws(PersistenceError) -> MongoCollection<Element> {
        try MongoCollection(name: name, core: core, session: nil)
    }

    /// A collection of documents as they are.
    ///
    /// - Parameter name: The collection's name.
    /// - Returns: The collection.
    /// - Throws: ``PersistenceError`` with the code `invalidArgument` when MongoDB has no collections of such a name.
    public func collection(_ name: String) throws(PersistenceError) -> MongoCollection<Document> {
        try MongoCollection(name: name, core: core, session: nil)
    }

    /// The threads that run the driver's calls, for tasks that want to run beside them.
    ///
    /// A task on them goes on in the thread in which its answer came in, without a switch of threads: operations take half
    /// the processor time.
    ///
    /// ```swift
    /// let statistics = database.statistics
    /// await withTaskExecutorPreference(database.executor) {
    ///     // Operations made here take no hop to another thread.
    ///     _ = statistics
    /// }
    /// ```
    public var executor: any TaskExecutor { core.pool.workers }

    /// Asks a server for a sign of life.
    ///
    /// - Throws: ``PersistenceError`` when no client can be had or no server answers in time.
    public func ping() async throws(PersistenceError) {
        _ = try await core.run(MongoOperation("ping")) { call in
            call.command(["ping": 1], .plain)
        }
    }

    /// Runs a command that the engine has no function for.
    ///
    /// Build it out of values: a text that came from a user belongs into a value, never into a key.
    ///
    /// - Parameters:
    ///   - command: The command; its first key is its name.
    ///   - database: The database to run it on, such as `admin`; without one, this one.
    ///   - isWrite: Whether it changes something: a lost connection then leaves its outcome open.
    /// - Returns: The reply.
    /// - Throws: ``PersistenceError``: `invalidArgument` for an empty command; what the server answers.
    public func runCommand(
        _ command: Document, on database: String? = nil, isWrite: Bool = false
    ) async throws(PersistenceError) -> Document {
        try await core.runCommand(command, on: database, isWrite: isWrite, session: nil)
    }
}

extension MongoCore {
    func runCommand(
        _ command: Document, on database: String?, isWrite: Bool, session: SessionScope?
    ) async throws(PersistenceError) -> Document {
        guard let name = command.keys.first, !name.isEmpty else {
            throw PersistenceError(.invalidArgument, "a command must have a name")
        }
        if let database, let reason = MongoNamespace.faultInDatabase(database) {
            throw PersistenceError(.invalidArgument, "the database's name \(reason)")
        }
        try command.requireWellFormed()
        return try await run(MongoOperation(name, isWrite: isWrite), session: session) { call in
            // A limit of the caller's own stands.
            call.command(command, on: database, .plain, limitsTime: !command.contains(key: "maxTimeMS"))
        }
    }
}
