internal import CLibPQ
internal import PersistenceCore

/// What the server said about a failure, in the fields of its error message.
///
/// Detail and context are left out on purpose: they quote row values (`Key (email)=(…) already exists`).
struct PostgresServerError: Sendable, Equatable {
    /// The five characters of the SQLSTATE.
    var sqlState: String
    /// The severity in English: `ERROR`, `FATAL` or `PANIC`.
    var severity: String
    /// The message in the server's language; it can quote values.
    var primaryMessage: String
    /// The schema concerned.
    var schema: String?
    /// The table concerned.
    var table: String?
    /// The column concerned.
    var column: String?
    /// The data type concerned.
    var dataType: String?
    /// The constraint concerned.
    var constraint: String?
    /// Where in the statement the error is, counted in characters from 1.
    var position: Int?
    /// The function of the server's source that reported the error, which tells errors with one SQLSTATE apart in every
    /// language.
    var sourceFunction: String?
    /// The file of the server's source that reported the error.
    var sourceFile: String?

    init(
        sqlState: String,
        severity: String = "ERROR",
        primaryMessage: String = "",
        sourceFunction: String? = nil
    ) {
        self.sqlState = sqlState
        self.severity = severity
        self.primaryMessage = primaryMessage
        self.sourceFunction = sourceFunction
    }

    /// Reads the fields of a result.
    ///
    /// - Parameter result: A `PGresult`, which the caller keeps.
    /// - Returns: `nil` when the result holds no error of the server's: libpq makes results of its own, without an
    ///   SQLSTATE, when the connection is lost.
    init?(result: OpaquePointer) {
        func field(_ code: Character) -> String? {
            guard let ascii = code.asciiValue, let text = PQresultErrorField(result, Int32(ascii)) else { return nil }
            return String(cString: text)
        }
        // The codes of postgres_ext.h, which are macros that Swift does not import.
        guard let sqlState = field("C") else { return nil }
        self.sqlState = sqlState
        self.severity = field("V") ?? field("S") ?? "ERROR"
        self.primaryMessage = field("M") ?? ""
        self.schema = field("s")
        self.table = field("t")
        self.column = field("c")
        self.dataType = field("d")
        self.constraint = field("n")
        self.position = field("P").flatMap { Int($0) }
        self.sourceFunction = field("R")
        self.sourceFile = field("F")
    }

    /// Whether the connection ends with this error.
    var endsConnection: Bool { severity == "FATAL" || severity == "PANIC" }

    /// Whether a pooler between client and server has ended the connection, in its own words: only the server says where
    /// in its source an error comes from.
    ///
    /// It puts them in the place of whatever answer it has not passed on yet, so they tell nothing of what the server did
    /// with that command or those after it.
    var isPoolers: Bool { endsConnection && sourceFile == nil }

    /// Whether a prepared statement's result has changed its columns since it was prepared, so that it must be prepared
    /// again: `cached plan must not change result type`, which has no SQLSTATE of its own.
    var isStalePlan: Bool { sqlState == "0A000" && sourceFunction == "RevalidateCachedQuery" }

    /// Whether the server does not know a prepared statement, as behind a pooler that gave the session away.
    var isUnknownStatement: Bool { sqlState == "26000" }

    /// Whether the session knows a prepared statement of that name already, as behind a pooler.
    var isDuplicateStatement: Bool { sqlState == "42P05" }
}

extension PostgresServerError {
    /// Why a statement was interrupted, when the client did it.
    enum Interruption: Sendable {
        /// The task was cancelled.
        case task
        /// The operation's deadline passed.
        case deadline
    }

    /// The error to throw.
    ///
    /// - Parameters:
    ///   - operation: The name of the operation that failed.
    ///   - sql: The statement's text, to find line and column of ``position``; leave it out where the text is not the
    ///     caller's own.
    ///   - interruption: Why the client asked the server to cancel the statement, if it did.
    /// - Returns: The error. Its summary quotes identifiers, and never values.
    func persistenceError(
        operation: String? = nil,
        sql: String? = nil,
        interruption: Interruption? = nil
    ) -> PersistenceError {
        let meaning = PostgresSQLState.meaning(of: self, interruption: interruption)
        return PersistenceError(
            meaning.code, summary(for: meaning), operation: operation,
            retrySafety: isPoolers ? .unknown : meaning.retrySafety
        ).with { error in
            error.serverCode = sqlState
            error.serverMessage = primaryMessage.isEmpty ? nil : primaryMessage
            error.constraint = constraint
            error.collection = table
            error.column = column
            error.timeout = meaning.timeout
            error.location = position.map { Self.location(of: $0, in: sql) }
        }
    }

    private func summary(for meaning: PostgresSQLState.Meaning) -> String? {
        if messageQuotesIdentifiersOnly { return primaryMessage }
        var text = meaning.sentence ?? PersistenceError(meaning.code).summary
        var names: [String] = []
        if let constraint { names.append("constraint \(constraint)") }
        if let column { names.append("column \(column)") }
        if let table { names.append("table \(schema.map { "\($0).\(table)" } ?? table)") }
        if let dataType { names.append("type \(dataType)") }
        if !names.isEmpty { text += " (\(names.joined(separator: ", ")))" }
        return text
    }

    /// Whether the server's message can be shown: it names tables, columns, functions and roles, and no values.
    ///
    /// The message of a syntax error quotes the statement, which may hold a literal; those of class 22, P0 and XX quote
    /// values; those of unknown codes may. Where a name can come from a parameter (`$1::regclass`), the message is
    /// shown only when the server gives a position, which means that the name stands in the statement's text. Procedural
    /// languages raise any code with any text, so theirs is never shown.
    private var messageQuotesIdentifiersOnly: Bool {
        guard !primaryMessage.isEmpty, !isRaisedByProcedure else { return false }
        if PostgresSQLState.quotingIdentifiers.contains(sqlState) { return true }
        guard PostgresSQLState.quotingStatementIdentifiers.contains(sqlState) else { return false }
        // DROP of something that is not there has no position, and takes names from the statement's text alone.
        return position != nil || sourceFunction == "DropErrorMsgNonExistent"
    }

    /// Whether the error comes out of a procedural language: `RAISE` in PL/pgSQL, and the like.
    private var isRaisedByProcedure: Bool {
        // Without a source there is no telling.
        guard let sourceFile, let sourceFunction else { return true }
        if sourceFunction == "exec_stmt_raise" { return true }
        return ["pl_exec.c", "plperl.c", "pltcl.c"].contains(sourceFile) || sourceFile.hasPrefix("plpy_")
            || sourceFile.hasPrefix("plv8")
    }

    /// Line and column of a position, both from 1; the position itself where the statement is not known.
    static func location(of position: Int, in sql: String?) -> String {
        guard let sql, position >= 1 else { return "position \(position)" }
        var line = 1
        var column = 1
        for scalar in sql.unicodeScalars.prefix(position - 1) {
            if scalar == "\n" {
                line += 1
                column = 1
            } else {
                column += 1
            }
        }
        return "\(line):\(column)"
    }
}
