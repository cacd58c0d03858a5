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

        private static let falls: [Fall] = [.kill, .fast, .kill, .immediate, .kill]

        @Test("under load: acknowledged commits are there, failed ones are not, and the same pool serves on")
        func restart() async throws {
            try await PostgresTestServer.with { (server) async throws in
                try await server.query("CREATE TABLE written (\(WriteLoad.columns))")
                try await PostgresDatabase.with(server.configuration(maximum: 6)) { (database) async throws in
                    let load = WriteLoad(on: database, try PostgresIdentifier("written"))
                    for fall in Self.falls {
                        try await load.untilMore(50, "work is done")
                        switch fall {
                        case .kill: try await server.kill()
                        case .fast: try await server.stop(mode: .fast)
                        case .immediate: try await server.stop(mode: .immediate)
                        }
                        try await server.start()
                    }
                    try await load.untilMore(50)
                    try await server.withObserver { (observer) async throws in
                        try await load.check(
                            with: observer, allowing: [.connection, .unavailable, .commitUnknown, .timeout])
                    }
                    #expect(!load.ledger.codes.isEmpty)
                    expectConsistency(of: database.statistics)
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
