import Foundation
import PersistenceCore
import PostgresEngine
import Testing

@Suite("Streams", .engineServer)
struct StreamTests {
    private func single(_ configuration: inout PostgresConfiguration) {
        configuration.pool = PostgresPoolConfiguration(maximum: 1)
        // On a busy machine a reset may take its time; whether connections are kept is what these tests ask.
        configuration.pool.livenessTestTimeout = .seconds(60)
    }

    @Test("rows come in order and complete, whatever the chunks are")
    func complete() async throws {
        try await EngineTestServer.with(single) { database in
            for limit in [0, 1, 31, 32, 33, 287, 288, 289, 20_000] as [Int64] {
                var expected: Int64 = 1
                for try await number in database.stream(CountTo(limit: limit)) {
                    #expect(number == expected)
                    expected += 1
                }
                #expect(expected == limit + 1)
            }
            #expect(database.statistics.newConnections == 1)
        }
    }

    @Test("parameters, tuples, NULL and a single column")
    func shapes() async throws {
        try await EngineTestServer.with(single) { database in
            let label = "x"
            let limit: Int32 = 3
            var rows: [String] = []
            let statement: PostgresStatement = """
                -- a comment first
                SELECT n, \(label) || n, CASE WHEN n = 2 THEN NULL ELSE n END FROM generate_series(1, \(limit)) AS n;
                """
            for try await (n, text, maybe) in database.stream(statement, as: (Int32, String, Int32?).self) {
                rows.append("\(n) \(text) \(maybe.map(String.init) ?? "-")")
            }
            #expect(rows == ["1 x1 1", "2 x2 -", "3 x3 3"])
            var values: [String] = []
            for try await value in database.stream("VALUES ('a'), ('b')", as: String.self) { values.append(value) }
            #expect(values == ["a", "b"])
        }
    }

    @Test("the connection goes back unchanged after the last row")
    func givesBack() async throws {
        try await EngineTestServer.with(single) { database in
            for try await _ in database.stream("SELECT generate_series(1, 1000)", as: Int32.self) {}
            #expect(try await openStreams(database) == 0)
            #expect(database.statistics.acquired == 0)
            #expect(database.statistics.newConnections == 1)
        }
    }

    @Test("a stream that is never asked takes no connection")
    func lazy() async throws {
        try await EngineTestServer.with(single) { database in
            let stream = database.stream("SELECT 1", as: Int32.self)
            _ = stream.makeAsyncIterator()
            #expect(database.statistics.newConnections == 0)
        }
    }

    @Test("leaving early frees the connection, which keeps serving")
    func earlyBreak() async throws {
        try await EngineTestServer.with(single) { database in
            for taken in [1, 32, 33, 5_000] {
                var count = 0
                for try await _ in database.stream("SELECT generate_series(1, 10000000)", as: Int32.self) {
                    count += 1
                    if count == taken { break }
                }
                // The pool has one connection: this waits until it is free.
                #expect(try await openStreams(database) == 0)
            }
            #expect(database.statistics.newConnections == 1)
        }
    }

