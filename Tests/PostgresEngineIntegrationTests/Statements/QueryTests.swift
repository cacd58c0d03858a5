import Foundation
import PersistenceCore
import PostgresEngine
import Testing

@Suite("Queries", .engineServer)
struct QueryTests {
    @Test("a query returns what its type promises")
    func shapes() async throws {
        try await EngineTestServer.with { (database) async throws in
            #expect(try await database.run(AddNumbers(left: 40, right: 2)) == 42)
            #expect(try await database.run(CountTo(limit: 3)) == [1, 2, 3])
            #expect(try await database.run(CountTo(limit: 0)) == [])
            #expect(try await database.run(NextNumber(after: 2, limit: 1)) == 3)
            #expect(try await database.run(NextNumber(after: 3, limit: 1)) == nil)
        }
    }

    @Test("too many rows and no row are different errors, and name the query")
    func cardinality() async throws {
        try await EngineTestServer.with { (database) async throws in
            let many = try await failure { _ = try await database.run(NextNumber(after: 0, limit: 3)) }
            #expect(many.code == .tooManyRows)
            #expect(many.operation == "NextNumber")
            let none = try await failure { _ = try await database.one("SELECT 1 WHERE false", as: Int32.self) }
            #expect(none.code == .notFound)
            let two = try await failure { _ = try await database.one("VALUES (1), (2)", as: Int32.self) }
            #expect(two.code == .tooManyRows)
            #expect(try await database.first("VALUES (1), (2)", as: Int32.self) == 1)
            #expect(try await database.first("SELECT 1 WHERE false", as: Int32.self) == nil)
            #expect(try await database.optional("SELECT 1 WHERE false", as: Int32.self) == nil)
        }
    }

    @Test("interpolated values are parameters, whatever they contain")
    func interpolation() async throws {
        let hostile = "'; DROP TABLE users; --\\ \" $1 \u{1F600}"
        try await EngineTestServer.with { (database) async throws in
            #expect(try await database.one("SELECT \(hostile)::text", as: String.self) == hostile)
            let missing: Int64? = nil
            let row = try await database.one("SELECT \(missing), \(Int64(7))", as: (Int64?, Int64).self)
            #expect(row.0 == nil)
            #expect(row.1 == 7)
            let statement: PostgresStatement = "SELECT \(1) + \(2)"
            #expect(statement.sql == "SELECT $1 + $2")
        }
    }

    @Test("interpolated identifiers are quoted, and refused when the server would change them")
    func identifiers() async throws {
        try await EngineTestServer.withTable("value int") { (database, table) async throws in
            let name = "odd \"name\"; DROP TABLE x"
            try await database.execute("ALTER TABLE \(table) ADD COLUMN \(identifier: name) int DEFAULT 5")
            try await database.execute("INSERT INTO \(table) (value) VALUES (1)")
            #expect(try await database.one("SELECT \(identifier: name) FROM \(table)", as: Int32.self) == 5)
            for bad in ["", "nul\0", String(repeating: "x", count: 64), String(repeating: "é", count: 32)] {
                let refused = try await failure { try await database.execute("SELECT \(identifier: bad)") }
                #expect(refused.code == .invalidArgument)
            }
            let longest = String(repeating: "x", count: 63)
            #expect(try await database.one("SELECT 1 AS \(identifier: longest)", as: Int32.self) == 1)
        }
    }

    @Test("a decoding error names query, column and types, and no value")
    func decoding() async throws {
        try await EngineTestServer.with { (database) async throws in
            let wrong = try await failure {
                _ = try await database.one("SELECT 'secret-value'::text AS token", as: Int64.self)
            }
            #expect(wrong.code == .decoding)
            #expect(wrong.column == "token")
            #expect(wrong.operation == "SELECT")
            #expect(wrong.description.contains("token"))
            #expect(wrong.description.contains("text"))
            #expect(!String(reflecting: wrong).contains("secret-value"))
            let null = try await failure { _ = try await database.one("SELECT NULL::int8 AS n", as: Int64.self) }
            #expect(null.code == .decoding)
            let narrow = try await failure { _ = try await database.one("SELECT 70000", as: Int16.self) }
            #expect(narrow.code == .decoding)
            let missing = try await failure { _ = try await database.one("SELECT 1", as: (Int, Int).self) }
            #expect(missing.summary == "the row has 1 column; one at index 1, from 0, was asked for")
            let empty = try await failure { try await database.execute("") }
            #expect(empty.description == "invalidStatement: the statement is empty")
            let several = try await failure { try await database.execute("SELECT 1; SELECT 2") }
            #expect(several.summary.contains("executeScript"))
            let column = try await failure { _ = try await database.one("SELECT 1", as: (Int32, Int32).self) }
            #expect(column.code == .decoding)
        }
    }

