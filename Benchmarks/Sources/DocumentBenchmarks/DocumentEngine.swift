import BSON
import BenchmarkSupport
import CMeasuring
import MongoEngine
import PersistenceCore

/// What one task does: sets itself up, then runs its loop.
typealias Work = @Sendable (MongoDatabase, _ worker: Int, inout Loop) async throws -> Void

/// The Swift side: as many tasks as the baseline has threads, and as many clients.
struct DocumentEngine: Sendable {
    let configuration: MongoConfiguration
    let tasks: Int
    /// How many operations warm each task up, as in C.
    let warmUp: Int

    init(place: Place, tasks: Int, warmUp: Int) throws {
        var configuration = try MongoConfiguration(uri: place.url)
        configuration.database = place.database
        configuration.pool = MongoPoolConfiguration(maximum: tasks)
        self.configuration = configuration
        self.tasks = tasks
        self.warmUp = warmUp
    }

    @concurrent
    func run(seconds: Double, onExecutor: Bool, _ work: @escaping Work) async throws -> Sample {
        try await MongoDatabase.with(configuration) { database in
            // As long as it takes until every client is connected, as in C: logging in costs more than many operations.
            for _ in 0..<100 where database.statistics.connections < tasks {
                _ = try await repeating(
                    work, on: database, onExecutor: onExecutor, until: .infinity, limit: warmUp)
            }
            let cpu = baseline_cpu()
            let started = baseline_now()
            let (operations, latencies) = try await repeating(
                work, on: database, onExecutor: onExecutor, until: started + seconds, limit: .max)
            return Sample(
                operations: operations, wall: baseline_now() - started, cpu: baseline_cpu() - cpu,
                latencies: latencies)
        }
    }

    @concurrent
    private func repeating(
        _ work: @escaping Work, on database: MongoDatabase, onExecutor: Bool, until end: Double, limit: Int
    ) async throws -> (UInt64, histogram) {
        try await withThrowingTaskGroup(of: Loop.self) { group in
            for worker in 0..<tasks {
                group.addTask(executorPreference: onExecutor ? database.executor : nil) {
                    var loop = Loop(worker: worker + 1, rows: Place.documents, until: end, limit: limit)
                    try await work(database, worker, &loop)
                    return loop
                }
            }
            var operations: UInt64 = 0
            var latencies = histogram()
            for try await loop in group {
                operations += loop.operations
                withUnsafePointer(to: loop.latencies) { histogram_add(&latencies, $0) }
            }
            return (operations, latencies)
        }
    }
}
