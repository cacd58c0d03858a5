import Foundation
import PersistenceCore
import PersistenceMigrations
import PostgresEngine

/// A database URL as golang-migrate takes it: a connection URI with parameters of the tool's own, which begin with `x-`.
struct GolangMigrateURL {
    /// Where the database is.
    let connection: PostgresConfiguration
    private var table: String?
    private var tableSchema: String?
    private var statementTimeout: Duration?

    /// Reads a URL.
    ///
    /// The schemes `pgx`, `pgx4` and `pgx5` name golang-migrate's drivers and mean the same database. `search_path` is a
    /// parameter that golang-migrate's drivers hand to the server, and libpq's URIs do not know.
    ///
    /// - Parameter url: The URL.
    /// - Throws: ``PersistenceError`` with the code `configuration`; it quotes nothing of the URL but parameters' names.
    init(_ url: String) throws(PersistenceError) {
        var base = url
        for scheme in ["pgx://", "pgx4://", "pgx5://"] where url.hasPrefix(scheme) {
            base = "postgres://" + url.dropFirst(scheme.count)
        }
        let parts = base.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var kept: [Substring] = []
        var own: [String: String] = [:]
        for parameter in parts.count == 2 ? parts[1].split(separator: "&") : [] {
            let pair = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(pair[0])
            guard name.hasPrefix("x-") || name == "search_path" else {
                kept.append(parameter)
                continue
            }
            // A plus is a blank in Go's queries.
            let value = pair.count == 2 ? pair[1].replacing("+", with: " ") : ""
            guard let decoded = value.removingPercentEncoding else {
                throw Self.fault("the value of \(name) is not percent-encoded")
            }
            own[name] = decoded
        }
        let query = kept.isEmpty ? "" : "?" + kept.joined(separator: "&")
        var connection = try PostgresConfiguration(uri: parts[0] + query, environment: .defaults)
        if let path = own.removeValue(forKey: "search_path") {
            connection.sessionParameters["search_path"] = path
        }
        self.connection = connection
        try readOwn(&own)
        if let unknown = own.keys.sorted().first {
            throw Self.fault("\(unknown) is not a parameter of golang-migrate that is known here")
        }
    }

    private mutating func readOwn(_ own: inout [String: String]) throws(PersistenceError) {
        // Statements are always taken one by one, by the lexer's rules.
        for name in ["x-multi-statement", "x-multi-statement-max-size"] { own[name] = nil }
        if let value = own.removeValue(forKey: "x-no-lock"), try Self.bool(value, "x-no-lock") {
            throw Self.fault("x-no-lock is not offered: without the lock two migrators can run one file twice")
        }
        if let value = own.removeValue(forKey: "x-statement-timeout") {
            guard let milliseconds = Int(value), milliseconds >= 0 else {
                throw Self.fault("x-statement-timeout is not a number of milliseconds")
            }
            statementTimeout = milliseconds == 0 ? nil : .milliseconds(milliseconds)
        }
        let isQuoted = try own.removeValue(forKey: "x-migrations-table-quoted").map { value throws(PersistenceError) in
            try Self.bool(value, "x-migrations-table-quoted")
        }
        guard let name = own.removeValue(forKey: "x-migrations-table"), !name.isEmpty else { return }
        guard isQuoted == true else {
            table = name
            return
        }
        guard name.count > 2, name.hasPrefix("\""), name.hasSuffix("\"") else {
            throw Self.fault("x-migrations-table must be quoted, as x-migrations-table-quoted says")
        }
        let names = name.dropFirst().dropLast().split(separator: "\".\"", omittingEmptySubsequences: false)
        guard names.count <= 2, !names.contains(where: { $0.contains("\"") || $0.isEmpty }) else {
            throw Self.fault("x-migrations-table is not \"table\" or \"schema\".\"table\"")
        }
        table = names.last.map(String.init)
        tableSchema = names.count == 2 ? String(names[0]) : nil
    }

    /// Takes over what the URL says of the tables and of time.
    func apply(to configuration: inout Migrator.Configuration) {
        if let table { configuration.table = table }
        if let tableSchema { configuration.tableSchema = tableSchema }
        if let statementTimeout { configuration.statementTimeout = statementTimeout }
    }

    /// The texts that Go takes for truth values.
    private static func bool(_ value: String, _ name: String) throws(PersistenceError) -> Bool {
        switch value {
        case "1", "t", "T", "TRUE", "true", "True": true
        case "", "0", "f", "F", "FALSE", "false", "False": false
        default: throw fault("\(name) is neither true nor false")
        }
    }

    private static func fault(_ summary: String) -> PersistenceError {
        PersistenceError(.configuration, summary, operation: "migrate")
    }
}