    @Test("an error of the consumer is rethrown as it is, and frees the connection")
    func consumerThrows() async throws {
        struct Own: Error {}
        try await EngineTestServer.with(single) { (database) async throws -> Void in
            await #expect(throws: Own.self) {
                for try await _ in database.stream("SELECT generate_series(1, 100000)", as: Int32.self) { throw Own() }
            }
            #expect(try await database.one("SELECT 7", as: Int32.self) == 7)
        }
    }

    @Test("an error in the middle comes after the rows of the chunks before it")
    func errorInTheMiddle() async throws {
        try await EngineTestServer.with(single) { (database) async throws -> Void in
            var last: Int32 = 0
            var thrown: PersistenceError?
            var iterator = database.stream(
                PostgresStatement(sql: "SELECT n, 1 / (50000 - n) FROM generate_series(1, 100000) AS n")
                    .named("Halves"), as: (Int32, Int32).self
            ).makeAsyncIterator()
            do throws(PersistenceError) {
                while let (n, _) = try await iterator.next() {
                    #expect(n == last + 1)
                    last = n
                }
            } catch {
                thrown = error
            }
            #expect(thrown?.serverCode == "22012")
            #expect(thrown?.operation == "Halves")
            // Less than a chunk is missing: 256 KB of rows of at least 30 bytes.
            #expect(last > 50_000 - 9_000 && last < 50_000)
            // Over is over.
            #expect(try await iterator.next() == nil)
            #expect(try await database.one("SELECT 7", as: Int32.self) == 7)
            #expect(database.statistics.newConnections == 1)
        }
    }

    @Test("a row that cannot be decoded ends the stream with the column's name")
    func undecodable() async throws {
        try await EngineTestServer.with(single) { database in
            let thrown = try await failure {
                for try await _ in database.stream("SELECT NULL::int AS missing", as: Int32.self) {}
            }
            #expect(thrown.code == .decoding)
            #expect(thrown.column == "missing")
            #expect(thrown.operation == "SELECT")
            #expect(try await database.one("SELECT 7", as: Int32.self) == 7)
        }
    }

    @Test(
        "what has no cursor is refused with an explanation",
        arguments: [
            "INSERT INTO nowhere VALUES (1) RETURNING 1", "  update nowhere set n = 1 returning n",
            "SHOW server_version", "", "WITH a AS (SELECT 1) INSERT INTO pg_class SELECT * FROM pg_class RETURNING 1",
        ])
    func notStreamable(sql: String) async throws {
        try await EngineTestServer.with(single) { database in
            let thrown = try await failure {
                for try await _ in database.stream(PostgresStatement(sql: sql), as: Int32.self) {}
            }
            #expect(thrown.code == .invalidArgument || thrown.code == .invalidStatement)
            #expect(thrown.summary.contains("a stream needs a SELECT"))
        }
    }

    @Test("the place of a mistake is counted in the caller's statement")
    func location() async throws {
        try await EngineTestServer.with { database in
            let thrown = try await failure {
                for try await _ in database.stream("SELECT\n  nonsense", as: Int32.self) {}
            }
            #expect(thrown.code == .invalidStatement)
            #expect(thrown.location == "2:3")
        }
    }

    @Test("cancelling ends the statement on the server, and the connection serves the next")
    func cancel() async throws {
        try await EngineTestServer.with { observer in
            try await EngineTestServer.with({
                single(&$0)
                $0.applicationName = "stream-cancel"
            }) { database in
                let task = Task {
                    for try await _ in database.stream("SELECT pg_sleep(60), 1", as: (PostgresVoid, Int32).self) {}
                }
                try await eventually("the statement runs") {
                    try await observer.one(
                        """
                        SELECT exists(SELECT FROM pg_stat_activity
                            WHERE state = 'active' AND application_name = 'stream-cancel')
                        """, as: Bool.self)
                }
                task.cancel()
                let thrown = try await failure { try await task.value }
                #expect(thrown.code == .cancelled)
                #expect(try await database.one("SELECT 7", as: Int32.self) == 7)
                #expect(database.statistics.newConnections == 1)
            }
        }
    }

    @Test("a deadline ends the stream between chunks")
    func deadline() async throws {
        try await EngineTestServer.with(single) { database in
            try await database.execute("SELECT 1")
            var count = 0
            let thrown = try await failure {
                try await withDeadline(.milliseconds(200)) {
                    for try await _ in database.stream(
                        "SELECT n, pg_sleep(0.005) FROM generate_series(1, 100000) AS n", as: (Int32, PostgresVoid).self
                    ) { count += 1 }
                }
            }
            #expect(thrown.timeout == .statement)
            #expect(count < 1_000)
            #expect(try await database.one("SELECT 7", as: Int32.self) == 7)
        }
    }
}

