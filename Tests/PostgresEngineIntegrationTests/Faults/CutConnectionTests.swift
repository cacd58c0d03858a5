import PersistenceCore
import PersistenceTesting
import PostgresEngine
import Testing

extension FaultTests {
    @Suite("A connection that is cut", .privateServer, .timeLimit(.minutes(10)))
    struct CutConnectionTests {
        /// How the transaction of a conversation ends.
        enum Ending: CaseIterable {
            /// COMMIT follows in a flight of its own.
            case commit
            /// COMMIT travels with the last query.
            case commitWithQuery
        }

        /// Connects, authenticates, prepares, executes in a transaction, and commits.
        private static func converse(
            _ database: PostgresDatabase, _ table: PostgresIdentifier, _ key: Int, _ ending: Ending
        ) async throws {
            try await withDeadline(.seconds(60)) {
                try await database.withTransaction { transaction in
                    try await transaction.execute("INSERT INTO \(table) VALUES (\(key))")
                    // The second one is prepared already.
                    for number in 1...2 {
                        let sum = try await transaction.run(AddNumbers(left: Int64(key), right: Int64(number)))
                        #expect(sum == Int64(key + number))
                    }
                    if ending == .commitWithQuery {
                        let sum = try await transaction.commit(AddNumbers(left: Int64(key), right: 5))
                        #expect(sum == Int64(key + 5))
                    }
                }
            }
        }

        /// How many bytes pass until the connection is open, and until the conversation has ended.
        private static func measure(
            _ server: PostgresTestServer, _ table: PostgresIdentifier, _ ending: Ending, _ direction: TCPProxy.Direction
        ) async throws -> (open: Int, total: Int) {
            try await TCPProxy.with(port: server.port) { proxy in
                let configuration = server.configuration(application: "measure", through: proxy, maximum: 1)
                return try await PostgresDatabase.with(configuration) { database in
                    try await database.withConnection { _ in }
                    let open = proxy.traffic[direction]
                    try await converse(database, table, -1, ending)
                    return (open, proxy.traffic[direction])
                }
            }
        }

        @Test(
            "at any byte: a typed error or success, and the table agrees", arguments: TCPProxy.Direction.allCases,
            Ending.allCases)
        func everyByte(_ direction: TCPProxy.Direction, _ ending: Ending) async throws {
            let server = try await FaultServer.plain()
            try await server.withObserver { (observing) async throws in
                let observer = Observer(database: observing, application: "cut \(direction) \(ending)")
                try await observer.withTable("n int") { (table) async throws in
                    let length = try await Self.measure(server, table, ending, direction)
                    // Until it is open, a connection does not know how its transaction will end; once is enough.
                    let first = ending == .commit ? 0 : length.open
                    // Names of statements are random and differ by a byte or two.
                    let places = Array(first...(length.total + 4))
                    let outcomes = Shared<[Int: PersistenceError?]>([:])
                    await withDiscardingTaskGroup { group in
                        for lane in 0..<4 {
                            group.addTask {
                                for place in places where place % 4 == lane {
                                    let outcome = await Self.outcome(
                                        of: .init(direction, after: place, ending: place % 3 == 0 ? .close : .reset),
                                        server, observer, table, ending)
                                    outcomes.change { _ = $0.updateValue(outcome, forKey: place) }
                                }
                            }
                        }
                    }
                    try await eventually("every session has ended", within: .seconds(60)) {
                        try await observer.sessions() == 0
                    }
                    let rows = try await observing.all("SELECT n FROM \(table) WHERE n >= 0", as: Int.self)
                    let there = Set(rows)
                    #expect(there.count == rows.count, "nothing was done twice")
                    let result = outcomes.value
                    #expect(result.count == places.count)
                    for (place, error) in result {
                        guard let error else {
                            #expect(there.contains(place), "cut at \(place): acknowledged, and not there")
                            continue
                        }
                        if error.code == .commitUnknown { continue }
                        #expect([.connection, .unavailable].contains(error.code), "cut at \(place): \(error)")
                        #expect(error.retrySafety == .safe, "cut at \(place): \(error)")
                        #expect(!there.contains(place), "cut at \(place): there, although \(error)")
                    }
                    // The sweep has met all that it is for.
                    #expect(result.values.contains { $0?.code == .commitUnknown })
                    #expect(result.values.contains { $0?.code == .connection })
                    #expect(result.values.contains { $0 == nil })
                }
            }
        }

        private static func outcome(
            of cut: TCPProxy.Cut, _ server: PostgresTestServer, _ observer: Observer, _ table: PostgresIdentifier,
            _ ending: Ending
        ) async -> PersistenceError? {
            do {
                try await TCPProxy.with(port: server.port) { proxy in
                    proxy.change { $0.cut = cut }
                    let configuration = server.configuration(
                        application: observer.application, through: proxy, maximum: 1)
                    try await PostgresDatabase.with(configuration) { database in
                        try await converse(database, table, cut.bytes, ending)
                    }
                }
                return nil
            } catch {
                return error as? PersistenceError
                    ?? PersistenceError(.internal, "an error of no type: \(type(of: error))")
            }
        }

        @Test("while it is idle, or on one side alone: the next caller hears nothing of it")
        func idle() async throws {
            let server = try await FaultServer.plain()
            try await TCPProxy.with(port: server.port) { (proxy) async throws in
                try await server.withDatabase({ $0.pool.livenessTestAge = .zero }, through: proxy) {
                    (database, _) async throws in
                    try await database.execute("SELECT 1")
                    let cuts: [(TCPProxy) -> Void] = [
                        { $0.resetConnections() }, { $0.closeConnections() }, { $0.halfCloseConnections(.toClient) },
                        { $0.halfCloseConnections(.toServer) },
                    ]
                    for (number, cut) in cuts.enumerated() {
                        cut(proxy)
                        let value = try await database.one("SELECT \(number)", as: Int.self)
                        #expect(value == number)
                    }
                    #expect(database.statistics.newConnections == 5)
                }
            }
        }

        @Test("while a statement runs: the caller hears of it at once")
        func running() async throws {
            let server = try await FaultServer.plain()
            try await TCPProxy.with(port: server.port) { (proxy) async throws in
                try await server.withDatabase(through: proxy) { (database, observer) async throws in
                    let statement = Task { try await database.execute("SELECT pg_sleep(600) /* cut-running */") }
                    try await eventually("it runs") { try await observer.running("cut-running") == 1 }
                    proxy.resetConnections()
                    let error = try await failure { _ = try await statement.value }
                    #expect(error.code == .connection)
                    #expect(error.retrySafety == .unknown)
                    #expect(try await database.one("SELECT 1", as: Int32.self) == 1)
                    // The server goes on with what its client no longer waits for, and cannot be reached to be told.
                    try await observer.database.execute(
                        "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity WHERE query LIKE '%cut-running%' AND pid <> pg_backend_pid()"
                    )
                }
            }
        }
    }
}
