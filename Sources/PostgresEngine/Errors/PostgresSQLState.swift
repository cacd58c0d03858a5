internal import PersistenceCore

/// What each SQLSTATE means to this library.
///
/// The codes are those of [Appendix A](https://www.postgresql.org/docs/current/errcodes-appendix.html) of the PostgreSQL
/// manual. A code that has no entry has the meaning of its class, the first two characters; a class that has none is
/// ``PersistenceError/Code/server``.
enum PostgresSQLState {
    /// What a SQLSTATE means.
    struct Meaning: Sendable, Equatable {
        var code: PersistenceError.Code
        /// Whether the same work may be done again; `nil` is the code's own default.
        var retrySafety: PersistenceError.RetrySafety?
        /// Which wait ran out, for a timeout.
        var timeout: PersistenceError.TimeoutKind?
        /// What to tell a person; `nil` is the code's own sentence.
        var sentence: String?

        init(
            _ code: PersistenceError.Code,
            _ sentence: String? = nil,
            retrySafety: PersistenceError.RetrySafety? = nil,
            timeout: PersistenceError.TimeoutKind? = nil
        ) {
            self.code = code
            self.sentence = sentence
            self.retrySafety = retrySafety
            self.timeout = timeout
        }
    }

    /// The meaning of an error.
    ///
    /// - Parameters:
    ///   - error: What the server said.
    ///   - interruption: Why the client asked the server to cancel the statement, if it did.
    /// - Returns: The meaning.
    static func meaning(
        of error: PostgresServerError, interruption: PostgresServerError.Interruption?
    ) -> Meaning {
        switch error.sqlState {
        case "57014": meaningOfCancel(error, interruption)
        case "55P03":
            // lock_timeout ends in the function that handles interrupts, NOWAIT in the one that wanted the lock.
            error.sourceFunction == "ProcessInterrupts"
                ? Meaning(.timeout, "a lock was not free within lock_timeout", retrySafety: .safe, timeout: .lock)
                : Meaning(.lockNotAvailable, retrySafety: .safe)
        case "42601" where error.sourceFunction == "exec_parse_message":
            Meaning(.invalidStatement, "these are several statements; executeScript of a connection runs them")
        case _ where error.isStalePlan:
            Meaning(
                .invalidStatement, "the columns of the statement's result have changed since it was prepared",
                retrySafety: .safe)
        default: meaning(of: error.sqlState)
        }
    }

    /// The meaning of a SQLSTATE by itself.
    ///
    /// - Parameter sqlState: Five characters; anything else is an unknown code.
    /// - Returns: The meaning.
    static func meaning(of sqlState: String) -> Meaning {
        if let meaning = codes[sqlState] { return meaning }
        guard sqlState.utf8.count == 5 else { return Meaning(.server) }
        return classes[String(sqlState.prefix(2))] ?? Meaning(.server)
    }

    private static func meaningOfCancel(
        _ error: PostgresServerError, _ interruption: PostgresServerError.Interruption?
    ) -> Meaning {
        switch interruption {
        case .task: return Meaning(.cancelled, "the task was cancelled, and the statement with it")
        case .deadline: return Meaning(.timeout, "the statement did not end before its deadline", timeout: .statement)
        case nil: break
        }
        // The server uses one code and one function for its own timeout and for another session's pg_cancel_backend; only
        // the message tells, in the server's language.
        if error.primaryMessage.contains("statement timeout") {
            return Meaning(.timeout, "the statement did not end within statement_timeout", timeout: .statement)
        }
        return Meaning(.cancelled, "the statement was cancelled on the server")
    }

    // MARK: Codes

