import ArgumentParser
import Configuration
import Foundation
import InMemoryTracing
import Logging
import MongoEngine
import PersistenceCore
import PersistenceMongo
import PostgresEngine
import ServiceLifecycle
import UnixSignals

/// The command line: reads arguments and configuration, and runs the service in a group with its database.
@main
struct MarketplaceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "marketplace",
        abstract: "Signs users up, gives them workspaces, and shows what the database layer does on the way.",
        discussion: """
            The database is given by POSTGRES_URL (postgres://user:password@host:port/database), or by POSTGRES_HOST, \
            POSTGRES_USER and so on; with --jobs, the one for documents is given by MONGO_URL, or by MONGO_HOST and so \
            on. Run it as often as you like: whoever has signed up before is left alone, and what is stored stays as it is.
            """
    )

    @Argument(help: "A CSV file with the columns email and name.", completion: .file(extensions: ["csv"]))
    var users: String

    @Option(
        help: "A JSON Lines file with the activities, executions and events of jobs.",
        completion: .file(extensions: ["jsonl"]))
    var jobs: String?

    @Option(help: "The folder with the migrations of the library's tables.")
    var migrations = Self.libraryMigrations

    @Option(help: "How many users are signed up in one round trip.")
    var batchSize = 500

    @Option(help: "How many workspaces are created.")
    var workspaces = 25

    func validate() throws {
        guard FileManager.default.isReadableFile(atPath: users) else {
            throw ValidationError("there is no file at \(users) that can be read")
        }
        if let jobs, !FileManager.default.isReadableFile(atPath: jobs) {
            throw ValidationError("there is no file at \(jobs) that can be read")
        }
        guard (1...10_000).contains(batchSize) else {
            throw ValidationError("--batch-size must be from 1 to 10000")
        }
        guard (0...200).contains(workspaces) else {
            throw ValidationError("--workspaces must be from 0 to 200")
        }
    }

    func run() async throws {
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        var logger = Logger(label: "marketplace")
        logger.logLevel = .warning

        // A real service gives a tracer that exports. This one keeps its spans, to print some at the end.
        let tracer = InMemoryTracer()
        let config = ConfigReader(provider: EnvironmentVariablesProvider())
        let database = try PostgresDatabase(
            configuration: PostgresConfiguration(config: config.scoped(to: "postgres")),
            instrumentation: Instrumentation(tracer: tracer, logger: logger)
        )
        let mongo = try jobs.map { _ in
            try MongoDatabase(
                configuration: MongoConfiguration(config: config.scoped(to: "mongo")),
                instrumentation: Instrumentation(tracer: tracer, logger: logger))
        }
        // Without documents the service still signs users up: their database is not critical.
        let documents: [any HealthCheck & Service] = [mongo].compactMap(\.self)
        let health = try HealthMonitor(critical: [database], optional: documents, logger: logger)
        let marketplace = Marketplace(
            database: database,
            documents: mongo.map { MongoDocumentStore($0) },
            health: health,
            tracer: tracer,
            plan: Marketplace.Plan(
                users: users, jobs: jobs, migrations: migrations, batchSize: batchSize, workspaces: workspaces)
        )

        // The group shuts down in the opposite order: the service ends before its database closes. Ctrl-C does the same.
        let databases: [any Service] = [database] + documents + [health]
        let services =
            databases.map { ServiceGroupConfiguration.ServiceConfiguration(service: $0) } + [
                ServiceGroupConfiguration.ServiceConfiguration(
                    service: marketplace,
                    successTerminationBehavior: .gracefullyShutdownGroup,
                    failureTerminationBehavior: .gracefullyShutdownGroup
                )
            ]
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services,
                gracefulShutdownSignals: [.sigint, .sigterm],
                logger: logger
            )
        )
        try await group.run()
    }

    /// The library's own folder, beside the example; a service of your own has one of its own.
    private static var libraryMigrations: String {
        URL(filePath: #filePath).appending(path: "../../../../../Migrations").standardizedFileURL.path()
    }
}