@Suite("Streams in transactions", .engineServer)
struct TransactionStreamTests {
    @Test("two streams and other statements take turns in one transaction")
    func interleaved() async throws {
        try await EngineTestServer.withTable("n int") { database, table in
            try await database.withTransaction { transaction in
                var left = transaction.stream(CountTo(limit: 3_000)).makeAsyncIterator()
                var right = transaction.stream(CountTo(limit: 2_000)).makeAsyncIterator()
                var count = 0
                while let a = try await left.next() {
                    let b = try await right.next()
                    #expect(b == (a <= 2_000 ? a : nil))
                    if a % 100 == 0 { try await transaction.execute("INSERT INTO \(table) VALUES (\(Int32(a)))") }
                    count += 1
                }
                #expect(count == 3_000)
                #expect(try await openStreams(transaction) == 0)
            }
            #expect(try await database.one("SELECT count(*) FROM \(table)", as: Int64.self) == 30)
        }
    }

    @Test("a stream that is left early has its cursor closed, and the transaction goes on and commits")
    func earlyBreak() async throws {
        try await EngineTestServer.withTable("n int") { database, table in
            try await database.withTransaction { transaction in
                try await transaction.execute("INSERT INTO \(table) VALUES (1)")
                for try await _ in transaction.stream(CountTo(limit: 100_000)) { break }
                #expect(try await openStreams(transaction) == 0)
            }
            #expect(try await database.one("SELECT count(*) FROM \(table)", as: Int64.self) == 1)
        }
    }

    @Test("a stream begun in a savepoint that is rolled back does no harm afterwards")
    func savepoint() async throws {
        struct Undo: Error {}
        try await EngineTestServer.with { database in
            try await database.withTransaction { (transaction) async throws -> Void in
                var kept: PostgresRowStream<Int64>.AsyncIterator?
                await #expect(throws: Undo.self) {
                    try await transaction.withSavepoint { inner in
                        var iterator = inner.stream(CountTo(limit: 100_000)).makeAsyncIterator()
                        _ = try await iterator.next()
                        kept = iterator
                        for try await _ in inner.stream(CountTo(limit: 100_000)) { break }
                        throw Undo()
                    }
                }
                kept = nil
                _ = kept
                #expect(try await transaction.one("SELECT 7", as: Int32.self) == 7)
            }
        }
    }

    @Test("a stream that outlives its transaction throws instead of reading somebody else's connection")
    func outlives() async throws {
        try await EngineTestServer.with({ $0.pool = PostgresPoolConfiguration(maximum: 1) }) { database in
            var kept: PostgresRowStream<Int64>.AsyncIterator?
            try await database.withTransaction { transaction in
                var iterator = transaction.stream(CountTo(limit: 100_000)).makeAsyncIterator()
                _ = try await iterator.next()
                kept = iterator
            }
            let thrown = try await failure { while try await kept?.next() != nil {} }
            #expect(thrown.code == .transactionFinished)
            kept = nil
            #expect(try await database.one("SELECT 7", as: Int32.self) == 7)
        }
    }

    @Test("an error in a stream aborts the transaction, which says so at COMMIT")
    func abortsTransaction() async throws {
        try await EngineTestServer.with { database in
            let thrown = try await failure {
                try await database.withTransaction { transaction in
                    do {
                        for try await _ in transaction.stream("SELECT 1 / 0", as: Int32.self) {}
                    } catch {}
                }
            }
            #expect(thrown.code == .transactionAborted)
        }
    }

    @Test("a held connection needs a transaction for a stream")
    func heldConnection() async throws {
        try await EngineTestServer.with { database in
            try await database.withConnection { connection in
                let thrown = try await failure {
                    for try await _ in connection.stream(CountTo(limit: 10)) {}
                }
                #expect(thrown.code == .invalidArgument)
                var sum: Int64 = 0
                try await connection.withTransaction { transaction in
                    for try await n in transaction.stream(CountTo(limit: 10)) { sum += n }
                }
                #expect(sum == 55)
            }
        }
    }
}

/// How many cursors of streams are open on the connection.
private func openStreams(_ executor: some PostgresExecutor) async throws -> Int64 {
    try await executor.one("SELECT count(*) FROM pg_cursors WHERE name LIKE 'stream%'", as: Int64.self)
}
