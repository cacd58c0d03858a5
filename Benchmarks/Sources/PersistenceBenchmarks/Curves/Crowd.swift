import BenchmarkSupport
import CBaseline
import PersistenceCore
import PostgresEngine

/// Many tasks on 16 connections, each with the same share of the work.
struct Crowd: Sendable {
    struct Result {
        var operationsPerSecond: Double
        /// The time until the last task had done its share, of the time until half of them had.
        var slowestOfMedian: Double
    }

    private static let connections = 16

    private let configuration: PostgresConfiguration
    private let tasks: Int

    init(url: String, tasks: Int) throws {
        var configuration = try PostgresConfiguration(uri: url)
        configuration.pool = PostgresPoolConfiguration(minimum: Self.connections, maximum: Self.connections)
        self.configuration = configuration
        self.tasks = tasks
    }

    @concurrent
    func run(onExecutor: Bool) async throws -> Result {
        try await PostgresDatabase.with(configuration) { database in
            // Everybody's connection is open and prepared before the clock starts.
            _ = try await work(on: database, tasks: Self.connections * 4, share: 100, onExecutor: onExecutor)
            let share = max(3, (tasks == 1 ? 5_000 : 30_000) / tasks)
            let started = baseline_now()
            let ends = try await work(on: database, tasks: tasks, share: share, onExecutor: onExecutor)
            let wall = baseline_now() - started
            let times = ends.map { $0 - started }
            return Result(
                operationsPerSecond: Double(tasks * share) / wall,
                slowestOfMedian: (times.max() ?? 0) / median(times))
        }
    }

    /// Runs the tasks and returns when each has ended.
    private func work(
        on database: PostgresDatabase, tasks: Int, share: Int, onExecutor: Bool
    ) async throws -> [Double] {
        try await withThrowingTaskGroup(of: Double.self) { group in
            for task in 1...tasks {
                group.addTask(executorPreference: onExecutor ? database.executor : nil) {
                    var loop = Loop(worker: task, rows: Schema.rows, until: .infinity, limit: share)
                    try await loop.run { id in
                        guard try await database.run(GetItem(id: id))?.id == id else {
                            throw Failure(description: "row \(id) is missing")
                        }
                    }
                    return baseline_now()
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }
}