    private static let codes: [String: Meaning] = [
        "08007": Meaning(.commitUnknown, "the outcome of the transaction is not known"),
        // PgBouncer says this, too, when it loses the server, whatever that was doing.
        "08P01": Meaning(
            .connection, "the server or a pooler objects to the protocol, or the pooler has lost the server",
            retrySafety: .unknown),
        "22001": Meaning(.invalidData, "a text is too long for its type"),
        "22003": Meaning(.invalidData, "a number is out of its type's range"),
        "22007": Meaning(.invalidData, "a date or time is malformed"),
        "22008": Meaning(.invalidData, "a date or time is out of its type's range"),
        "22012": Meaning(.invalidData, "the statement divides by zero"),
        "22021": Meaning(.invalidData, "a text is not valid in the database's encoding"),
        "22P02": Meaning(.invalidData, "a text is no value of its type"),
        "23000": Meaning(.checkViolation, "an integrity constraint refused the change"),
        "23001": Meaning(.foreignKeyViolation, "a foreign key restricts the change"),
        "23502": Meaning(.notNullViolation),
        "23503": Meaning(.foreignKeyViolation),
        "23505": Meaning(.uniqueViolation),
        "23514": Meaning(.checkViolation),
        "23P01": Meaning(.exclusionViolation),
        "25006": Meaning(.readOnly),
        "25P02": Meaning(.transactionAborted, "an earlier statement of the transaction failed, so no more are run"),
        "25P03": Meaning(
            .timeout, "the transaction was idle for longer than idle_in_transaction_session_timeout",
            timeout: .transaction),
        "25P04": Meaning(.timeout, "the transaction lasted longer than transaction_timeout", timeout: .transaction),
        "26000": Meaning(.invalidStatement, "the server does not know the prepared statement"),
        "28000": Meaning(.authentication),
        "28P01": Meaning(.authentication, "the server refused the password"),
        "3D000": Meaning(.invalidStatement, "the database does not exist"),
        "40000": Meaning(.serializationFailure, "the transaction was rolled back"),
        "40001": Meaning(.serializationFailure),
        "40002": Meaning(.checkViolation, "a constraint refused the transaction"),
        "40003": Meaning(.commitUnknown, "whether the statement was completed is not known"),
        "40P01": Meaning(.deadlock),
        "42501": Meaning(.permission),
        "42601": Meaning(.invalidStatement, "the statement has a syntax error"),
        "53300": Meaning(.tooManyConnections),
        "53100": Meaning(.resourceExhausted, "the server's disk is full"),
        "53200": Meaning(.resourceExhausted, "the server is out of memory"),
        "55P02": Meaning(.configuration, "a server parameter cannot be changed now"),
        "55P04": Meaning(.invalidStatement, "a new value of an enum was used before it was committed"),
        "57P01": Meaning(.unavailable, "the connection was ended by an administrator", retrySafety: .unknown),
        "57P02": Meaning(.unavailable, "the server ended all connections after a crash", retrySafety: .unknown),
        "57P03": Meaning(.unavailable, retrySafety: .safe),
        "57P04": Meaning(.connection, "the database was dropped"),
        "57P05": Meaning(
            .timeout, "the session was idle for longer than idle_session_timeout", timeout: .transaction),
        "72000": Meaning(.serializationFailure, "the transaction's snapshot is too old"),
        "HV001": Meaning(.resourceExhausted, "a foreign data wrapper is out of memory"),
        "P0001": Meaning(.server, "the database raised an error of its own"),
    ]

    private static let classes: [String: Meaning] = [
        "03": Meaning(.invalidStatement, "the statement is not complete"),
        // Within a session these come from what the server itself connects to, or from a connection that breaks.
        "08": Meaning(.connection, retrySafety: .unknown),
        "0A": Meaning(.unsupported, "the server does not support this"),
        "0B": Meaning(.invalidStatement),
        "0L": Meaning(.permission),
        "0P": Meaning(.permission, "the role does not exist or cannot be used"),
        "21": Meaning(.invalidData, "more rows came together than the statement allows"),
        "22": Meaning(.invalidData),
        "23": Meaning(.checkViolation, "an integrity constraint refused the change"),
        "24": Meaning(.invalidStatement, "the cursor is in no state for this"),
        "25": Meaning(.invalidStatement, "the transaction is in no state for this"),
        "26": Meaning(.invalidStatement),
        "27": Meaning(.invalidStatement, "a trigger changed the row that the statement changes"),
        "28": Meaning(.authentication),
        "2B": Meaning(.invalidStatement, "other objects depend on this one"),
        "2D": Meaning(.invalidStatement, "the transaction cannot be ended here"),
        "34": Meaning(.invalidStatement, "the cursor does not exist"),
        "3B": Meaning(.invalidStatement, "the savepoint does not exist"),
        "3D": Meaning(.invalidStatement),
        "3F": Meaning(.invalidStatement, "the schema does not exist"),
        "40": Meaning(.serializationFailure, "the transaction was rolled back"),
        "42": Meaning(.invalidStatement),
        "44": Meaning(.checkViolation, "the view's check option refused the change"),
        "53": Meaning(.resourceExhausted),
        "54": Meaning(.tooLarge),
        "57": Meaning(.unavailable),
    ]

    // MARK: Messages

    /// Codes whose messages name roles and objects that the statement or the catalog names, and quote no values.
    static let quotingIdentifiers: Set<String> = [
        "2BP01",  // dependent objects still exist
        "42501",  // permission denied for table …
        "42701", "42710", "42723", "42P03", "42P04", "42P06", "42P07",  // … already exists
        "42702", "42725", "42P09",  // … is ambiguous
        "42803", "42P19", "42P20",  // grouping, recursion, windows
        "42804",  // column … is of type … but expression is of type …
        "42809",  // … is not a table
        "42830", "42P10",  // constraints that do not exist on …
        "428C9",  // cannot insert a non-DEFAULT value into column …
        "42P02", "42P08", "42P18",  // parameters by number
        "3B001",  // savepoint … does not exist
    ]

    /// Codes whose messages name what does not exist, which `$1::regclass` and its like can take from a value.
    static let quotingStatementIdentifiers: Set<String> = [
        "3F000", "42703", "42704", "42883", "42P01",
    ]
}
