import InMemoryTracing
import PersistenceCore
import PersistenceMigrations
import PersistenceMongo
import PostgresEngine
import ServiceLifecycle

/// The service: a tour through what a marketplace does with its databases, one step after the other.
struct Marketplace: Service {
    /// What to do.
    struct Plan {
        /// The path of the CSV file.
        var users: String
        /// The path of the JSON Lines file with what happened in jobs, if any.
        var jobs: String?
        /// The path of the folder with the migrations.
        var migrations: String
        /// How many users are signed up in one round trip.
        var batchSize: Int
        /// How many workspaces are created.
        var workspaces: Int
    }

    let database: PostgresDatabase
    /// The documents of workspaces and jobs, when there is a file with such.
    let documents: MongoDocumentStore?
    let health: HealthMonitor
    let tracer: InMemoryTracer
    let plan: Plan

    func run() async throws {
        do {
            // Ctrl-C cancels the statement that is running. What was signed up stays; the next run goes on from there.
            try await cancelWhenGracefulShutdown {
                try await migrate()
                try await signUp()
                try await createWorkspaces()
                try await showRefusals()
                try await list()
                try await storeJobs()
                try await trace()
                await report()
            }
        } catch let error as PersistenceError where error.code == .cancelled {
            Console.line("stopped")
        }
    }

    /// Brings the tables up to date; of several instances that start at once, one does, and the others wait.
    private func migrate() async throws {
        Console.step("Migrate")
        let migrator = Migrator(database: database, source: .directory(plan.migrations))
        let report = try await migrator.up()
        for migration in report.applied {
            Console.line("applied \(migration.version) \(migration.title) in \(migration.duration.milliseconds)")
        }
        Console.line(
            report.isUnchanged ? "nothing to do, version \(report.current)" : "now at version \(report.current)")
    }
}
