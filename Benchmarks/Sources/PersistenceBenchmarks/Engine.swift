import CBaseline
import PersistenceCore
import PostgresEngine

/// The Swift side: as many tasks as the baseline has threads, and as many connections.
struct Engine: Sendable {
    private static let warmUp = 50

    private let configuration: PostgresConfiguration

    init(url: String, connections: Int) throws {
        var configuration = try PostgresConfiguration(uri: url)
        configuration.pool = PostgresPoolConfiguration(minimum: connections, maximum: connections)
        self.configuration = configuration
    }

    /// A sample with connections of its own, as the baseline's are.
    @concurrent
    func run(_ test: Case, seconds: Double, onExecutor: Bool) async throws -> Sample {
        try await PostgresDatabase.with(configuration) { database in
            // As in C, everybody is connected, prepared and warm before the clock starts.
            _ = try await work(test, on: database, onExecutor: onExecutor, until: .infinity, limit: Self.warmUp)
            let cpu = baseline_cpu()
            let started = baseline_now()
            let (operations, latencies) = try await work(
                test, on: database, onExecutor: onExecutor, until: started + seconds, limit: .max)
            return Sample(
                operations: operations, wall: baseline_now() - started, cpu: baseline_cpu() - cpu,
                latencies: latencies)
        }
    }

    @concurrent
    private func work(
        _ test: Case, on database: PostgresDatabase, onExecutor: Bool, until end: Double, limit: Int
    ) async throws -> (UInt64, histogram) {
        try await withThrowingTaskGroup(of: (UInt64, histogram).self) { group in
            for worker in 1...test.connections {
                let seed = 0x9E37_79B9_7F4A_7C15 &* UInt64(worker)
                group.addTask(executorPreference: onExecutor ? database.executor : nil) {
                    switch test.workload {
                    case .readOne:
                        try await repeating(seed: seed, until: end, limit: limit) { id in
                            guard let item = try await database.run(GetItem(id: id)), item.id == id else {
                                throw Failure(description: "row \(id) is missing")
                            }
                        }
                    case .pipelinedTransaction:
                        try await repeating(seed: seed, until: end, limit: limit) { id in
                            try await database.withTransaction { transaction in
                                _ = try await transaction.run(LockAccount(id: id))
                                let (changed, _) = try await transaction.pipeline(
                                    ChangeBalance(id: id, amount: 1), AddEntry(account: id, amount: 1))
                                guard changed == 1 else { throw Failure(description: "account \(id) is missing") }
                            }
                        }
                    case .transaction:
                        try await repeating(seed: seed, until: end, limit: limit) { id in
                            try await database.withTransaction { transaction in
                                _ = try await transaction.run(LockAccount(id: id))
                                guard try await transaction.run(ChangeBalance(id: id, amount: 1)) == 1 else {
                                    throw Failure(description: "account \(id) is missing")
                                }
                                try await transaction.run(AddEntry(account: id, amount: 1))
                            }
                        }
                    }
                }
            }
            var operations: UInt64 = 0
            var latencies = histogram()
            for try await (count, part) in group {
                operations += count
                withUnsafePointer(to: part) { histogram_add(&latencies, $0) }
            }
            return (operations, latencies)
        }
    }

    /// The same loop as in C: an operation, the clock, the histogram.
    private func repeating(
        seed: UInt64, until end: Double, limit: Int, _ operation: (Int64) async throws -> Void
    ) async throws -> (UInt64, histogram) {
        var random = seed
        var operations: UInt64 = 0
        var latencies = histogram()
        var before = baseline_now()
        while before < end, operations < limit {
            try await operation(baseline_next(&random, Schema.rows))
            let now = baseline_now()
            histogram_record(&latencies, now - before)
            operations += 1
            before = now
        }
        return (operations, latencies)
    }
}
