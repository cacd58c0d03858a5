import Foundation
import PersistenceCore
import PostgresEngine
import Testing

@Suite("COPY out", .engineServer)
struct CopyOutTests {
    private func single(_ configuration: inout PostgresConfiguration) {
        configuration.pool = PostgresPoolConfiguration(maximum: 1)
        // On a busy machine a reset may take its time; whether connections are kept is what these tests ask.
        configuration.pool.livenessTestTimeout = .seconds(60)
    }

    private func text(_ chunks: PostgresCopyChunks) async throws -> String {
        var bytes: [UInt8] = []
        for try await chunk in chunks { bytes += chunk }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("tables and statements as text and CSV")
    func formats() async throws {
        try await EngineTestServer.withTable("n int, t text", single) { (database, table) async throws -> Void in
            try await database.execute("INSERT INTO \(table) VALUES (1, 'a,b'), (2, NULL)")
            #expect(try await text(database.copyOut(table: table, format: .text)) == "1\ta,b\n2\t\\N\n")
            let csv = PostgresCopyFormat.csv(hasHeader: true)
            let swapped = database.copyOut(table: table, columns: ["t", "n"], format: csv)
            #expect(try await text(swapped) == "t,n\n\"a,b\",1\n,2\n")
            let newest: PostgresStatement = "SELECT n FROM \(table) ORDER BY n DESC ;\n"
            #expect(try await text(database.copyOut(newest, format: .csv)) == "2\n1\n")
            #expect(try await text(database.copyOut("SELECT 1 -- one", format: .csv)) == "1\n")
            #expect(try await text(database.copyOut("SELECT 1 WHERE false", format: .csv)).isEmpty)
            #expect(database.statistics.newConnections == 1)
        }
    }

    @Test("typed rows, also such that do not fit a piece")
    func typed() async throws {
        try await EngineTestServer.with(single) { (database) async throws -> Void in
            var count: Int32 = 0
            let statement: PostgresStatement = """
                SELECT n, CASE WHEN n % 2 = 0 THEN NULL ELSE repeat('x', n % 300) END
                FROM generate_series(1, 20000) AS n
                """
            for try await (n, text) in database.copyOut(statement, as: (Int32, String?).self) {
                count += 1
                guard n == count, n % 2 == 0 ? text == nil : text?.utf8.count == Int(n) % 300 else {
                    Issue.record("row \(n) differs")
                    break
                }
            }
            #expect(count == 20_000)
            var sizes: [Int] = []
            for try await (text, n) in database.copyOut(
                "SELECT repeat('x', n), n FROM unnest(ARRAY[1, 3000000, 0, 70000]) AS n", as: (String, Int32).self)
            {
                #expect(text.utf8.count == Int(n))
                sizes.append(text.utf8.count)
            }
            #expect(sizes == [1, 3_000_000, 0, 70_000])
            for try await _ in database.copyOut("SELECT 1 WHERE false", as: (Int32).self) { Issue.record("a row came") }
            #expect(database.statistics.newConnections == 1)
        }
    }

    @Test("what is copied out in binary can be copied in")
    func roundTrip() async throws {
        try await EngineTestServer.withTable("n int, t text") { (database, table) async throws -> Void in
            let chunks = database.copyOut(
                "SELECT n, repeat('y', n % 50) FROM generate_series(1, 30000) AS n", format: .binary)
            #expect(try await database.copyIn(raw: chunks, into: table, format: .binary) == 30_000)
            let sum = try await database.one("SELECT sum(length(t)) FROM \(table)", as: Int64.self)
            #expect(sum == (1...30_000).reduce(0) { $0 + Int64($1 % 50) })
        }
    }

    @Test("leaving early gives the pool its place back")
    func earlyBreak() async throws {
        try await EngineTestServer.with { (observer) async throws -> Void in
            try await EngineTestServer.with(single) { (database) async throws -> Void in
                for try await _ in database.copyOut(
                    "SELECT /* copy-early */ repeat('x', 10000) FROM generate_series(1, 100000000)", format: .text)
                { break }
                #expect(try await database.one("SELECT 7", as: Int32.self) == 7)
                try await eventually("the server has ended the statement") {
                    try await observer.one(
                        """
                        SELECT NOT exists(SELECT FROM pg_stat_activity WHERE query LIKE '%copy-early%'
                            AND query NOT LIKE '%pg_stat_activity%' AND state = 'active')
                        """, as: Bool.self)
                }
            }
        }
    }

    @Test("leaving early in a transaction ends it with an explanation")
    func earlyBreakInTransaction() async throws {
        try await EngineTestServer.with(single) { (database) async throws -> Void in
            let thrown = try await failure {
                try await database.withTransaction { transaction in
                    for try await _ in transaction.copyOut(
                        "SELECT generate_series(1, 1000000)", as: Int32.self)
                    { break }
                    try await transaction.execute("SELECT 1")
                }
            }
            #expect(thrown.code == .connection)
            #expect(thrown.summary.contains("COPY"))
            #expect(try await database.one("SELECT 7", as: Int32.self) == 7)
        }
    }

    @Test("an error in the middle comes after the rows before it, and the connection serves the next")
    func errorInTheMiddle() async throws {
        try await EngineTestServer.with(single) { (database) async throws -> Void in
            var last: Int32 = 0
            let thrown = try await failure {
                for try await (n, _) in database.copyOut(
                    "SELECT n, 1 / (50000 - n) FROM generate_series(1, 100000) AS n", as: (Int32, Int32).self)
                { last = n }
            }
            #expect(thrown.serverCode == "22012")
            #expect(last > 40_000 && last < 50_000)
            #expect(try await database.one("SELECT 7", as: Int32.self) == 7)
            #expect(database.statistics.newConnections == 1)
        }
    }

    @Test("wrong types, wrong numbers of columns and parameters are refused")
    func wrong() async throws {
        try await EngineTestServer.with { (database) async throws -> Void in
            let type = try await failure {
                for try await _ in database.copyOut("SELECT 1 AS one", as: (String).self) {}
            }
            #expect(type.code == .decoding)
            #expect(type.column == "one")
            let many = try await failure {
                for try await _ in database.copyOut("SELECT 1, 2", as: Int32.self) {}
            }
            #expect(many.code == .decoding)
            let few = try await failure {
                for try await _ in database.copyOut("SELECT 1", as: (Int32, Int32).self) {}
            }
            #expect(few.code == .decoding)
            let null = try await failure {
                for try await _ in database.copyOut("SELECT NULL::int", as: Int32.self) {}
            }
            #expect(null.code == .decoding)
            let value: Int32 = 1
            let parameter = try await failure {
                for try await _ in database.copyOut("SELECT \(value)", format: .csv) {}
            }
            #expect(parameter.code == .invalidArgument)
            let empty = try await failure { for try await _ in database.copyOut("", format: .csv) {} }
            #expect(empty.code == .invalidStatement)
            let syntax = try await failure { for try await _ in database.copyOut("SELEKT", format: .csv) {} }
            #expect(syntax.code == .invalidStatement)
        }
    }

    @Test("cancelling and deadlines end the statement on the server")
    func cancel() async throws {
        try await EngineTestServer.with(single) { (database) async throws -> Void in
            try await database.execute("SELECT 1")
            let late = try await failure {
                try await withDeadline(.milliseconds(100)) {
                    for try await _ in database.copyOut("SELECT pg_sleep(60)", format: .csv) {}
                }
            }
            #expect(late.timeout == .statement, "\(late) \(late.serverMessage ?? "")")
            let task = Task {
                var count = 0
                for try await _ in database.copyOut(
                    "SELECT n, pg_sleep(0.001) FROM generate_series(1, 1000000) AS n", format: .csv)
                {
                    count += 1
                    withUnsafeCurrentTask { $0?.cancel() }
                }
            }
            let cancelled = try await failure { try await task.value }
            #expect(cancelled.code == .cancelled)
            #expect(try await database.one("SELECT 7", as: Int32.self) == 7)
            #expect(database.statistics.newConnections == 1)
        }
    }
}
