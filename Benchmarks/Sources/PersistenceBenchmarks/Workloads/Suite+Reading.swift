import BenchmarkSupport
import CBaseline
import Foundation
import PersistenceCore
import PostgresEngine

/// W1 and W2.
extension Suite {
    func readingOne(_ tasks: Int) throws -> Comparison {
        let baseline = Baseline(url: url)
        let engine = try Engine(url: url, tasks: tasks)
        let traced = try Engine(url: url, tasks: tasks, instrumentation: .measuring)
        var contenders = [
            Contender(Name.c) { try baseline.run(BASELINE_READ_ONE, connections: tasks, seconds: $0) },
            Contender(Name.executor) { try await engine.run(seconds: $0, onExecutor: true, Self.readItem) },
            Contender(Name.globalPool) { try await engine.run(seconds: $0, onExecutor: false, Self.readItem) },
            Contender(Name.repository) { try await engine.run(seconds: $0, onExecutor: true, Self.readFromRepository) },
        ]
        if tasks == 16 {
            contenders += [
                Contender(Name.statement) { try await engine.run(seconds: $0, onExecutor: true, Self.readByStatement) },
                Contender(Name.traced) { try await traced.run(seconds: $0, onExecutor: true, Self.readItem) },
            ]
        }
        if let peers {
            contenders += [
                peers.python(Name.asyncpg, workload: "W1", connections: tasks),
                peers.python(Name.psycopg, workload: "W1", connections: tasks),
                peers.pgbench(script: Peers.readOne, connections: tasks),
            ]
        }
        return Comparison(name: "W1×\(tasks)", contenders: contenders)
    }

    func readingOneSecurely(_ tasks: Int) throws -> Comparison {
        let url = try secured()
        let baseline = Baseline(url: url)
        let engine = try Engine(url: url, tasks: tasks)
        return Comparison(
            name: "W1×\(tasks) over TLS",
            contenders: [
                Contender(Name.c) { try baseline.run(BASELINE_READ_ONE, connections: tasks, seconds: $0) },
                Contender(Name.executor) { try await engine.run(seconds: $0, onExecutor: true, Self.readItem) },
                Contender(Name.globalPool) { try await engine.run(seconds: $0, onExecutor: false, Self.readItem) },
            ])
    }

    /// Measured by C with a thread and a connection for each task, as the workload is.
    func readingShared(_ tasks: Int) throws -> Comparison {
        let baseline = Baseline(url: url)
        let engine = try Engine(url: url, tasks: tasks, sharedConnections: 2)
        return Comparison(
            name: "W1×\(tasks) shared",
            contenders: [
                Contender(Name.c) { try baseline.run(BASELINE_READ_ONE, connections: tasks, seconds: $0) },
                Contender(Name.cPipelined) { try baseline.runPipelined(clients: tasks, seconds: $0) },
                Contender(Name.executor) { try await engine.run(seconds: $0, onExecutor: true, Self.readShared) },
                Contender(Name.globalPool) { try await engine.run(seconds: $0, onExecutor: false, Self.readShared) },
            ])
    }

    func readingMany(_ tasks: Int) throws -> Comparison {
        let baseline = Baseline(url: url)
        let engine = try Engine(url: url, tasks: tasks)
        var contenders = [
            Contender(Name.c) { try baseline.run(BASELINE_READ_MANY, connections: tasks, seconds: $0) },
            Contender(Name.executor) { try await engine.run(seconds: $0, onExecutor: true, Self.readItems) },
            Contender(Name.globalPool) { try await engine.run(seconds: $0, onExecutor: false, Self.readItems) },
        ]
        if let peers {
            contenders += [
                peers.python(Name.asyncpg, workload: "W2", connections: tasks),
                peers.python(Name.psycopg, workload: "W2", connections: tasks),
            ]
        }
        return Comparison(name: "W2×\(tasks)", contenders: contenders)
    }

    // MARK: Work

    private static let readItem: Work = { client, loop in
        let database = client.database
        try await loop.run { id in try expect(try await database.run(GetItem(id: id)), id) }
    }

    private static let readFromRepository: Work = { client, loop in
        let items = client.database.items
        try await loop.run { id in try expect(try await items.item(id: id), id) }
    }

    private static let readShared: Work = { client, loop in
        guard let reader = client.reader else { throw Failure(description: "there is no shared reader") }
        try await loop.run { id in try expect(try await reader.run(GetItem(id: id)), id) }
    }

    private static let readByStatement: Work = { client, loop in
        let database = client.database
        try await loop.run { id in
            let row = try await database.optional(
                """
                SELECT id, owner, name, email, score, is_active, visits, created_at FROM benchmark.items
                WHERE id = \(id)
                """, as: (Int64, UUID, String, String, Double, Bool, Int32, Date).self)
            guard let row, row.0 == id else { throw Failure(description: "row \(id) is missing") }
        }
    }

    private static let readItems: Work = { client, loop in
        let database = client.database
        try await loop.run { id in
            let after = id % 9_000
            let items = try await database.run(GetItems(after: after))
            guard items.count == Schema.readMany, items.last?.id == after + 1_000 else {
                throw Failure(description: "rows after \(after) are missing")
            }
        }
    }

    private static func expect(_ item: Item?, _ id: Int64) throws {
        guard let item, item.id == id else { throw Failure(description: "row \(id) is missing") }
    }
}