    @Test(
        "the server's refusals have codes of their own",
        arguments: [
            ("SELEC 1", PersistenceError.Code.invalidStatement), ("SELECT * FROM no_such_table", .invalidStatement),
            ("SELECT 1/0", .invalidData), ("SELECT 'x'::int", .invalidData), ("", .invalidStatement),
            ("COPY (SELECT 1) TO STDOUT", .invalidArgument), ("/* c */ copy t FROM STDIN", .invalidArgument),
        ])
    func refusals(sql: String, code: PersistenceError.Code) async throws {
        try await EngineTestServer.with { (database) async throws in
            let refused = try await failure { try await database.execute(PostgresStatement(sql: sql)) }
            #expect(refused.code == code)
            #expect(try await database.one("SELECT 1", as: Int32.self) == 1)
        }
    }

    @Test("constraint violations name the constraint and quote no value")
    func constraints() async throws {
        try await EngineTestServer.withTable(
            "id int PRIMARY KEY, email text NOT NULL CONSTRAINT short_email CHECK (length(email) < 30)"
        ) { (database, table) async throws in
            try await database.execute("INSERT INTO \(table) VALUES (1, 'a@example.com')")
            let duplicate = try await failure {
                try await database.execute("INSERT INTO \(table) VALUES (1, 'b@example.com')")
            }
            #expect(duplicate.code == .uniqueViolation)
            #expect(duplicate.serverCode == "23505")
            #expect(duplicate.constraint?.hasSuffix("_pkey") == true)
            let long = String(repeating: "private", count: 5)
            let check = try await failure { try await database.execute("INSERT INTO \(table) VALUES (2, \(long))") }
            #expect(check.code == .checkViolation)
            #expect(check.constraint == "short_email")
            #expect(!"\(check) \(String(reflecting: check))".contains("private"))
            let missing = try await failure { try await database.execute("INSERT INTO \(table) (id) VALUES (3)") }
            #expect(missing.code == .notNullViolation)
            #expect(missing.column == "email")
        }
    }

    @Test("affected rows are counted")
    func affected() async throws {
        try await EngineTestServer.withTable("n int") { (database, table) async throws in
            #expect(try await database.execute("INSERT INTO \(table) SELECT generate_series(1, 10)") == 10)
            #expect(try await database.execute("UPDATE \(table) SET n = n + 1 WHERE n > 7") == 3)
            #expect(try await database.execute("DELETE FROM \(table) WHERE n > 1000") == 0)
        }
    }

    @Test("as many parameters as the protocol counts are accepted, and one more is refused before it is sent")
    func parameterLimit() async throws {
        try await EngineTestServer.with { (database) async throws in
            for (count, isAccepted) in [(65_535, true), (65_536, false)] {
                var parameters = PostgresParameters()
                for number in 0..<count { try parameters.append(Int16(truncatingIfNeeded: number % 7)) }
                // One reference to each keeps the planner quick.
                let list = (1...count).map { "$\($0)" }.joined(separator: ",")
                let statement = PostgresStatement(
                    sql: "SELECT cardinality(ARRAY[\(list)]::smallint[])", parameters: parameters)
                if isAccepted {
                    #expect(try await database.one(statement, as: Int32.self) == 65_535)
                } else {
                    #expect(try await failure { try await database.execute(statement) }.code == .tooLarge)
                }
            }
        }
    }

    @Test("a value of many megabytes comes back whole")
    func largeValue() async throws {
        let text = String(repeating: "0123456789abcdef", count: 2 << 20)
        try await EngineTestServer.with { (database) async throws in
            #expect(try await database.one("SELECT \(text)::text", as: String.self) == text)
        }
    }

    @Test("a thousand tasks share four connections")
    func concurrency() async throws {
        try await EngineTestServer.with { (database) async throws in
            let sum = try await withThrowingTaskGroup(of: Int64.self) { group in
                for number in 0..<1000 {
                    group.addTask { try await database.run(AddNumbers(left: Int64(number), right: 1)) }
                }
                return try await group.reduce(0, +)
            }
            #expect(sum == 500_500)
            #expect(database.statistics.total <= 4)
        }
    }
}
