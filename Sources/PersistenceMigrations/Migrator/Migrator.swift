import Logging
public import PersistenceCore
public import PostgresEngine

/// Brings a database's schema to the version that a program needs, and back.
///
/// At the start of a service:
///
/// ```swift
/// try await Migrator(database: database, source: .directory("Migrations")).up()
/// ```
///
/// Any number of instances may start at once: one applies the migrations, the others wait for it and find nothing to do.
/// Files, version table and semantics are golang-migrate's, so that either tool can go on where the other has stopped.
///
/// The lock belongs to a session, so that the database must be reached directly or through a pooler in session mode.
public struct Migrator: Sendable {
    let database: PostgresDatabase
    let source: MigrationSource
    let configuration: Configuration
    let observer: (@Sendable (MigrationEvent) -> Void)?

    /// Creates a migrator; nothing is read or connected to.
    ///
    /// - Parameters:
    ///   - database: The database; one of its connections is used at a time.
    ///   - source: Where the files are.
    ///   - configuration: How to work.
    ///   - observer: Told what happens, on the task that runs the command; it must not block.
    public init(
        database: PostgresDatabase, source: MigrationSource, configuration: Configuration = Configuration(),
        observer: (@Sendable (MigrationEvent) -> Void)? = nil
    ) {
        self.database = database
        self.source = source
        self.configuration = configuration
        self.observer = observer
    }

    /// Applies all pending migrations, or the first few.
    ///
    /// When nothing is pending, no lock is taken, so that a restart of a service does not wait for a migration elsewhere.
    ///
    /// - Parameter limit: How many migrations at most; fewer than these leave a ``MigrationReport/shortfall``.
    /// - Returns: What has changed.
    /// - Throws: ``PersistenceError`` with the code `migration` when the plan is refused (see ``MigrationPlan``), or a
    ///   file fails: then with `file:line:column` as its location, the server's error as its underlying error, and
    ///   nothing of the file applied if it ran in a transaction; `timeout` when another migrator does not finish in
    ///   time; `commitUnknown` when the connection is lost while a file is committed; `cancelled`; and any error of
    ///   connecting.
    @discardableResult
    public func up(limit: Int? = nil) async throws(PersistenceError) -> MigrationReport {
        try await run(.up(limit: limit))
    }

    /// Takes back all applied migrations, or the last few.
    ///
    /// - Parameter limit: How many migrations at most; `nil` takes back everything.
    /// - Returns: What has changed.
    /// - Throws: ``PersistenceError`` as ``up(limit:)`` does.
    @discardableResult
    public func down(limit: Int?) async throws(PersistenceError) -> MigrationReport {
        try await run(.down(limit: limit))
    }

    /// Goes to a version, up or down.
    ///
    /// - Parameter version: The version of one of the files.
    /// - Returns: What has changed.
    /// - Throws: ``PersistenceError`` as ``up(limit:)`` does.
    @discardableResult
    public func goto(_ version: Int64) async throws(PersistenceError) -> MigrationReport {
        try await run(.goto(version))
    }

    /// Declares that the schema has a version, and runs nothing.
    ///
    /// After a migration outside a transaction was cut short, repair the schema by hand, then force the version that it
    /// has. The ledger takes every file up to that version as applied in its present form, so that forcing the current
    /// version accepts changed and missing files.
    ///
    /// - Parameter version: The version; `nil` is none. It need not be the version of a file, as with golang-migrate.
    /// - Returns: The version before.
    /// - Throws: ``PersistenceError`` with the code `invalidArgument` for a negative version, and as ``up(limit:)`` does.
    @discardableResult
    public func force(_ version: Int64?) async throws(PersistenceError) -> SchemaVersion {
        if let version, version < 0 {
            throw PersistenceError(.invalidArgument, "a version is not negative; none is nil", operation: "migrate")
        }
        let migrations = try source.load()
        return try await withSession { session in
            try await session.withLock(timeout: configuration.lockTimeout, observer: observer) {
                try await session.prepareTables()
                let before = try await session.version()
                let ledger = try await session.ledger()
                let checksums = try await session.checksums(of: migrations.migrations)
                let target = SchemaVersion(version)
                let reconciliation = MigrationReconciliation(
                    forcing: target, migrations, ledger: ledger, checksums: checksums)
                try await session.inTransaction { executor in
                    try await session.setVersion(target, on: executor)
                    try await session.record(reconciliation, checksums: checksums, on: executor)
                }
                return before
            }
        }
    }

    /// Reads the schema's version.
    ///
    /// - Returns: The version; none when the version table does not exist.
    /// - Throws: ``PersistenceError`` when the database cannot be read, or holds a table of that name of another kind.
    public func version() async throws(PersistenceError) -> SchemaVersion {
        try await withSession { try await $0.version() }
    }

    /// Compares the database with the files, and changes nothing.
    ///
    /// A migration that another migrator runs outside a transaction at this moment shows as dirty.
    ///
    /// - Returns: Where every migration stands.
    /// - Throws: ``PersistenceError`` when the files or the database cannot be read.
    public func status() async throws(PersistenceError) -> MigrationStatus {
        let migrations = try source.load()
        return try await withSession { try await $0.status(of: migrations).status }
    }

