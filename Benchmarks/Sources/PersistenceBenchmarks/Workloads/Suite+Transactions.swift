import BenchmarkSupport
import CBaseline
import PersistenceCore
import PostgresEngine

/// W4: the same transaction in five round trips, four flights, three and two.
extension Suite {
    func transacting(_ tasks: Int, isDurable: Bool) throws -> Comparison {
        let url = isDurable ? url : Self.asynchronous(url)
        let baseline = Baseline(url: url)
        let engine = try Engine(url: url, tasks: tasks)
        var contenders = [
            Contender(Name.cTransaction) { try baseline.run(BASELINE_TRANSACTION, connections: tasks, seconds: $0) },
            Contender(Name.cFlights) {
                try baseline.run(BASELINE_TRANSACTION_IN_TWO_FLIGHTS, connections: tasks, seconds: $0)
            },
            Contender(Name.plain) { try await engine.run(seconds: $0, onExecutor: true, Self.plain) },
            Contender(Name.plainGlobalPool) { try await engine.run(seconds: $0, onExecutor: false, Self.plain) },
            Contender(Name.fused) { try await engine.run(seconds: $0, onExecutor: true, Self.fused) },
            Contender(Name.threeFlights) { try await engine.run(seconds: $0, onExecutor: true, Self.threeFlights) },
            Contender(Name.twoFlights) { try await engine.run(seconds: $0, onExecutor: true, Self.twoFlights) },
        ]
        if var peers {
            peers.url = url
            contenders += [
                peers.python(Name.asyncpg, workload: "W4", connections: tasks),
                peers.python(Name.psycopg, workload: "W4", connections: tasks),
                peers.pgbench(script: Peers.transaction, connections: tasks),
            ]
        }
        return Comparison(name: "W4×\(tasks)\(isDurable ? " durable" : "")", contenders: contenders) {
            try baseline.execute(Schema.tidy)
        }
    }

    /// Step by step on a connection of its own: BEGIN and COMMIT are flights like the others.
    private static let plain: Work = { client, loop in
        try await client.database.withConnection { connection in
            try await loop.run { id in
                try await connection.execute("BEGIN")
                _ = try await connection.run(LockAccount(id: id))
                try expectOne(try await connection.run(ChangeBalance(id: id, amount: 1)), id)
                try await connection.run(AddEntry(account: id, amount: 1))
                try await connection.execute("COMMIT")
            }
        }
    }

    /// What `withTransaction` does by itself.
    private static let fused: Work = { client, loop in
        let database = client.database
        try await loop.run { id in
            try await database.withTransaction { transaction in
                _ = try await transaction.run(LockAccount(id: id))
                try expectOne(try await transaction.run(ChangeBalance(id: id, amount: 1)), id)
                try await transaction.run(AddEntry(account: id, amount: 1))
            }
        }
    }

    private static let threeFlights: Work = { client, loop in
        let database = client.database
        try await loop.run { id in
            try await database.withTransaction { transaction in
                _ = try await transaction.run(LockAccount(id: id))
                let (changed, _) = try await transaction.pipeline(
                    ChangeBalance(id: id, amount: 1), AddEntry(account: id, amount: 1))
                try expectOne(changed, id)
            }
        }
    }

    private static let twoFlights: Work = { client, loop in
        let database = client.database
        try await loop.run { id in
            try await database.withTransaction { transaction in
                _ = try await transaction.run(LockAccount(id: id))
                let (changed, _) = try await transaction.commit(
                    ChangeBalance(id: id, amount: 1), AddEntry(account: id, amount: 1))
                try expectOne(changed, id)
            }
        }
    }

    private static func expectOne(_ changed: Int, _ id: Int64) throws {
        guard changed == 1 else { throw Failure(description: "account \(id) is missing") }
    }
}
