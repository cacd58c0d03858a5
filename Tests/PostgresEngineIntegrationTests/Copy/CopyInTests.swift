import Foundation
import PersistenceCore
import PostgresEngine
import Testing

/// A row of the tables of these tests.
private struct Reading: PostgresCopyEncodable, Sendable {
    static let columns = ["id", "name", "value", "tag", "data"]
    static let table = "id bigint PRIMARY KEY, name text, value float8 NOT NULL, tag uuid, data jsonb"

    var id: Int64
    var name: String?
    var value = 1.5
    var tag: UUID?
    var data = PostgresJSON(["a": 1])

    func encode(to writer: inout PostgresCopyWriter) throws(PersistenceError) {
        try writer.append(id)
        try writer.append(name)
        try writer.append(value)
        try writer.append(tag)
        try writer.append(data)
    }
}

/// A number that is all of a row.
private struct Number: PostgresCopyEncodable, Sendable {
    static let columns = ["n"]
    var n: Int32

    func encode(to writer: inout PostgresCopyWriter) throws(PersistenceError) {
        try writer.append(n)
    }
}

@Suite("COPY in", .engineServer)
struct CopyInTests {
    private func single(_ configuration: inout PostgresConfiguration) {
        configuration.pool = PostgresPoolConfiguration(maximum: 1)
        // On a busy machine a reset may take its time; whether connections are kept is what these tests ask.
        configuration.pool.livenessTestTimeout = .seconds(60)
    }

    @Test("typed rows arrive as they were, and are counted")
    func typed() async throws {
        try await EngineTestServer.withTable(Reading.table, single) { (database, table) async throws -> Void in
            let tag = UUID()
            let rows = [
                Reading(id: 1, name: "één", value: -0.25, tag: tag), Reading(id: 2, name: nil),
                Reading(id: 3, name: ""),
            ]
            #expect(try await database.copyIn(rows, into: table) == 3)
            let found = try await database.all(
                "SELECT id, name, value, tag, data ->> 'a' FROM \(table) ORDER BY id",
                as: (Int64, String?, Double, UUID?, String).self)
            #expect(found.map(\.0) == [1, 2, 3])
            #expect(found.map(\.1) == ["één", nil, ""])
            #expect(found[0].2 == -0.25)
            #expect(found[0].3 == tag)
            #expect(found[1].4 == "1")
            #expect(database.statistics.newConnections == 1)
        }
    }

    @Test("no rows, and as many as do not fit one piece")
    func sizes() async throws {
        try await EngineTestServer.withTable("n int", single) { (database, table) async throws -> Void in
            for count in [0, 1, 6_553, 6_554, 200_000] as [Int32] {
                #expect(try await database.copyIn((0..<count).map(Number.init), into: table) == Int(count))
                #expect(try await database.one("SELECT count(*) FROM \(table)", as: Int64.self) == Int64(count))
                try await database.execute("TRUNCATE \(table)")
            }
        }
    }

    @Test("a text of 40 MB in one row")
    func largeRow() async throws {
        struct Text: PostgresCopyEncodable {
            static let columns = ["t"]
            var text: String
            func encode(to writer: inout PostgresCopyWriter) throws(PersistenceError) { try writer.append(text) }
        }
        try await EngineTestServer.withTable("t text") { (database, table) async throws -> Void in
            let row = Text(text: String(repeating: "x", count: 40 << 20))
            #expect(try await database.copyIn([row], into: table) == 1)
            #expect(try await database.one("SELECT length(t) FROM \(table)", as: Int32.self) == 40 << 20)
        }
    }

    @Test("rows of an asynchronous source")
    func asynchronous() async throws {
        try await EngineTestServer.withTable("n int", single) { (database, table) async throws -> Void in
            let (stream, continuation) = AsyncStream.makeStream(of: Number.self)
            for n in 0..<10_000 { continuation.yield(Number(n: Int32(n))) }
            continuation.finish()
            #expect(try await database.copyIn(stream, into: table) == 10_000)
        }
    }

