import PersistenceCore
import PostgresEngine
import Testing

/// Names that would be SQL if they were not quoted, through every place that takes a name.
@Suite("Hostile names", .engineServer)
struct HostileNameTests {
    /// At most 55 bytes, so that a prefix fits in front of each.
    static let names: [String] = [
        "t\"; DROP TABLE canary; --", "t'; DROP TABLE canary; --", "\"\"", "\"", "'", "''", "t.u", "\"t\".\"u\"",
        "SELECT", "user", "t -- ", "t /* ", "*/", "$1", "$$", "$a$", "a\\", "\\\"", ";", "\n\n;\n", "\t", " ", "é",
        "e\u{301}", "\"\u{301}; DROP TABLE canary", "'\u{301}", "\u{FF02}; DROP TABLE canary", "\u{202E}drawkcab",
        "\u{FEFF}", "😀", "t) TO PROGRAM 'touch x' --", "t\u{1}", "U&\"\\0022\"", "%s%n%x", "null", "NULL", "0", "-1",
        String(repeating: "é", count: 27) + "x",
    ]
    static let refused: [String] = [
        "", "\0", "a\0b", String(repeating: "x", count: 64), String(repeating: "é", count: 32),
    ]
    static let longest: [String] = [String(repeating: "x", count: 63), String(repeating: "é", count: 31) + "x"]

    /// Runs `body` on a connection whose tables end with it, and checks that the canary lives.
    private static func withCanary(_ body: (PostgresConnection) async throws -> Void) async throws {
        try await EngineTestServer.with { (database) async throws in
            try await database.withConnection { (connection) async throws in
                try await connection.execute("CREATE TEMP TABLE canary (alive boolean)")
                try await connection.execute("INSERT INTO canary VALUES (true)")
                try await body(connection)
                #expect(try await connection.one("SELECT alive FROM canary", as: Bool.self))
            }
        }
    }

    @Test("a name is the same name to the server: of tables, of columns, and in COPY", arguments: names)
    func identifiers(_ name: String) async throws {
        try await Self.withCanary { (connection) async throws in
            let table = try PostgresIdentifier("pg_temp", "h_" + name)
            let column = try PostgresIdentifier(name)
            try await connection.execute("CREATE TEMP TABLE \(identifier: "h_" + name) (\(column) int)")
            try await connection.execute("INSERT INTO \(table) (\(column)) VALUES (7)")
            #expect(try await connection.one("SELECT \(column) FROM \(table)", as: Int.self) == 7)
            let found = try await connection.one(
                """
                SELECT a.attname::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                WHERE c.relname = \("h_" + name)::text AND a.attnum = 1
                """, as: String.self)
            #expect(Array(found.utf8) == Array(name.utf8))
            let names = try await connection.result(of: "SELECT 1 AS \(identifier: name)").columnNames
            #expect(names.map { Array($0.utf8) } == [Array(name.utf8)])

            var rows = 0
            for try await row in connection.copyOut(table: table, columns: [name], as: Int.self) {
                #expect(row == 7)
                rows += 1
            }
            #expect(rows == 1)
            let copied = try await connection.copyIn(raw: "8\n9\n".utf8, into: table, columns: [name], format: .text)
            #expect(copied == 2)
            #expect(try await connection.one("SELECT sum(\(column)) FROM \(table)", as: Int.self) == 24)
        }
    }

    @Test("a name that the server would cut off or cut short is refused everywhere", arguments: refused)
    func refusals(_ name: String) async throws {
        #expect(throws: PersistenceError.self) { try PostgresIdentifier(name) }
        #expect(throws: PersistenceError.self) { try PostgresIdentifier("public", name) }
        try await EngineTestServer.with { (database) async throws in
            let table = try PostgresIdentifier("t")
            let codes = [
                try await failure { try await database.execute("SELECT 1 AS \(identifier: name)") },
                try await failure { try await database.notify(name) },
                try await failure { _ = try await database.notifications(on: ["good", name]) },
                try await failure {
                    _ = try await database.copyIn(raw: [], into: table, columns: [name], format: .text)
                },
                try await failure {
                    for try await _ in database.copyOut(table: table, columns: [name], as: Int.self) {}
                },
            ].map(\.code)
            #expect(codes.allSatisfy { $0 == .invalidArgument })
        }
    }

