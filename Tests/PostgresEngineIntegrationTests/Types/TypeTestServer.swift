import Foundation
import PersistenceCore
import PostgresEngine
import Testing

/// The server that the tests of types talk to.
enum TypeTestServer {
    static var url: String? { ProcessInfo.processInfo.environment["POSTGRES_URL"] }

    /// Without a server the tests are disabled; where everything must be there they run, and fail.
    static var isExpected: Bool { url != nil || ProcessInfo.processInfo.environment["CI"] == "true" }

    static func withConnection<R>(_ body: (PostgresConnection) async throws -> R) async throws -> R {
        let url = try #require(url, "POSTGRES_URL is not set")
        let database = try PostgresDatabase(configuration: PostgresConfiguration(uri: url))
        return try await database.withConnection { connection in
            try await connection.executeScript(
                "SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'; SET bytea_output = 'hex'")
            return try await body(connection)
        }
    }
}

extension PostgresConnection {
    /// The only value of the only row.
    func value<T: PostgresDecodable>(
        _ sql: String, _ parameters: PostgresParameters = PostgresParameters(), as type: T.Type = T.self
    ) async throws -> T {
        try await one(PostgresStatement(sql: sql, parameters: parameters), as: type)
    }
}

/// A value, its PostgreSQL type and the text that the server writes for it.
struct ServerCase: Sendable {
    let check: @Sendable (PostgresConnection) async throws -> Void

    /// Describes a value.
    ///
    /// - Parameters:
    ///   - value: The value; `nil` fails the test, so that a failable initialiser can be used in a list.
    ///   - type: The PostgreSQL type.
    ///   - text: What the server writes for the value.
    init<T: PostgresElement & Equatable & Sendable & SendableMetatype>(_ value: T?, _ type: String, _ text: String) {
        check = { connection in
            let name: Comment = "\(T.self) as \(type): \(text.prefix(60))"
            let value = try #require(value, name)
            let literal = "'" + text.replacing("'", with: "''") + "'"

            var one = PostgresParameters()
            try one.append(value)
            #expect(try await connection.value("SELECT ($1::\(type))::text", one, as: String.self) == text, name)
            #expect(try await connection.value("SELECT $1::\(type)", one, as: T.self) == value, name)
            #expect(try await connection.value("SELECT \(literal)::\(type)", as: T.self) == value, name)
            #expect(try await connection.value("SELECT NULL::\(type)", as: T?.self) == nil, name)
            await #expect(throws: PersistenceError.self, name) {
                try await connection.value("SELECT NULL::\(type)", as: T.self)
            }

            var many = PostgresParameters()
            try many.append([value, nil, value])
            let array = "ARRAY[\(literal), NULL, \(literal)]::\(type)[]"
            #expect(
                try await connection.value("SELECT ($1::\(type)[])::text = (\(array))::text", many, as: Bool.self), name
            )
            #expect(try await connection.value("SELECT \(array)", as: [T?].self) == [value, nil, value], name)
            #expect(try await connection.value("SELECT '{}'::\(type)[]", as: [T].self).isEmpty, name)

            var grid = PostgresParameters()
            try grid.append(try PostgresArray(rows: [[value, nil], [nil, value]]))
            let rows = "ARRAY[[\(literal), NULL], [NULL, \(literal)]]::\(type)[][]"
            #expect(
                try await connection.value("SELECT ($1::\(type)[][])::text = (\(rows))::text", grid, as: Bool.self),
                name)
            let decoded: PostgresArray<T> = try await connection.value("SELECT \(rows)")
            #expect(decoded.elements == [value, nil, nil, value], name)
            #expect(decoded.dimensions.map(\.count) == [2, 2], name)
        }
    }
}

extension [ServerCase] {
    func check() async throws {
        try await TypeTestServer.withConnection { connection in
            for item in self { try await item.check(connection) }
        }
    }
}