    @Test("an error of the source is rethrown as it is, nothing is inserted, and the connection serves the next")
    func sourceThrows() async throws {
        struct Own: Error {}
        try await EngineTestServer.withTable("n int", single) { (database, table) async throws -> Void in
            let (stream, continuation) = AsyncThrowingStream.makeStream(of: Number.self)
            for n in 0..<50_000 { continuation.yield(Number(n: Int32(n))) }
            continuation.finish(throwing: Own())
            await #expect(throws: Own.self) { try await database.copyIn(stream, into: table) }
            #expect(try await database.one("SELECT count(*) FROM \(table)", as: Int64.self) == 0)
            #expect(database.statistics.newConnections == 1)
        }
    }

    @Test("a row that cannot be encoded stops the transfer, and nothing is inserted")
    func encodingFails() async throws {
        try await EngineTestServer.withTable(Reading.table, single) { (database, table) async throws -> Void in
            let rows = [Reading(id: 1, name: "fine"), Reading(id: 2, name: "a\0b")]
            let thrown = try await failure { _ = try await database.copyIn(rows, into: table) }
            #expect(thrown.code == .encoding)
            #expect(thrown.operation == "COPY")
            #expect(try await database.one("SELECT count(*) FROM \(table)", as: Int64.self) == 0)
            #expect(database.statistics.newConnections == 1)
        }
    }

    @Test("a row with too few or too many fields is named")
    func fieldCount() async throws {
        try await EngineTestServer.withTable("n int, m int", single) { (database, table) async throws -> Void in
            for columns in [["n", "m"], []] {
                let thrown = try await failure {
                    _ = try await database.copyIn([Number(n: 1)], into: table, columns: columns)
                }
                #expect(thrown.code == (columns.isEmpty ? .invalidArgument : .encoding))
                #expect(columns.isEmpty || thrown.summary.contains("row 1"))
            }
            #expect(try await database.one("SELECT count(*) FROM \(table)", as: Int64.self) == 0)
        }
    }

    @Test("the server's complaints come as errors, and the connection serves the next")
    func serverErrors() async throws {
        try await EngineTestServer.withTable(Reading.table, single) { (database, table) async throws -> Void in
            // Early among many, so that the server complains while rows are still sent.
            let rows =
                [Reading(id: 1, name: nil), Reading(id: 1, name: nil)]
                + (2..<50_000).map { Reading(id: $0, name: "later") }
            let duplicate = try await failure { _ = try await database.copyIn(rows, into: table) }
            #expect(duplicate.code == .uniqueViolation)
            #expect(duplicate.constraint != nil)
            let wrongType = try await failure {
                _ = try await database.copyIn([Number(n: 1)], into: table, columns: ["id"])
            }
            #expect(wrongType.code == .invalidData)
            let unknown = try await failure {
                _ = try await database.copyIn([Number(n: 1)], into: PostgresIdentifier("no_such_table"))
            }
            #expect(unknown.code == .invalidStatement)
            let name = try await failure {
                _ = try await database.copyIn([Number(n: 1)], into: table, columns: [""])
            }
            #expect(name.code == .invalidArgument)
            #expect(try await database.one("SELECT count(*) FROM \(table)", as: Int64.self) == 0)
            #expect(database.statistics.newConnections == 1)
        }
    }

