import PersistenceCore
import PersistenceTesting
import PostgresEngine
import Testing

extension FaultTests {
    @Suite("A server that is killed and started again", .privateServer, .timeLimit(.minutes(5)))
    struct RestartedServerTests {
        /// How the server goes down.
        enum Fall: CaseIterable {
            case kill
            case fast
            case immediate
        }

        private struct Outcomes {
            var committed: Set<Int> = []
            var failed: Set<Int> = []
            var unknown: Set<Int> = []
            var codes: Set<PersistenceError.Code> = []
        }

        @Test("under load: acknowledged commits are there, failed ones are not, and the same pool serves on")
        func restart() async throws {
            try await PostgresTestServer.with { (server) async throws in
                try await server.query("CREATE TABLE written (n int PRIMARY KEY)")
                var configuration = server.configuration()
                configuration.pool.maximum = 6
                try await PostgresDatabase.with(configuration) { (database) async throws in
                    let outcomes = Shared(Outcomes())
                    let isDone = Shared(false)
                    let workers = (0..<8).map { worker in
                        Task {
                            var number = worker
                            while !isDone.value {
                                number += 8
                                await Self.write(number, to: database, outcomes)
                            }
                        }
                    }
                    for fall in Fall.allCases {
                        let before = outcomes.value.committed.count
                        try await eventually("work is done", within: .seconds(60)) {
                            outcomes.value.committed.count >= before + 50
                        }
                        switch fall {
                        case .kill: try await server.kill()
                        case .fast: try await server.stop(mode: .fast)
                        case .immediate: try await server.stop(mode: .immediate)
                        }
                        try await server.start()
                    }
                    let before = outcomes.value.committed.count
                    try await eventually("work goes on", within: .seconds(60)) {
                        outcomes.value.committed.count >= before + 50
                    }
                    isDone.change { $0 = true }
                    for worker in workers { await worker.value }

                    let there = Set(try await database.all("SELECT n FROM written", as: Int.self))
                    let result = outcomes.value
                    #expect(result.committed.subtracting(there).isEmpty, "acknowledged and lost")
                    #expect(result.failed.intersection(there).isEmpty, "reported as failed, and there")
                    #expect(there.subtracting(result.committed).isSubset(of: result.unknown))
                    let expected: Set<PersistenceError.Code> = [.connection, .unavailable, .commitUnknown, .timeout]
                    #expect(result.codes.isSubset(of: expected), "\(result.codes)")
                    #expect(!result.codes.isEmpty)
                    expectConsistency(of: database.statistics)
                }
            }
        }

        private static func write(_ number: Int, to database: PostgresDatabase, _ outcomes: Shared<Outcomes>) async {
            do {
                try await database.withTransaction { transaction in
                    _ = try await transaction.execute("INSERT INTO written VALUES (\(number))")
                }
                outcomes.change { _ = $0.committed.insert(number) }
            } catch {
                let error = error as? PersistenceError
                outcomes.change { outcomes in
                    outcomes.codes.insert(error?.code ?? .internal)
                    if error?.code == .commitUnknown {
                        outcomes.unknown.insert(number)
                    } else {
                        outcomes.failed.insert(number)
                    }
                }
            }
        }

        @Test("with a retry policy every transaction is done exactly once, but for unknown outcomes")
        func retried() async throws {
            try await PostgresTestServer.with { (server) async throws in
                try await server.query("CREATE TABLE written (n int)")
                try await PostgresDatabase.with(server.configuration()) { (database) async throws in
                    let options = PostgresTransactionOptions().retrying(
                        RetryPolicy(maximumAttempts: 1000, baseDelay: .milliseconds(1), maximumDelay: .milliseconds(50))
                    )
                    let progress = Shared(0)
                    let workers = (0..<4).map { worker in
                        Task {
                            var unknown: Set<Int> = []
                            for number in 0..<100 {
                                do {
                                    try await database.withTransaction(options) { transaction in
                                        try await transaction.execute(
                                            "INSERT INTO written VALUES (\(number * 4 + worker))")
                                    }
                                } catch let error as PersistenceError where error.code == .commitUnknown {
                                    unknown.insert(number * 4 + worker)
                                }
                                progress.change { $0 += 1 }
                            }
                            return unknown
                        }
                    }
                    try await eventually("work is done", within: .seconds(60)) { progress.value >= 40 }
                    try await server.kill()
                    try await server.start()
                    var unknown: Set<Int> = []
                    for worker in workers { unknown.formUnion(try await worker.value) }
                    let there = try await database.all("SELECT n FROM written", as: Int.self)
                    #expect(Set(there).count == there.count, "nothing was done twice")
                    #expect(Set(0..<400).subtracting(there).isSubset(of: unknown), "nothing was lost")
                }
            }
        }
    }
}
