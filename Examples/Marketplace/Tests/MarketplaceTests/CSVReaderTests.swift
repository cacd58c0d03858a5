import Foundation
import Testing

@testable import marketplace

@Suite("Reading CSV files")
struct CSVReaderTests {
    @Test("Rows of plain and quoted fields are read, with their lines")
    func rows() throws {
        let text = """
            a,b\r
            1,"two, ""2""\r

            and more"
            ,

            "x",ž
            """
        #expect(
            try Self.rows(text) == [
                .fields(["a", "b"], line: 1),
                .fields(["1", "two, \"2\"\r\n\nand more"], line: 2),
                .fields(["", ""], line: 5),
                .fields(["x", "ž"], line: 7),
            ])
    }

    @Test("A byte order mark and a missing last line break do no harm")
    func edges() throws {
        #expect(try Self.rows("\u{FEFF}a,b") == [.fields(["a", "b"], line: 1)])
        #expect(try Self.rows("") == [])
        #expect(try Self.rows("\n\r\n") == [])
        #expect(try Self.rows("a\r") == [.fields(["a\r"], line: 1)])
        #expect(try Self.rows("\"\"") == [.fields([""], line: 1)])
    }

    @Test(
        "A broken row costs itself and no other",
        arguments: ["\"open,x", "\"a\"b,x", "a\"b,x", "\"", "a,\"b\"\"\"c", "a", "a,b,c", ",\""])
    func broken(row: String) throws {
        let rows = try Self.rows("h,i\n\(row)\ngood,row\nlast,\"one\"\n")
        #expect(rows.count == 4)
        guard case .malformed(_, line: 2) = rows[1] else {
            Issue.record("the second row is \(rows[1])")
            return
        }
        #expect(rows[2...] == [.fields(["good", "row"], line: 3), .fields(["last", "one"], line: 4)])
    }

    @Test("Bytes that are not UTF-8 cost their row")
    func notUTF8() throws {
        var bytes = Data("a\n".utf8)
        bytes.append(contentsOf: [0xC3, 0x28, 0x0A])
        bytes.append(contentsOf: Data("b\n".utf8))
        #expect(
            try Self.rows(bytes) == [
                .fields(["a"], line: 1), .malformed(reason: "the row is not UTF-8", line: 2), .fields(["b"], line: 3),
            ])
    }

    @Test("An endless row and an endless quotation are given up, and reading goes on", arguments: ["", "\""])
    func endless(opening: String) throws {
        let endless = opening + String(repeating: "x", count: 1_000_000)
        let rows = try Self.rows("a\n\(endless)\nb\n")
        #expect(rows.first == .fields(["a"], line: 1))
        #expect(rows.last == .fields(["b"], line: 3))
        #expect(rows.count == 3)
    }

    @Test("Every byte is accounted for, across many buffers")
    func accounting() throws {
        let text = (0..<50_000).map { "\($0),\"na\"\"me\"\n" }.joined()
        try withFile(Data(text.utf8)) { path in
            var reader = try CSVReader(path: path)
            var count = 0
            while let row = try reader.next() {
                guard row == .fields(["\(count)", "na\"me"], line: count + 1) else {
                    Issue.record("row \(count) is \(row)")
                    return
                }
                count += 1
            }
            #expect(count == 50_000)
            #expect(reader.bytesRead == text.utf8.count)
            #expect(reader.byteCount == text.utf8.count)
        }
    }

    @Test("A file that does not exist is an error")
    func missing() {
        #expect(throws: (any Error).self) { try CSVReader(path: "/nowhere/users.csv") }
    }

    private static func rows(_ text: String) throws -> [CSVReader.Row] {
        try rows(Data(text.utf8))
    }

    private static func rows(_ data: Data) throws -> [CSVReader.Row] {
        try withFile(data) { path in
            var reader = try CSVReader(path: path)
            var rows: [CSVReader.Row] = []
            while let row = try reader.next() { rows.append(row) }
            return rows
        }
    }
}

/// Lends a file with this content.
func withFile<R>(_ data: Data, _ body: (String) throws -> R) throws -> R {
    let url = try writeFile(data)
    defer { try? FileManager.default.removeItem(at: url) }
    return try body(url.path())
}

/// Lends a file with this content.
func withFile<R>(_ data: Data, _ body: (String) async throws -> R) async throws -> R {
    let url = try writeFile(data)
    defer { try? FileManager.default.removeItem(at: url) }
    return try await body(url.path())
}

private func writeFile(_ data: Data) throws -> URL {
    let url = FileManager.default.temporaryDirectory.appending(path: "marketplace-\(UUID().uuidString).csv")
    try data.write(to: url)
    return url
}