    @Test("names of 63 bytes are kept whole", arguments: longest)
    func kept(_ name: String) async throws {
        try await EngineTestServer.with { (database) async throws in
            let result = try await database.result(of: "SELECT 1 AS \(identifier: name)")
            #expect(result.columnNames == [name])
        }
    }

    @Test("a channel with a hostile name is listened to and notified", arguments: names)
    func channels(_ name: String) async throws {
        try await EngineTestServer.with { (database) async throws in
            let channel = "h" + name
            let events = try await database.notifications(on: [channel])
            try await database.notify(channel, payload: "'; DROP TABLE canary; --")
            for try await event in events {
                guard case .notification(let notification) = event else { continue }
                #expect(Array(notification.channel.utf8) == Array(channel.utf8))
                #expect(notification.payload == "'; DROP TABLE canary; --")
                break
            }
        }
    }

    @Test("a setting's name and value are parameters, or are refused", arguments: names)
    func settings(_ name: String) async throws {
        try await EngineTestServer.with { (database) async throws in
            var options = PostgresTransactionOptions()
            options.settings = ["app.tenant": name]
            let value = try await database.withTransaction(options) { transaction in
                try await transaction.one("SELECT current_setting('app.tenant')", as: String.self)
            }
            #expect(Array(value.utf8) == Array(name.utf8))

            options.settings = ["app." + name: "x"]
            do {
                let value = try await database.withTransaction(options) { transaction in
                    try await transaction.one("SELECT current_setting(\("app." + name)::text)", as: String.self)
                }
                #expect(value == "x")
            } catch let error as PersistenceError {
                #expect(error.serverCode != nil, "\(error)")
            }
        }
    }

    @Test("a session parameter's hostile value arrives as it is, and a hostile name is refused", arguments: names)
    func sessionParameters(_ name: String) async throws {
        try await EngineTestServer.with({ $0.sessionParameters = ["app.tenant": name] }) { (database) async throws in
            let value = try await database.one("SELECT current_setting('app.tenant')", as: String.self)
            #expect(Array(value.utf8) == Array(name.utf8))
        }
        var configuration = try EngineTestServer.configuration()
        configuration.sessionParameters = ["app." + name + " -c log_statement": "all"]
        #expect(throws: PersistenceError.self) { try PostgresDatabase(configuration: configuration) }
    }

    @Test("what stands for NULL in CSV is a text to the server", arguments: names)
    func csvNull(_ name: String) async throws {
        let isAllowed = name.unicodeScalars.allSatisfy { $0.value >= 32 && !"\\,\"".unicodeScalars.contains($0) }
        guard isAllowed else { return }
        try await Self.withCanary { (connection) async throws in
            var text: [UInt8] = []
            let chunks = connection.copyOut("SELECT NULL::text AS a", format: .csv(hasHeader: false, null: name))
            for try await chunk in chunks { text += chunk }
            #expect(text == Array(name.utf8) + [10])
        }
    }

    @Test("values never become SQL", arguments: names)
    func values(_ name: String) async throws {
        try await Self.withCanary { (connection) async throws in
            let same = try await connection.one("SELECT \(name)::text", as: String.self)
            #expect(Array(same.utf8) == Array(name.utf8))
            let array = try await connection.one("SELECT \([name, name])::text[]", as: [String].self)
            #expect(array.map { Array($0.utf8) } == [Array(name.utf8), Array(name.utf8)])
        }
    }
}

