import ArgumentParser
import Configuration
import Foundation
import PersistenceCore
import PersistenceMigrations
import PostgresEngine
import Synchronization
import UnixSignals

/// The options of every command that works on a folder of migrations.
struct FolderOptions: ParsableArguments {
    @Option(
        name: [.long, .customLong("path", withSingleDash: true)],
        help: ArgumentHelp("The folder of migration files (default: Migrations).", valueName: "folder"))
    var path: String?

    @Option(
        name: [.long, .customLong("source", withSingleDash: true)],
        help: ArgumentHelp("The same as --path, written file://folder.", valueName: "url"))
    var source: String?

    var folder: String { path ?? source.map { String($0.dropFirst("file://".count)) } ?? "Migrations" }

    func validate() throws {
        if let source, !source.hasPrefix("file://") {
            throw ValidationError("--source must begin with file://; files come from a folder.")
        }
        if path != nil, source != nil { throw ValidationError("--path and --source exclude each other.") }
        if folder.isEmpty { throw ValidationError("--path is empty.") }
    }
}

/// The options of every command that works on a database.
struct DatabaseOptions: ParsableArguments {
    @Option(
        name: [.long, .customLong("database", withSingleDash: true)],
        help: ArgumentHelp(
            "The database, as postgres://… with golang-migrate's x- parameters (default: $POSTGRES_URL).",
            discussion: "Other users of the machine can see a command line; prefer the variable for passwords.",
            valueName: "url"))
    var database: String?

    @Option(
        name: [.long, .customLong("lock-timeout", withSingleDash: true)],
        help: ArgumentHelp("How long to wait for another migrator.", valueName: "seconds"))
    var lockTimeout = 15

    @Option(help: ArgumentHelp("The schema to work in (default: the first of the search path).", valueName: "name"))
    var schema: String?

    @Option(help: ArgumentHelp("The version table (default: schema_migrations).", valueName: "name"))
    var table: String?

    @Option(help: ArgumentHelp("How long a statement may wait for a lock on a table.", valueName: "seconds"))
    var statementLockTimeout: Double?

    @Option(help: ArgumentHelp("How long a statement may run.", valueName: "seconds"))
    var statementTimeout: Double?

    @Flag(name: [.long, .customLong("verbose", withSingleDash: true)], help: "Tell more of what is done.")
    var verbose = false

    func validate() throws {
        if lockTimeout < 0 { throw ValidationError("--lock-timeout is negative.") }
        let limits = 0.001...2_000_000
        for (name, value) in [("lock-timeout", statementLockTimeout), ("timeout", statementTimeout)] {
            if let value, !limits.contains(value) {
                throw ValidationError("--statement-\(name) is not between 0.001 and 2000000 seconds.")
            }
        }
    }

    /// What the environment and the options say of the database.
    private func url() throws -> GolangMigrateURL {
        if let database { return try GolangMigrateURL(database) }
        let reader = ConfigReader(provider: EnvironmentVariablesProvider())
        guard let url = reader.string(forKey: "postgres.url", isSecret: true), !url.isEmpty else {
            throw ValidationError("No database is given: use --database, or set POSTGRES_URL.")
        }
        return try GolangMigrateURL(url)
    }

    /// Lends a migrator; an interrupt or a request to terminate cancels what it does.
    func withMigrator(
        _ source: MigrationSource, policy: MigrationPolicy = .init(), progress: Bool = false,
        _ body: @escaping @Sendable (Migrator) async throws -> Void
    ) async throws {
        let url = try url()
        var configuration = Migrator.Configuration(
            schema: schema, lockTimeout: .seconds(lockTimeout), policy: policy, applier: "persistence migrate")
        url.apply(to: &configuration)
        if let table { configuration.table = table }
        if let statementLockTimeout { configuration.statementLockTimeout = .seconds(statementLockTimeout) }
        if let statementTimeout { configuration.statementTimeout = .seconds(statementTimeout) }
        var connection = url.connection
        connection.applicationName = connection.applicationName ?? "persistence migrate"
        let observer = progress ? ProgressPrinter(isVerbose: verbose).print : nil
        try await cancelledBySignals { [connection, configuration] in
            let instrumentation = Instrumentation(observers: [ConnectFailurePrinter()])
            try await PostgresDatabase.with(connection, instrumentation: instrumentation) { database in
                try await body(
                    Migrator(
                        database: database, source: source, configuration: configuration, observer: observer))
            }
        }
    }
}

/// Runs `body` until it ends, or until the process is asked to stop, which cancels it.
private func cancelledBySignals(_ body: @escaping @Sendable () async throws -> Void) async throws {
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await body() }
        group.addTask {
            for await signal in signals {
                Terminal.error("\(signal): stopping")
                throw PersistenceError(.cancelled, "stopped by a signal")
            }
        }
        do {
            try await group.next()
            group.cancelAll()
        } catch let error as PersistenceError where error.code == .cancelled {
            // The work must end cleanly first, and knows best what its end means.
            group.cancelAll()
            while let result = await group.nextResult() {
                if case .failure(let detail) = result { throw detail }
            }
            throw error
        }
    }
}

/// How disagreements between files and database are taken.
struct PolicyOptions: ParsableArguments {
    @Flag(help: "Go on although files that are applied have changed.")
    var acceptChanged = false

    @Flag(help: "Go on although migrations that are applied have no file.")
    var acceptMissing = false

    @Flag(help: "Go on although the database is newer than the files.")
    var acceptAhead = false

    @Option(help: "What to do with files that are older than the schema and were never applied.")
    var outOfOrder = OutOfOrder.refuse

    enum OutOfOrder: String, ExpressibleByArgument, CaseIterable {
        case refuse, apply, ignore

        var policy: MigrationPolicy.OutOfOrder {
            switch self {
            case .refuse: .refuse
            case .apply: .apply
            case .ignore: .ignore
            }
        }
    }

    var policy: MigrationPolicy {
        MigrationPolicy(
            changed: acceptChanged ? .accept : .refuse, missing: acceptMissing ? .accept : .refuse,
            databaseAhead: acceptAhead ? .accept : .refuse, outOfOrder: outOfOrder.policy)
    }
}

/// Tells a person that the server cannot be reached yet, instead of trying again in silence.
final class ConnectFailurePrinter: InstrumentationObserver {
    private let hasPrinted = Atomic(false)

    func operationDidEnd(_ event: OperationEnd) {
        // What is not safe to try again is not tried again, and reported as the command's own failure.
        guard event.operation.kind == .connect, let error = event.error, error.retrySafety == .safe,
            !hasPrinted.exchange(true, ordering: .relaxed)
        else { return }
        Terminal.error("trying again: \(error.summary)")
    }
}

/// Tells a person what a migrator does.
struct ProgressPrinter {
    let isVerbose: Bool

    @Sendable func print(_ event: MigrationEvent) {
        switch event {
        case .waitingForLock: Terminal.error("waiting for another migrator to finish")
        case .started(let step, let number, let count):
            if isVerbose { Terminal.error("\(number)/\(count) \(step.script.file.path)") }
        case .progressed(_, let statement, let count):
            if isVerbose { Terminal.error("    statement \(statement) of \(count)") }
        case .finished(let step, let duration):
            Terminal.print(
                "\(step.migration.version)/\(step.direction) \(step.migration.title) (\(Terminal.text(of: duration)))")
        default: break
        }
    }
}
