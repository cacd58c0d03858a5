import Configuration
import PersistenceCore

@testable import PostgresEngine

/// Configurations: what is read is valid, means the same to libpq, and is described without its secrets.
enum ConfigurationCheck {
    static func runConnectionString(_ input: UnsafeRawBufferPointer) throws {
        let configuration: PostgresConfiguration
        do {
            configuration = try PostgresConfiguration(connectionString: input.text)
        } catch {
            return try require(error.code == .configuration, "a connection string throws \(error.code)")
        }
        try check(configuration)
        // libpq reads what it would be given as what was read.
        guard let host = configuration.hosts.first else { throw Finding("a configuration has no host") }
        let keywords = configuration.keywords(for: host, address: nil)
        let text = keywords.map { "\($0.keyword)=\(quoted($0.value))" }.joined(separator: " ")
        let again: PostgresConfiguration
        do {
            again = try PostgresConfiguration(connectionString: text)
        } catch {
            throw Finding("what libpq would be given cannot be read: \(error)")
        }
        guard let sameHost = again.hosts.first else { throw Finding("a configuration has lost its host") }
        let others = again.keywords(for: sameHost, address: nil)
        try require(table(keywords) == table(others), "what libpq would be given means something else")
    }

    /// The input: lines of `KEY=value`, as environment variables are.
    static func runSettings(_ input: UnsafeRawBufferPointer) throws {
        var values: [String: String] = [:]
        for line in input.text.unicodeScalars.split(separator: "\n").prefix(50) {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { values[String(parts[0])] = String(parts[1]) }
        }
        let reader = ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: values))
        let configuration: PostgresConfiguration
        do {
            configuration = try PostgresConfiguration(config: reader)
        } catch {
            return try require(error.code == .configuration, "settings throw \(error.code)")
        }
        try check(configuration)
    }

    private static func check(_ configuration: PostgresConfiguration) throws {
        do {
            try configuration.validate()
        } catch {
            throw Finding("a configuration that was read is not valid: \(error)")
        }
        var other = configuration
        if other.password != nil { other.password = Secret("another password") }
        if other.tls.clientKeyPassword != nil { other.tls.clientKeyPassword = Secret("another password") }
        try require("\(other)" == "\(configuration)", "the description depends on a secret")
        for host in configuration.hosts {
            for (keyword, value) in configuration.keywords(for: host, address: nil) {
                try require(!value.utf8.contains(0), "the value of \(keyword) would end early")
            }
        }
    }

    /// A value as connection strings have it: in quotes, with backslashes before quotes and backslashes.
    private static func quoted(_ value: String) -> String {
        var text = String.UnicodeScalarView("'".unicodeScalars)
        for scalar in value.unicodeScalars {
            if scalar == "'" || scalar == "\\" { text.append("\\") }
            text.append(scalar)
        }
        text.append("'")
        return String(text)
    }

    private static func table(_ keywords: [PostgresConfiguration.Keyword]) -> [String: [UInt8]] {
        Dictionary(keywords.map { ($0.keyword, Array($0.value.utf8)) }, uniquingKeysWith: { $1 })
    }
}