/// Names that a connection begins with, or that nothing but the library sees.
@Suite("Hostile names of connections, locks and statements", .engineServer)
struct HostileConnectionNameTests {
    @Test("an application's name arrives whole, as far as the server shows it", arguments: HostileNameTests.names)
    func applicationNames(_ name: String) async throws {
        try await EngineTestServer.with({ $0.applicationName = name }) { (database) async throws in
            let shown = try await database.one("SELECT current_setting('application_name')", as: String.self)
            // The server replaces what is no printable ASCII, each byte by ? or (from 16 on) by its number.
            let isPlain = { (byte: UInt8) in (32...126).contains(byte) }
            if name.utf8.allSatisfy(isPlain) {
                #expect(shown == name)
            } else {
                #expect(shown.utf8.allSatisfy(isPlain) && !shown.isEmpty)
            }
            #expect(try await database.one("SELECT count(*) FROM pg_settings WHERE name = 'x'", as: Int.self) == 0)
        }
    }

    @Test("a database with a hostile name is that one, and no connection string", arguments: HostileNameTests.names)
    func databases(_ name: String) async throws {
        var configuration = try EngineTestServer.configuration()
        configuration.database = name
        configuration.pool.acquireTimeout = .seconds(30)
        try await PostgresDatabase.with(configuration) { (database) async throws in
            let error = try await failure { _ = try await database.one("SELECT 1", as: Int.self) }
            // invalid_catalog_name: the server has looked for it.
            #expect(error.serverCode == "3D000", "\(error)")
        }
    }

    @Test("a connection string is no name of a database", arguments: ["host=elsewhere", "postgres://elsewhere/db"])
    func connectionStrings(_ name: String) async throws {
        try await databases(name)
    }

    @Test("a schema with a hostile name is found through search_path", arguments: HostileNameTests.names)
    func searchPath(_ name: String) async throws {
        let schema = try PostgresIdentifier("s_" + name)
        try await EngineTestServer.with({ $0.sessionParameters = ["search_path": schema.quoted] }) {
            (database) async throws in
            try await database.execute("DROP SCHEMA IF EXISTS \(schema)")
            try await database.execute("CREATE SCHEMA \(schema)")
            let found = try await database.one("SELECT current_schema()::text", as: String?.self)
            try await database.execute("DROP SCHEMA \(schema)")
            #expect(found.map { Array($0.utf8) } == Array(schema.parts[0].utf8))
        }
    }

    @Test("a lock's name is a parameter", arguments: HostileNameTests.names)
    func locks(_ name: String) async throws {
        try await EngineTestServer.with { (database) async throws in
            let key = PostgresAdvisoryKey("hostile " + name)
            try await database.withAdvisoryLock(key, timeout: .seconds(30)) { (connection) async throws in
                let hash = try await connection.one(
                    "SELECT encode(sha256(convert_to(\("hostile " + name), 'UTF8')), 'hex')", as: String.self)
                let locks = try await connection.all(
                    """
                    SELECT lpad(to_hex(classid::int8), 8, '0') || lpad(to_hex(objid::int8), 8, '0') FROM pg_locks
                    WHERE locktype = 'advisory' AND pid = pg_backend_pid()
                    """, as: String.self)
                #expect(locks == [String(hash.prefix(16))])
            }
        }
    }

    @Test("a statement's name stays with the library", arguments: HostileNameTests.names)
    func statements(_ name: String) async throws {
        try await EngineTestServer.with { (database) async throws in
            let statement: PostgresStatement = "SELECT 1 / \(0)"
            let error = try await failure { try await database.execute(statement.named(name)) }
            #expect(error.operation == name)
            #expect(try await database.one(PostgresStatement(stringLiteral: "SELECT 7").named(name), as: Int.self) == 7)
            let names = try await database.all("SELECT name FROM pg_prepared_statements", as: String.self)
            #expect(!names.contains(name))
        }
    }
}
