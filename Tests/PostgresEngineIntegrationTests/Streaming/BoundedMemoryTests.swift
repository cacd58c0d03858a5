import Foundation
import PersistenceCore
import PostgresEngine
import Testing

/// Each test is a process of its own, because the memory of a whole process is what can be measured.
@Suite("Bounded memory", .engineServer, .serialized)
struct BoundedMemoryTests {
    @Test("a million rows of 200 bytes, streamed")
    func stream() async {
        await #expect(processExitsWith: .success) {
            try await EngineTestServer.with { database in
                let statement: PostgresStatement = "SELECT n, repeat('x', 200) FROM generate_series(1, 1000000) AS n"
                var memory = try MemoryWatch()
                var count = 0
                for try await (n, text) in database.stream(statement, as: (Int32, String).self) {
                    count += 1
                    guard n == count, text.utf8.count == 200 else { throw Unexpected(what: "row \(n)") }
                    if n % 10_000 == 0 { memory.look() }
                }
                guard count == 1_000_000 else { throw Unexpected(what: "\(count) rows") }
                try memory.check(limit: 60 << 20)
            }
        }
    }

    @Test("200 MB copied in, while the server is slower than the source")
    func copyIn() async {
        await #expect(processExitsWith: .success) {
            try await EngineTestServer.withTable("t text") { database, table in
                try await database.withConnection { connection in
                    try await connection.executeScript(
                        """
                        CREATE FUNCTION pg_temp.skip() RETURNS trigger LANGUAGE plpgsql AS
                            'BEGIN PERFORM pg_sleep(0.001); RETURN NULL; END';
                        CREATE TRIGGER skip BEFORE INSERT ON \(table.quoted)
                            FOR EACH ROW EXECUTE FUNCTION pg_temp.skip();
                        """)
                    var memory = try MemoryWatch()
                    let text = String(repeating: "x", count: 100_000)
                    let rows = (0..<2_000).lazy.map { index in
                        if index % 50 == 0 { memory.look() }
                        return WideRow(text: text)
                    }
                    _ = try await connection.copyIn(rows, into: table)
                    try memory.check(limit: 40 << 20)
                    try await connection.execute("DROP TRIGGER skip ON \(table)")
                }
            }
        }
    }

    @Test("200 MB copied out, while the consumer is slower than the server")
    func copyOut() async {
        await #expect(processExitsWith: .success) {
            try await EngineTestServer.with { database in
                var memory = try MemoryWatch()
                var bytes = 0
                for try await chunk in database.copyOut(
                    "SELECT repeat('x', 10000) FROM generate_series(1, 20000)", format: .text)
                {
                    bytes += chunk.count
                    memory.look()
                }
                guard bytes == 20_000 * 10_001 else { throw Unexpected(what: "\(bytes) bytes") }
                try memory.check(limit: 40 << 20)
            }
        }
    }
}

private struct WideRow: PostgresCopyEncodable {
    static let columns = ["t"]
    let text: String

    func encode(to writer: inout PostgresCopyWriter) throws(PersistenceError) {
        try writer.append(text)
    }
}

private struct Unexpected: Error {
    let what: String
}

/// By how much the resident memory of this process grows.
private struct MemoryWatch {
    private let start: Int
    private var peak: Int

    init() throws {
        start = try #require(Self.residentMemory())
        peak = start
    }

    mutating func look() {
        peak = max(peak, Self.residentMemory() ?? .max)
    }

    func check(limit: Int) throws {
        guard peak - start < limit else { throw Unexpected(what: "it grew by \((peak - start) >> 20) MB") }
    }

    /// In bytes.
    private static func residentMemory() -> Int? {
        #if os(Linux)
            guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return nil }
            return text.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 4096 }
        #else
            var usage = rusage()
            getrusage(RUSAGE_SELF, &usage)
            return Int(usage.ru_maxrss)
        #endif
    }
}
