import Foundation
import PersistenceCore
import PostgresEngine
import Testing

/// Text that one of the two sides cannot hold.
@Suite("Hostile text", .engineServer)
struct HostileTextTests {
    @Test("a NUL is refused before anything is sent: in statements, scripts, parameters and payloads")
    func nul() async throws {
        try await EngineTestServer.withTable("a text") { (database, table) async throws in
            try await database.execute("INSERT INTO \(table) VALUES ('kept')")
            let statements: [PostgresStatement] = [
                PostgresStatement(sql: "DELETE FROM \(table.quoted)\0 WHERE a = 'other'"),
                "DELETE FROM \(table)\0 WHERE a = \("other")",
            ]
            for statement in statements {
                let error = try await failure { try await database.execute(statement) }
                #expect(error.code == .invalidArgument)
            }
            let script = try await failure {
                try await database.withConnection { (connection) async throws in
                    try await connection.executeScript("DELETE FROM \(table.quoted)\0 WHERE false")
                }
            }
            #expect(script.code == .invalidArgument)
            for value in ["\0", "a\0b", "kept\0"] {
                let error = try await failure { try await database.execute("INSERT INTO \(table) VALUES (\(value))") }
                #expect(error.code == .encoding)
                let array = try await failure { try await database.execute("SELECT \([value])::text[]") }
                #expect(array.code == .encoding)
                let payload = try await failure { try await database.notify("channel", payload: value) }
                #expect(payload.code == .encoding)
            }
            #expect(try await database.one("SELECT a FROM \(table)", as: String.self) == "kept")
        }
    }

    @Test("two statements that Swift calls equal and the server does not have answers of their own")
    func canonicalEquivalence() async throws {
        try await EngineTestServer.with { (database) async throws in
            try await database.withConnection { (connection) async throws in
                for _ in 0..<2 {
                    #expect(try await connection.one("SELECT length('\u{E9}')", as: Int.self) == 1)
                    #expect(try await connection.one("SELECT length('e\u{301}')", as: Int.self) == 2)
                }
            }
        }
    }

    @Test("lone surrogates are the server's to refuse in jsonb, and the reader's in json")
    func surrogates() async throws {
        try await EngineTestServer.with { (database) async throws in
            for text in [#""\ud800""#, #"{"\udc00": 1}"#, #"["\ud800\ud800"]"#, #""\u0000""#] {
                let json = PostgresJSONText(rawValue: text)
                let error = try await failure {
                    _ = try await database.one("SELECT \(json)::jsonb", as: PostgresJSONText.self)
                }
                #expect(error.code == .invalidData)
                #expect(error.serverCode?.hasPrefix("22") == true)
                // json keeps its text, and only what reads it can tell.
                #expect(try await database.one("SELECT \(json)::json", as: PostgresJSONText.self) == json)
            }
            let decoding = try await failure {
                _ = try await database.one(
                    "SELECT \(PostgresJSONText(rawValue: #"["\ud800"]"#))::json", as: PostgresJSON<[String]>.self)
            }
            #expect(decoding.code == .decoding)
        }
    }

    @Test("the 256 positions of a lexeme that the server keeps come back as they went")
    func positions() async throws {
        try await EngineTestServer.with { (database) async throws in
            let literal = "a:" + (1...300).map(String.init).joined(separator: ",")
            let vector = try await database.one("SELECT \(literal)::text::tsvector", as: PostgresTSVector.self)
            #expect(vector.lexemes["a"]?.count == 256)
            #expect(try await database.one("SELECT \(vector)", as: PostgresTSVector.self) == vector)
        }
    }

    @Test("text of a database without an encoding is refused where it is not UTF-8")
    func databaseWithoutEncoding() async throws {
        let name = try PostgresIdentifier("ascii_" + UUID().uuidString.lowercased())
        try await EngineTestServer.with { (database) async throws in
            try await database.execute("CREATE DATABASE \(name) ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE 'C'")
            do {
                try await EngineTestServer.with({ $0.database = name.parts[0] }) { (ascii) async throws in
                    for bytes in ["ff", "c080", "eda080", "f4908080", "61e282"] {
                        let error = try await failure {
                            _ = try await ascii.one(
                                "SELECT convert_from(decode(\(bytes), 'hex'), 'SQL_ASCII')", as: String.self)
                        }
                        #expect(error.code == .decoding || error.code == .invalidData, "\(bytes): \(error)")
                    }
                    #expect(try await ascii.one("SELECT 'ä'", as: String.self) == "ä")
                }
            } catch {
                try await database.execute("DROP DATABASE \(name) WITH (FORCE)")
                throw error
            }
            try await database.execute("DROP DATABASE \(name) WITH (FORCE)")
        }
    }
}
