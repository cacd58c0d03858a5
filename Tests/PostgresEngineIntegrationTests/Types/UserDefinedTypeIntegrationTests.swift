import Foundation
import PersistenceCore
import PostgresEngine
import Testing

private enum Mood: String, PostgresEnum {
    case happy
    case sad = "very sad"
}

private struct Address: PostgresComposite, Equatable {
    var street: String
    var number: Int32?
    var tags: [String]
    var mood: Mood?

    init(street: String, number: Int32?, tags: [String], mood: Mood?) {
        (self.street, self.number, self.tags, self.mood) = (street, number, tags, mood)
    }

    init(record: inout PostgresRecordReader) throws(PersistenceError) {
        street = try record.read()
        number = try record.read()
        tags = try record.read()
        mood = try record.read()
    }

    func encode(to record: inout PostgresRecordWriter) throws(PersistenceError) {
        try record.append(street, as: .varchar)
        try record.append(number)
        try record.append(tags)
        try record.append(mood)
    }
}

@Suite(
    "Types that a database defines", .serialized,
    .enabled(if: TypeTestServer.isExpected, "POSTGRES_URL is not set"))
struct UserDefinedTypeIntegrationTests {
    /// Runs `body` beside types of its own, which are gone afterwards.
    private func withTypes(_ body: (PostgresTransaction) async throws -> Void) async throws {
        struct Undo: Error {}
        try await TypeTestServer.withConnection { connection in
            // Two tests at a time can find an extension missing, and only one of them can create it.
            let extensions = "CREATE EXTENSION IF NOT EXISTS citext; CREATE EXTENSION IF NOT EXISTS hstore"
            do { try await connection.executeScript(extensions) } catch {
                try await connection.executeScript(extensions)
            }
            do {
                try await connection.withTransaction { transaction in
                    for sql in [
                        "CREATE SCHEMA types_test",
                        "SET LOCAL search_path = types_test, public",
                        "CREATE TYPE mood AS ENUM ('happy', 'very sad', 'unknown to Swift')",
                        "CREATE TYPE address AS (street varchar(50), number int4, tags text[], mood mood)",
                        "CREATE DOMAIN positive AS int4 CHECK (value > 0)",
                        "CREATE TYPE floatrange AS RANGE (subtype = float8)",
                        "CREATE TYPE textrange AS RANGE (subtype = text, collation = \"C\")",
                        """
                        CREATE TABLE things (mood mood, moods mood[], address address, addresses address[], size positive,
                            email citext, emails citext[], settings hstore, document json, score floatrange)
                        """,
                    ] {
                        try await transaction.execute(PostgresStatement(sql: sql))
                    }
                    try await body(transaction)
                    throw Undo()
                }
            } catch is Undo {}
        }
    }

    @Test("enums, composites, domains and types of extensions arrive and come back")
    func roundTrips() async throws {
        try await withTypes { transaction in
            let address = Address(street: "Straße \"1\"", number: nil, tags: ["a", "b c"], mood: .sad)
            let addresses = [address, Address(street: "", number: .max, tags: [], mood: nil)]
            let settings: PostgresHstore = ["k\"": "v\\", "n": nil]
            let score = PostgresRange(1.5..<2.5)
            try await transaction.execute(
                """
                INSERT INTO things VALUES (\(Mood.sad), \([Mood.happy, nil, .sad]), \(address), \(addresses), \(7 as Int32),
                    \("Someone@Example.org"), \(["A", nil, "b,\"\\"]), \(settings), \(PostgresJSON([1])), \(score))
                """)
            let row = try await transaction.one(
                "SELECT mood, moods, address, addresses, size FROM things",
                as: (Mood, [Mood?], Address, [Address], Int).self)
            #expect(row.0 == .sad)
            #expect(row.1 == [.happy, nil, .sad])
            #expect(row.2 == address)
            #expect(row.3 == addresses)
            #expect(row.4 == 7)
            let rest = try await transaction.one(
                "SELECT email, emails, settings, ARRAY[settings], document, score FROM things",
                as: (String, [String?], PostgresHstore, [PostgresHstore], PostgresJSON<[Int]>, PostgresRange<Double>)
                    .self)
            #expect(rest.0 == "Someone@Example.org")
            #expect(rest.1 == ["A", nil, "b,\"\\"])
            #expect(rest.2 == settings)
            #expect(rest.3 == [settings])
            #expect(rest.4.value == [1])
            #expect(rest.5 == score)
            let text = try await transaction.one(
                "SELECT address::text, mood::text, settings -> 'k\"', email::text, moods FROM things",
                as: (String, String, String, String, [String?]).self)
            #expect(text.0 == #"("Straße ""1""",,"{a,""b c""}","very sad")"#)
            #expect(text.1 == "very sad")
            #expect(text.2 == #"v\"#)
            #expect(text.3 == "Someone@Example.org")
            #expect(text.4 == ["happy", nil, "very sad"])
        }
    }