    @Test("in a transaction rows appear and disappear with it")
    func transaction() async throws {
        struct Undo: Error {}
        try await EngineTestServer.withTable("n int", single) { (database, table) async throws -> Void in
            await #expect(throws: Undo.self) {
                try await database.withTransaction { (transaction) async throws -> Void in
                    #expect(try await transaction.copyIn([Number(n: 1)], into: table) == 1)
                    #expect(try await transaction.one("SELECT count(*) FROM \(table)", as: Int64.self) == 1)
                    throw Undo()
                }
            }
            try await database.withTransaction { _ = try await $0.copyIn([Number(n: 2)], into: table) }
            #expect(try await database.all("SELECT n FROM \(table)", as: Int32.self) == [2])
            let aborted = try await failure {
                try await database.withTransaction { (transaction) async throws -> Void in
                    _ = try? await transaction.copyIn([Number(n: 3)], into: table, columns: ["nonsense"])
                }
            }
            #expect(aborted.code == .transactionAborted)
        }
    }

    @Test("cancelling while the server waits for a lock ends the transfer")
    func cancel() async throws {
        try await EngineTestServer.withTable("n int", { $0.pool = PostgresPoolConfiguration(maximum: 3) }) {
            (database, table) async throws -> Void in
            try await database.withTransaction { holder in
                try await holder.execute("LOCK \(table)")
                let task = Task {
                    _ = try await database.copyIn((0..<10_000_000).lazy.map { Number(n: $0) }, into: table)
                }
                try await eventually("the server waits") {
                    try await database.one(
                        """
                        SELECT exists(SELECT FROM pg_stat_activity
                            WHERE query LIKE 'COPY%' || \(table.parts[0]) || '%' AND wait_event_type = 'Lock')
                        """, as: Bool.self)
                }
                task.cancel()
                let thrown = try await failure { try await task.value }
                #expect(thrown.code == .cancelled)
            }
            #expect(try await database.one("SELECT count(*) FROM \(table)", as: Int64.self) == 0)
        }
    }

    @Test("a deadline ends a transfer whose source has come to a halt, and one that the server holds up")
    func deadline() async throws {
        try await EngineTestServer.withTable("n int", single) { (database, table) async throws -> Void in
            try await database.execute("SELECT 1")
            let slow = try await failure {
                try await withDeadline(.milliseconds(100)) {
                    _ = try await database.copyIn((0..<Int32.max).lazy.map { Number(n: $0) }, into: table)
                }
            }
            #expect(slow.timeout == .statement)
            #expect(try await database.one("SELECT count(*) FROM \(table)", as: Int64.self) == 0)
            #expect(database.statistics.newConnections == 1)
        }
    }

    @Test("bytes that are CSV or text already, cut anywhere")
    func raw() async throws {
        try await EngineTestServer.withTable("n int, t text", single) { (database, table) async throws -> Void in
            let csv = "n;t\n1;\"a;b\"\n2;∅\n3;\"ü\"\n"
            let bytes = Array(csv.utf8)
            let chunks = AsyncStream { continuation in
                for byte in bytes { continuation.yield([byte]) }
                continuation.finish()
            }
            let format = PostgresCopyFormat.csv(hasHeader: true, delimiter: ";", null: "∅")
            #expect(try await database.copyIn(raw: chunks, into: table, format: format) == 3)
            #expect(try await database.copyIn(raw: "4\n5\n".utf8, into: table, columns: ["n"], format: .text) == 2)
            let found = try await database.all("SELECT n, t FROM \(table) ORDER BY n", as: (Int32, String?).self)
            #expect(found.map(\.1) == ["a;b", nil, "ü", nil, nil])
            let bad = try await failure {
                _ = try await database.copyIn(raw: "x\n".utf8, into: table, columns: ["n"], format: .csv)
            }
            #expect(bad.code == .invalidData)
            // What was copied is a value, which has no place in a description.
            #expect(!"\(bad)".contains("\"x\""))
            for delimiter in ["\n", "\"", "é", "\\", "\0"] as [Unicode.Scalar] {
                let thrown = try await failure {
                    _ = try await database.copyIn(
                        raw: "1".utf8, into: table, format: .csv(hasHeader: false, delimiter: delimiter))
                }
                #expect(thrown.code == .invalidArgument)
            }
            let quote = try await failure {
                _ = try await database.copyIn(
                    raw: "1".utf8, into: table, format: .csv(null: "'); DROP TABLE x; --\n"))
            }
            #expect(quote.code == .invalidArgument)
            #expect(database.statistics.newConnections == 1)
        }
    }
}
