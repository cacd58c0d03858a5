/// One statement of a script.
public struct SQLStatement: Hashable, Sendable {
    /// The statement, from its first token to its last, without the semicolon.
    public let text: String

    /// Where the statement starts, in bytes of the script's UTF-8 form.
    public let utf8Offset: Int

    /// The words that the statement starts with, in upper case, up to the first token of another kind; at most eight.
    ///
    /// `CREATE INDEX CONCURRENTLY ON t (a)` starts with `CREATE`, `INDEX`, `CONCURRENTLY`, `ON`, `T`.
    public let leadingWords: [String]

    /// Whether the statement is nothing but ``leadingWords``.
    public let isWordsOnly: Bool

    init(text: String, utf8Offset: Int, leadingWords: [String], isWordsOnly: Bool) {
        self.text = text
        self.utf8Offset = utf8Offset
        self.leadingWords = leadingWords
        self.isWordsOnly = isWordsOnly
    }
}

extension SQLStatement {
    /// What a statement does to the transaction that it runs in.
    enum TransactionControl: Hashable {
        /// Nothing: savepoints included, which nest.
        case none
        /// Starts one with the default modes and does nothing else.
        case plainBegin
        /// Commits and does nothing else.
        case plainCommit
        /// Starts one with modes, ends one, or leaves it to a two-phase commit.
        case other
    }

    /// What the statement does to the transaction that it runs in.
    var transactionControl: TransactionControl {
        guard let first = leadingWords.first else { return .none }
        let rest = leadingWords.dropFirst()
        let isPlain = isWordsOnly && (rest.isEmpty || rest == ["WORK"] || rest == ["TRANSACTION"])
        switch first {
        case "BEGIN": return isPlain ? .plainBegin : .other
        case "START" where rest.first == "TRANSACTION":
            return isWordsOnly && rest.count == 1 ? .plainBegin : .other
        case "COMMIT", "END": return isPlain ? .plainCommit : .other
        case "ABORT": return .other
        case "ROLLBACK":
            let target = rest.drop { $0 == "WORK" || $0 == "TRANSACTION" }
            return target.first == "TO" ? .none : .other
        case "PREPARE" where rest.first == "TRANSACTION": return .other
        default: return .none
        }
    }

    /// Whether the statement takes away what the migrator has in the session: its lock, or its prepared statements.
    var discardsSession: Bool {
        leadingWords == ["DISCARD", "ALL"] || leadingWords == ["DEALLOCATE", "ALL"]
            || leadingWords == ["DEALLOCATE", "PREPARE", "ALL"]
    }
}
