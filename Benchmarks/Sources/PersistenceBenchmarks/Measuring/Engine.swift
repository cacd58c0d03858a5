import BenchmarkSupport
import CBaseline
import PersistenceCore
import PostgresEngine

/// What a worker's operations run on.
struct Client: Sendable {
    var database: PostgresDatabase
    /// Only where a workload asks for shared connections.
    var reader: PostgresSharedReader?
}

/// What one task does: sets itself up, then runs its loop.
typealias Work = @Sendable (Client, inout Loop) async throws -> Void

/// The Swift side: as many tasks as the baseline has threads, and as many connections.
struct Engine: Sendable {
    private static let warmUp = 50

    private let configuration: PostgresConfiguration
    private let tasks: Int
    private let sharedConnections: Int?
    private let instrumentation: Instrumentation

    /// With `sharedConnections`, the tasks share as many in pipelines; otherwise there is one for each in the pool.
    init(
        url: String, tasks: Int, sharedConnections: Int? = nil, instrumentation: Instrumentation = .disabled
    ) throws {
        var configuration = try PostgresConfiguration(uri: url)
        let connections = sharedConnections == nil ? tasks : 1
        configuration.pool = PostgresPoolConfiguration(minimum: connections, maximum: connections)
        self.configuration = configuration
        self.tasks = tasks
        self.sharedConnections = sharedConnections
        self.instrumentation = instrumentation
    }

    /// A sample with connections of its own, as the baseline's are.
    @concurrent
    func run(seconds: Double, onExecutor: Bool, _ work: @escaping Work) async throws -> Sample {
        try await PostgresDatabase.with(configuration, instrumentation: instrumentation) { database in
            let reader = try sharedConnections.map { try database.sharedReader(connections: $0) }
            defer { reader?.close() }
            let client = Client(database: database, reader: reader)
            // As in C, everybody is connected, prepared and warm before the clock starts.
            try await connectAll(database)
            _ = try await repeating(work, on: client, onExecutor: onExecutor, until: .infinity, limit: Self.warmUp)
            let cpu = baseline_cpu()
            let started = baseline_now()
            let (operations, latencies) = try await repeating(
                work, on: client, onExecutor: onExecutor, until: started + seconds, limit: .max)
            return Sample(
                operations: operations, wall: baseline_now() - started, cpu: baseline_cpu() - cpu,
                latencies: latencies)
        }
    }

    /// One operation, timed alone, on a connection that is open already.
    @concurrent
    func time(_ operation: @Sendable (PostgresDatabase) async throws -> Void) async throws -> Sample {
        try await PostgresDatabase.with(configuration, instrumentation: instrumentation) { database in
            try await connectAll(database)
            let cpu = baseline_cpu()
            let started = baseline_now()
            try await operation(database)
            let wall = baseline_now() - started
            return Sample(
                operationsPerSecond: 1 / wall, median: wall, ninetyNinth: wall, cpuPerOperation: baseline_cpu() - cpu)
        }
    }

    /// Opens every connection: one borrowed after the other, and given back together.
    private func connectAll(_ database: PostgresDatabase) async throws {
        let count = configuration.pool.maximum
        let borrowed = Barrier(count: count)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<count {
                group.addTask {
                    do {
                        try await database.withConnection { _ in await borrowed.wait() }
                    } catch {
                        borrowed.open()
                        throw error
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @concurrent
    private func repeating(
        _ work: @escaping Work, on client: Client, onExecutor: Bool, until end: Double, limit: Int
    ) async throws -> (UInt64, histogram) {
        try await withThrowingTaskGroup(of: Loop.self) { group in
            for worker in 1...tasks {
                group.addTask(executorPreference: onExecutor ? client.database.executor : nil) {
                    var loop = Loop(worker: worker, rows: Schema.rows, until: end, limit: limit)
                    try await work(client, &loop)
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
