internal import PersistenceCore

/// The names of databases and collections.
///
/// Source: "Naming Restrictions" in "MongoDB Limits and Thresholds".
public enum MongoNamespace {
    /// The longest `database.collection`, in bytes of UTF-8: 235, which holds for sharded collections too.
    ///
    /// Unsharded ones may have 255.
    public static let byteLimit = 235

    /// What is wrong with a database's name, to be read after it; nil when nothing is.
    static func faultInDatabase(_ name: String) -> String? {
        if name.isEmpty { return "is empty" }
        if name.utf8.count > 63 { return "has more than 63 bytes" }
        let refused = Set(#"/\. "$*<>:|?"#.utf8)
        if name.utf8.contains(where: { $0 == 0 || refused.contains($0) }) {
            return #"has a character that MongoDB does not accept: one of /\. "$*<>:|? or NUL"#
        }
        return nil
    }

    /// What is wrong with a collection's name, to be read after it; nil when nothing is.
    static func faultInCollection(_ name: String, database: String) -> String? {
        if name.isEmpty { return "is empty" }
        if name.utf8.contains(0) { return "holds a NUL character" }
        if name.utf8.contains(UInt8(ascii: "$")) { return "has a dollar sign" }
        if name.hasPrefix("system.") { return "begins with system., which is the server's own" }
        if name.hasPrefix(".") || name.hasSuffix(".") { return "begins or ends with a dot" }
        let length = database.utf8.count + 1 + name.utf8.count
        if length > byteLimit {
            return "makes a namespace of \(length) bytes with the database, and \(byteLimit) is the most"
        }
        return nil
    }
}
