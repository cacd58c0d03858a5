public import PersistenceCore

/// A name of a table, column, schema, role or channel, checked and quoted.
///
/// The one place in which a name becomes SQL. Quoting keeps upper case and special characters, so the name must be
/// written as the catalog has it.
public struct PostgresIdentifier: Hashable, Sendable {
    /// The parts from left to right, such as a schema and a table, unquoted.
    public let parts: [String]

    /// The longest name that the server keeps whole (`NAMEDATALEN` - 1), in bytes of UTF-8.
    public static let maximumLength = 63

    /// Checks a name.
    ///
    /// - Parameter parts: The name; more than one part makes a qualified name, such as a schema and a table.
    /// - Throws: ``PersistenceError`` with the code `invalidArgument` when a part is empty, longer than 63 bytes (the
    ///   server would cut it in silence) or contains a NUL character.
    public init(_ parts: String...) throws(PersistenceError) {
        try self.init(parts: parts)
    }

    /// Checks a name.
    ///
    /// - Parameter parts: The parts from left to right.
    /// - Throws: ``PersistenceError`` with the code `invalidArgument`, as above.
    public init(parts: [String]) throws(PersistenceError) {
        guard !parts.isEmpty else { throw PersistenceError(.invalidArgument, "an identifier needs a name") }
        for part in parts {
            guard !part.isEmpty else { throw PersistenceError(.invalidArgument, "an identifier is empty") }
            guard part.utf8.count <= Self.maximumLength else {
                throw PersistenceError(
                    .invalidArgument, "an identifier is longer than \(Self.maximumLength) bytes")
            }
            guard !part.utf8.contains(0) else {
                throw PersistenceError(.invalidArgument, "an identifier contains a NUL character")
            }
        }
        self.parts = parts
    }

    /// The name as it stands in SQL: every part in double quotes, the parts joined with dots.
    public var quoted: String {
        parts.map { part in
            var quoted = "\""
            for character in part.unicodeScalars {
                if character == "\"" { quoted.unicodeScalars.append("\"") }
                quoted.unicodeScalars.append(character)
            }
            return quoted + "\""
        }.joined(separator: ".")
    }
}
