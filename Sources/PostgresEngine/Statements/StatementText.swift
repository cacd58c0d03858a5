internal import PersistenceCore

/// What a statement's text tells without parsing it.
enum StatementText {
    /// Whether executing the statement can leave something behind on the connection that its tag does not show.
    ///
    /// A false alarm costs a reset of the connection, so words in strings and comments do no harm. The scan runs once
    /// for a prepared statement.
    static func touchesSession(_ sql: String) -> Bool {
        guard sql != PostgresTransactionOptions.SetLocal.sql else { return false }
        let beginnings: [StaticString] = [
            "set_config", "pg_advisory_lock", "pg_try_advisory_lock", "pg_temp", "dblink_connect",
        ]
        let words: [StaticString] = ["temp", "temporary", "session"]
        return beginnings.contains { contains(sql, $0, .beginning) } || words.contains { contains(sql, $0, .word) }
    }

    /// Why a statement may not run on a connection that other tasks use at the same time; `nil` when it may.
    static func refusalOnSharedConnection(_ sql: String) -> PersistenceError? {
        guard ["SELECT", "VALUES", "WITH", "TABLE", "SHOW", "EXPLAIN"].contains(command(of: sql)) else {
            return PersistenceError(.invalidArgument, "a shared connection serves reads alone")
        }
        guard !touchesSession(sql) else {
            return PersistenceError(.invalidArgument, "the statement would change the session of a shared connection")
        }
        return nil
    }

    /// Why a statement may not run on a pool or in a transaction of the library's; `nil` when it may.
    ///
    /// On a pool, the next statement may run on another connection. In a transaction, the library could not tell any more
    /// what COMMIT does.
    static func refusalOfTransactionControl(_ sql: String) -> PersistenceError? {
        switch command(of: sql) {
        case "ROLLBACK" where contains(sql, "to", .word): nil
        case "BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT":
            PersistenceError(
                .invalidArgument,
                "withTransaction begins and ends transactions; throw from its closure to roll back, and take a "
                    + "connection with withConnection to do all of it by hand")
        default: nil
        }
    }

    /// The first word, in capitals: `SELECT` for `select 1`.
    static func command(of sql: String) -> String {
        var rest = sql.utf8[...]
        while let byte = rest.first {
            if byte == UInt8(ascii: " ") || (byte >= 9 && byte <= 13) || byte == UInt8(ascii: "(") {
                rest.removeFirst()
            } else if rest.starts(with: "--".utf8) {
                rest = rest.drop { $0 != UInt8(ascii: "\n") }
            } else if rest.starts(with: "/*".utf8) {
                rest = afterBlockComment(rest)
            } else {
                break
            }
        }
        let word = rest.prefix { ($0 | 0x20) >= UInt8(ascii: "a") && ($0 | 0x20) <= UInt8(ascii: "z") }
        return String(decoding: word, as: UTF8.self).uppercased()
    }

    private static func afterBlockComment(_ text: Substring.UTF8View) -> Substring.UTF8View {
        var rest = text
        var depth = 0
        repeat {
            if rest.starts(with: "/*".utf8) {
                depth += 1
                rest = rest.dropFirst(2)
            } else if rest.starts(with: "*/".utf8) {
                depth -= 1
                rest = rest.dropFirst(2)
            } else {
                rest = rest.dropFirst()
            }
        } while depth > 0 && !rest.isEmpty
        return rest
    }

    /// How much of a name has to match.
    private enum Match {
        case beginning
        case word
    }

    private static func contains(_ text: String, _ word: StaticString, _ match: Match) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            let length = word.utf8CodeUnitCount
            guard bytes.count >= length else { return false }
            for start in 0...(bytes.count - length) {
                if start > 0, isPartOfName(bytes[start - 1]) { continue }
                var matched = 0
                while matched < length, bytes[start + matched] | 0x20 == word.utf8Start[matched] | 0x20 { matched += 1 }
                guard matched == length else { continue }
                let end = start + length
                if match == .beginning || end == bytes.count || !isPartOfName(bytes[end]) { return true }
            }
            return false
        }
    }

    /// Whether a byte can stand in a name without quotes (PostgreSQL manual, 4.1.1).
    private static func isPartOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "$"), 0x80...:
            true
        default: false
        }
    }
}
