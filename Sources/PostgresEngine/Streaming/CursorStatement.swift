internal import PersistenceCore
internal import Synchronization

/// A statement whose rows a cursor fetches, and what to call it.
struct CursorStatement {
    let sql: String
    let operation: String?
    let command: String
    let summary: String?
    let collection: String?
    private let bind: (inout PostgresParameters) throws(PersistenceError) -> Void

    init(
        sql: String, operation: String?, command: String, summary: String?, collection: String?,
        bind: @escaping (inout PostgresParameters) throws(PersistenceError) -> Void
    ) {
        self.sql = sql
        self.operation = operation
        self.command = command
        self.summary = summary
        self.collection = collection
        self.bind = bind
    }

    init(_ statement: PostgresStatement) {
        self.init(
            sql: statement.sql, operation: statement.operationName, command: StatementText.command(of: statement.sql),
            summary: statement.name, collection: nil
        ) { (parameters) throws(PersistenceError) in
            if let failure = statement.failure { throw failure }
            parameters = statement.parameters
        }
    }

    /// Makes a name that no other cursor of this process has.
    static func makeCursorName() -> String {
        "stream_\(cursorCount.wrappingAdd(1, ordering: .relaxed).oldValue)"
    }

    private static func declaration(_ cursor: String) -> String {
        "DECLARE \(cursor) NO SCROLL CURSOR FOR "
    }

    /// The command that opens a cursor for the statement.
    func declare(_ cursor: String) throws(PersistenceError) -> FlightCommand {
        let first = StatementText.command(of: sql)
        guard ["SELECT", "VALUES", "TABLE", "WITH"].contains(first) else {
            throw notStreamable("\(first.isEmpty ? "this" : first) cannot be streamed")
        }
        var parameters = PostgresParameters()
        try bind(&parameters)
        try parameters.checkLimits()
        return .unnamed(Self.declaration(cursor) + sql, parameters)
    }

    /// The error for what the server said about the declaration.
    func error(_ error: PostgresServerError, cursor: String, interruption: Interruption?) -> PersistenceError {
        var error = error
        if let position = error.position {
            // The server counts in the declaration, the caller in the statement.
            error.position = max(position - Self.declaration(cursor).unicodeScalars.count, 1)
        }
        let failure = error.persistenceError(sql: sql, interruption: interruption)
        let isWriting = StatementText.command(of: sql) == "WITH" && ["42601", "0A000"].contains(error.sqlState)
        guard isWriting || error.sqlState == "42P11" else { return failure }
        return failure.with { failure in
            failure.summary += "; \(Self.rule)"
        }
    }

    private func notStreamable(_ reason: String) -> PersistenceError {
        PersistenceError(.invalidArgument, "\(reason): \(Self.rule)")
    }

    private static let rule =
        "a stream needs a SELECT, VALUES or TABLE that changes nothing; read the rows of INSERT, UPDATE, DELETE and "
        + "MERGE with all(_:as:) or run(_:)"
}

private let cursorCount = Atomic<UInt64>(1)
