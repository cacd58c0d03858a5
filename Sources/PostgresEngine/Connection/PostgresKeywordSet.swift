internal import CLibPQ
internal import PersistenceCore

/// Values for libpq's keywords, each with the key that a fault in it is reported under.
///
/// Connection strings, the environment and configuration readers all arrive here, so that every setting is read by one
/// piece of code.
struct PostgresKeywordSet {
    private struct Entry {
        var value: String
        var key: String
    }

    private var entries: [String: Entry] = [:]

    /// The keywords that have a value.
    var keywords: Set<String> { Set(entries.keys) }

    /// The value of a keyword; an empty one counts as none, as it does for libpq.
    subscript(keyword: String) -> String? {
        guard let value = entries[keyword]?.value, !value.isEmpty else { return nil }
        return value
    }

    /// The name under which a fault in a keyword is reported.
    func key(_ keyword: String) -> String { entries[keyword]?.key ?? keyword }

    /// Sets a keyword's value.
    ///
    /// - Parameters:
    ///   - keyword: The libpq keyword.
    ///   - value: Its value.
    ///   - key: The name under which a fault in it is reported; the keyword itself when `nil`.
    mutating func set(_ keyword: String, _ value: String, key: String? = nil) {
        entries[keyword] = Entry(value: value, key: key ?? keyword)
    }

    /// Adds the keywords that another set has and this one lacks.
    mutating func addMissing(from other: PostgresKeywordSet) {
        entries.merge(other.entries) { mine, _ in mine }
    }
}

extension PostgresKeywordSet {
    /// Reads a connection URI or a keyword/value string with libpq's own parser.
    ///
    /// libpq's error messages quote what they could not read, which may be the password, so none of their text is
    /// passed on.
    ///
    /// - Parameters:
    ///   - connectionString: The text.
    ///   - key: The name under which a fault in the text is reported.
    ///   - prefix: What stands before a keyword where a fault in its value is reported.
    ///   - faults: Takes what is wrong.
    init?(connectionString: String, key: String, prefix: String = "", faults: inout ConfigurationFaults) {
        guard !connectionString.isEmpty else {
            faults.add(key: key, "is empty")
            return nil
        }
        guard !connectionString.utf8.contains(0) else {
            faults.add(key: key, "holds a NUL character")
            return nil
        }
        var message: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(connectionString, &message) else {
            let text = message.map { String(cString: $0) } ?? ""
            PQfreemem(message)
            faults.add(key: key, PostgresConninfoFault.reason(message: text, connectionString: connectionString))
            return nil
        }
        defer { PQconninfoFree(options) }
        self.init(options, prefix: prefix) { _ in true }
    }

    /// Whether a text has one of the prefixes that make a connection string a URI.
    static func isURI(_ text: String) -> Bool {
        text.hasPrefix("postgres://") || text.hasPrefix("postgresql://")
    }

    /// Reads the `PG…` variables of the process's environment, and the service file where `PGSERVICE` names one.
    static func environment() throws(PersistenceError) -> PostgresKeywordSet {
        guard let options = PQconndefaults() else {
            throw PersistenceError(.resourceExhausted, "there is no memory to read the environment")
        }
        defer { PQconninfoFree(options) }
        // What libpq was compiled with is no choice of the environment's; this library has defaults of its own.
        return PostgresKeywordSet(options, prefix: "") { option in
            guard let compiled = option.compiled else { return true }
            return String(cString: compiled) != String(cString: option.val)
        }
    }

    private init(
        _ options: UnsafeMutablePointer<PQconninfoOption>, prefix: String, where include: (PQconninfoOption) -> Bool
    ) {
        var next = options
        while let keyword = next.pointee.keyword {
            if let value = next.pointee.val, value.pointee != 0, include(next.pointee) {
                let keyword = String(cString: keyword)
                set(keyword, String(cString: value), key: prefix + keyword)
            }
            next += 1
        }
    }
}

/// What is wrong with a connection string, told without quoting it.
enum PostgresConninfoFault {
    /// libpq's messages, by what they begin with or contain, and what they mean.
    private static let reasons: [(marker: String, reason: String)] = [
        ("invalid percent-encoded token", "has a % that no two hexadecimal digits follow (a % is written %25)"),
        ("forbidden value %00", "holds a NUL character"),
        ("end of string reached when looking for matching \"]\"", "has an IPv6 address without its closing bracket"),
        ("IPv6 host address may not be empty", "has an empty IPv6 address"),
        ("unexpected character", "has a character where a port, path or query should begin"),
        ("extra key/value separator", "has a second = in one of its parameters (a = is written %3D)"),
        ("missing key/value separator", "has a parameter without ="),
        ("missing \"=\" after", "is neither a URI that begins with postgres:// nor a list of keyword=value"),
        ("unterminated quoted string", "has a quote that is not closed"),
    ]

    /// The reason for a message of libpq's.
    ///
    /// - Parameters:
    ///   - message: The message, which may quote secrets.
    ///   - connectionString: What was read.
    /// - Returns: A reason that quotes nothing but the name of an unknown keyword.
    static func reason(message: String, connectionString: String) -> String {
        for marker in ["invalid connection option \"", "invalid URI query parameter: \""] {
            guard message.hasPrefix(marker) else { continue }
            let name = message.dropFirst(marker.count).prefix { $0 != "\"" }
            guard isKeyword(name), !mayBeSecret(name, in: connectionString) else {
                return "has an unknown keyword (a value with special characters must be quoted or percent-encoded)"
            }
            return "has the unknown keyword \(name)"
        }
        for (marker, reason) in reasons where message.hasPrefix(marker) { return reason }
        return "is not a connection string that libpq can read"
    }

    private static func isKeyword(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.count <= 40
            && text.utf8.allSatisfy { ($0 >= 0x61 && $0 <= 0x7A) || $0 == 0x5F || ($0 >= 0x30 && $0 <= 0x39) }
    }

    /// Whether what libpq takes for a keyword may be the rest of a password: one with a blank in a keyword/value string,
    /// or with an unescaped question mark in a URI.
    private static func mayBeSecret(_ name: Substring, in connectionString: String) -> Bool {
        if PostgresKeywordSet.isURI(connectionString) {
            guard let question = connectionString.firstIndex(of: "?") else { return true }
            let query = connectionString[question...]
            return query.contains("@") || query.contains("password")
        }
        return connectionString.contains("password")
    }
}