    @Test("the server infers the types of strings, so citext and enums compare as they should")
    func inference() async throws {
        try await withTypes { transaction in
            try await transaction.execute(
                "INSERT INTO things (mood, email) VALUES (\(Mood.sad), \("Someone@Example.org"))")
            let email = "someone@EXAMPLE.org"
            let counts = try await transaction.one(
                """
                SELECT (SELECT count(*) FROM things WHERE email = \(email)),
                    (SELECT count(*) FROM things WHERE email = ANY(\([email]))),
                    (SELECT count(*) FROM things WHERE mood = \("very sad")),
                    (SELECT count(*) FROM things WHERE mood = ANY(\([Mood.sad]))),
                    (SELECT count(*) FROM things WHERE mood > \(Mood.happy))
                """, as: (Int, Int, Int, Int, Int).self)
            #expect(counts == (1, 1, 1, 1, 1))
        }
    }

    @Test("a label without a case, and a domain inside an array, are errors that say so")
    func errors() async throws {
        try await withTypes { transaction in
            let label = await #expect(throws: PersistenceError.self) {
                try await transaction.one("SELECT 'unknown to Swift'::mood AS feeling", as: Mood.self)
            }
            #expect(label?.code == .decoding)
            #expect(label?.column == "feeling")
            #expect(label?.debugDescription.contains("unknown to") == false)
            let domain = await #expect(throws: PersistenceError.self) {
                try await transaction.one("SELECT ARRAY[1::positive]", as: [Int].self)
            }
            #expect(domain?.summary.contains("cast a domain inside an array or record to its base type") == true)
            let elements = try await transaction.one("SELECT ARRAY[1::positive]::int4[]", as: [Int].self)
            #expect(elements == [1])
        }
    }

    @Test("records, ranges and the catalog's types are read")
    func others() async throws {
        try await withTypes { transaction in
            let record = try await transaction.one(
                "SELECT ROW(1, 'a'::text, NULL::int8, 'happy'::mood)", as: PostgresRecord<Int, String, Int?, Mood>.self)
            #expect(record.fields == (1, "a", nil, .happy))
            let row = try await transaction.one(
                "SELECT t FROM (VALUES (1, 'x'::varchar)) t(a, b)", as: PostgresRecord<Int, String>.self)
            #expect(row.fields == (1, "x"))
            #expect(
                try await transaction.one("SELECT '[a,c)'::textrange", as: PostgresRange<String>.self)
                    == PostgresRange("a"..<"c"))
            #expect(try await transaction.one("SELECT pg_notify('x', '')", as: PostgresVoid.self) == PostgresVoid())
            #expect(try await transaction.one("SELECT 'pg_class'::regclass", as: PostgresOID.self).rawValue == 1259)
            #expect(try await transaction.one("SELECT relkind FROM pg_class WHERE oid = 1259", as: String.self) == "r")
            #expect(try await transaction.one("SELECT 'ab'::char(4)", as: String.self) == "ab  ")
            #expect(try await transaction.one("SELECT sum(x) FROM (VALUES (1::int8), (2)) t(x)", as: Int.self) == 3)
            let keys = try await transaction.all("SELECT indkey FROM pg_index", as: [Int16].self)
            #expect(!keys.isEmpty)
            let bounded = try await transaction.one(
                "SELECT '[0:1][-1:0]={{1,2},{3,4}}'::int4[]", as: PostgresArray<Int>.self)
            #expect(bounded[1, -1] == 3)
            #expect(
                try await transaction.one("SELECT \(bounded)::text", as: String.self) == "[0:1][-1:0]={{1,2},{3,4}}")
        }
    }

    @Test("values that a Swift type cannot hold are errors that name the column and the types")
    func limits() async throws {
        try await TypeTestServer.withConnection { connection in
            let cases: [(String, @Sendable (PostgresConnection) async throws -> Void, String)] = [
                (
                    "70000", { _ = try await $0.value("SELECT 70000 AS n", as: Int16.self) },
                    "column n: the int4 value cannot be represented as Int16"
                ),
                (
                    "1.5", { _ = try await $0.value("SELECT 1.5 AS n", as: Int.self) },
                    "column n: the numeric value cannot be represented as Int"
                ),
                (
                    "infinity", { _ = try await $0.value("SELECT 'infinity'::timestamptz AS n", as: Date.self) },
                    "column n: the timestamptz value cannot be represented as Date"
                ),
                (
                    "int8", { _ = try await $0.value("SELECT 1::int8 AS n", as: String.self) },
                    "column n: expected String, found int8"
                ),
                (
                    "float8", { _ = try await $0.value("SELECT 1.5::float8 AS n", as: Float.self) },
                    "column n: expected Float, found float8"
                ),
            ]
            for (name, attempt, summary) in cases {
                let error = await #expect(throws: PersistenceError.self, "\(name)") { try await attempt(connection) }
                #expect(error?.code == .decoding)
                #expect(error?.summary == summary)
            }
        }
    }
}