    /// Compares the database with the files, and takes every file apart; changes nothing.
    ///
    /// - Returns: The status; ``MigrationStatus/findings`` holds a line for each file that cannot be taken apart, too.
    /// - Throws: ``PersistenceError`` when the files or the database cannot be read. A disagreement is a finding, not an
    ///   error.
    public func verify() async throws(PersistenceError) -> MigrationStatus {
        let migrations = try source.load()
        var findings: [MigrationStatus.Finding] = []
        for migration in migrations.migrations {
            for file in [migration.up, migration.down] {
                guard let file else { continue }
                do throws(PersistenceError) {
                    _ = try MigrationScript(file)
                } catch {
                    findings.append(
                        MigrationStatus.Finding(
                            kind: .invalid, version: migration.version, description: error.summary))
                }
            }
        }
        return try await withSession { try await $0.status(of: migrations).status }.adding(findings)
    }

    /// Tells what a command would change, and changes nothing.
    ///
    /// - Parameter command: The command.
    /// - Returns: The plan.
    /// - Throws: ``PersistenceError`` when the command would be refused, or when the files or the database cannot be read.
    public func plan(_ command: MigrationPlan.Command) async throws(PersistenceError) -> MigrationPlan {
        let migrations = try source.load()
        let policy = configuration.policy
        return try await withSession { session in
            try MigrationPlan(
                command, migrations, status: try await session.status(of: migrations).status, policy: policy)
        }
    }

    /// Drops everything in the schema: tables with the migrator's own, views, sequences, functions and types.
    ///
    /// What belongs to an extension stays, and so does the schema itself. Everything goes in one transaction, or nothing.
    /// golang-migrate drops tables alone, and leaves types and functions that stand in the next `up`'s way.
    ///
    /// - Returns: How many objects were dropped by name; others went with them.
    /// - Throws: ``PersistenceError`` as ``up(limit:)`` does.
    @discardableResult
    public func drop() async throws(PersistenceError) -> Int {
        try await withSession { session in
            try await session.withLock(timeout: configuration.lockTimeout, observer: observer) {
                try await session.dropSchemaContents()
            }
        }
    }
}

extension Migrator {
    /// Lends a session, and makes every error a `PersistenceError`.
    func withSession<Result>(
        _ body: (MigrationSession) async throws -> Result
    ) async throws(PersistenceError) -> Result {
        try configuration.validate()
        do {
            return try await database.withConnection { connection in
                try await body(try await MigrationSession(connection, configuration))
            }
        } catch let error as PersistenceError {
            throw error.with { $0.operation = $0.operation ?? "migrate" }
        } catch is CancellationError {
            throw PersistenceError(.cancelled, operation: "migrate")
        } catch {
            throw PersistenceError(.internal, operation: "migrate").with { $0.underlying = error }
        }
    }

    private func run(_ command: MigrationPlan.Command) async throws(PersistenceError) -> MigrationReport {
        let migrations = try source.load()
        return try await withSession { session in
            if let report = try await reportOfNothing(command, migrations, session) { return report }
            return try await session.withLock(timeout: configuration.lockTimeout, observer: observer) {
                try await run(command, migrations, session)
            }
        }
    }

    /// The report when there is nothing to do, which can be seen without the lock.
    ///
    /// A database that looks dirty may be one that another migrator is working on; only with the lock is that known.
    private func reportOfNothing(
        _ command: MigrationPlan.Command, _ migrations: MigrationSet, _ session: MigrationSession
    ) async throws -> MigrationReport? {
        let (status, ledger) = try await session.status(of: migrations)
        guard !status.current.isDirty else { return nil }
        // Files that a migrator is applying at this moment may look out of order here, so a refusal is no answer yet.
        guard let plan = try? MigrationPlan(command, migrations, status: status, policy: configuration.policy) else {
            return nil
        }
        guard plan.steps.isEmpty else { return nil }
        let reconciliation = MigrationReconciliation(migrations, status: status, ledger: ledger)
        guard reconciliation.isEmpty else { return nil }
        return MigrationReport(
            applied: [], current: status.current, shortfall: plan.shortfall, accepted: plan.accepted)
    }

    private func run(
        _ command: MigrationPlan.Command, _ migrations: MigrationSet, _ session: MigrationSession
    ) async throws -> MigrationReport {
        let (status, ledger) = try await session.status(of: migrations)
        let plan = try MigrationPlan(command, migrations, status: status, policy: configuration.policy)
        let reconciliation = MigrationReconciliation(migrations, status: status, ledger: ledger)
        let recorded = reconciliation.adopted + plan.steps.map(\.migration)
        let checksums = try await session.checksums(of: recorded)
        do {
            try await session.prepareTables()
            try await session.inTransaction { executor in
                try await session.record(reconciliation, checksums: checksums, on: executor)
            }
        } catch let error as PersistenceError where plan.steps.isEmpty && error.isRefusedWrite {
            // A program that may only read can still see that its schema is up to date.
            database.instrumentation.logger?.notice(
                "The migration ledger cannot be written", metadata: ["error": "\(error)"])
        }
        var run = MigrationRun(
            session: session, configuration: configuration, checksums: checksums,
            instrumentation: database.instrumentation, target: database.instrumentationTarget, observer: observer)
        for (index, step) in plan.steps.enumerated() {
            try await run.perform(step, number: index + 1, of: plan.steps.count)
        }
        return MigrationReport(
            applied: run.applied, current: SchemaVersion(plan.target), shortfall: plan.shortfall,
            accepted: plan.accepted)
    }
}

extension PersistenceError {
    var isRefusedWrite: Bool { code == .permission || code == .readOnly }
}
