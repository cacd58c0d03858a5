internal import CLibPQ
internal import DequeModule
internal import PersistenceCore

/// One command of a flight.
enum FlightCommand: Sendable {
    /// A text without parameters, such as `BEGIN`; parsed each time.
    case text(String)
    /// A text with parameters; parsed each time.
    case unnamed(String, PostgresParameters)
    /// A statement that the cache keeps.
    case statement(StatementKey, sql: String, PostgresParameters)

    /// A text without parameters that recurs, such as `COMMIT`; prepared, which saves the server the parsing.
    static func keyword(_ sql: String) -> FlightCommand {
        .statement(.keyword(sql), sql: sql, PostgresParameters())
    }
}

extension StatementKey {
    // Types of their own, so that the cache finds the commonest keywords by identity, without hashing.
    private enum Begin {}
    private enum Commit {}

    /// What the cache knows a text without parameters by that the engine itself sends.
    static func keyword(_ sql: String) -> StatementKey {
        switch sql {
        case "BEGIN": .query(ObjectIdentifier(Begin.self))
        case "COMMIT": .query(ObjectIdentifier(Commit.self))
        default: .text(sql, [])
        }
    }
}

extension SessionState {
    /// Sends one cached statement outside a pipeline, the shortest way there is.
    ///
    /// - Returns: `nil` when the statement is not prepared yet; otherwise whether libpq took it.
    mutating func sendPrepared(_ key: StatementKey) -> Bool? {
        guard let connection, let statement = cache.statement(for: key) else { return nil }
        if statement.touchesSession { isTouched = true }
        return sendExecution(connection, statement, scratch)
    }

    /// Sends a keyword alone: without the cost of a pipeline when it is prepared.
    mutating func sendKeyword(_ sql: String, flight: inout FlightRecord) -> Bool {
        scratch.removeAll()
        return sendPrepared(.keyword(sql)) ?? sendPipelined([.keyword(sql)], syncEach: false, flight: &flight)
    }

    private mutating func sendExecution(
        _ connection: OpaquePointer, _ statement: PreparedStatement, _ parameters: PostgresParameters
    ) -> Bool {
        arguments.withArguments(parameters) { count, _, values, lengths, formats in
            PQsendQueryPrepared(connection, statement.name, count, values, lengths, formats, 1)
        } == 1
    }

    private mutating func sendUnnamed(
        _ connection: OpaquePointer, _ sql: String, _ parameters: PostgresParameters
    ) -> Bool {
        if StatementText.touchesSession(sql) { isTouched = true }
        return arguments.withArguments(parameters) { count, types, values, lengths, formats in
            PQsendQueryParams(connection, sql, count, types, values, lengths, formats, 1)
        } == 1
    }

    /// Sends a single parameterised text outside a pipeline.
    mutating func sendUnnamedAlone(_ sql: String) -> Bool {
        guard let connection else { return false }
        return sendUnnamed(connection, sql, scratch)
    }

    /// Sends a script through the simple protocol: several statements, no parameters, results as text.
    mutating func sendScript(_ sql: String) -> Bool {
        guard let connection else { return false }
        isTouched = true
        return PQsendQuery(connection, sql) == 1
    }

    /// Sends one cached statement into the pipeline of a shared connection.
    ///
    /// - Returns: `nil` when the statement is not prepared yet; otherwise whether libpq took it.
    mutating func sendPreparedShared(_ key: StatementKey, flight: inout FlightRecord) -> Bool? {
        guard let connection, let statement = cache.statement(for: key) else { return nil }
        flight.expectCommand()
        return sendExecution(connection, statement, scratch) && synchronize(connection, &flight)
    }

    /// Sends commands as one flight in pipeline mode, preparing on the way what is not prepared yet.
    ///
    /// - Parameters:
    ///   - commands: The commands, in order.
    ///   - syncEach: Whether each command stands for itself. Otherwise the first error skips the rest.
    ///   - flight: Receives the steps and synchronisation points to wait for.
    /// - Returns: Whether libpq took all of it.
    mutating func sendPipelined(_ commands: [FlightCommand], syncEach: Bool, flight: inout FlightRecord) -> Bool {
        guard let connection else { return false }
        if PQpipelineStatus(connection) == PQ_PIPELINE_OFF, PQenterPipelineMode(connection) != 1 { return false }
        let released = cache.pendingDeallocation
        if !released.isEmpty, PQtransactionStatus(connection) != PQTRANS_INERROR {
            // A point of its own: a name that the server no longer knows must not take the caller's commands with it.
            for statement in released {
                guard sendUnnamed(connection, "DEALLOCATE \(statement.nameText)", PostgresParameters()) else {
                    return false
                }
                flight.expect(.deallocate(1))
            }
            guard synchronize(connection, &flight) else { return false }
        }
        flight.commitsEach = syncEach
        var preparedHere: [StatementKey: PreparedStatement] = [:]
        for command in commands {
            guard send(command, connection, &preparedHere, &flight) else { return false }
            if syncEach, !synchronize(connection, &flight) { return false }
        }
        return syncEach || synchronize(connection, &flight)
    }

    private func synchronize(_ connection: OpaquePointer, _ flight: inout FlightRecord) -> Bool {
        flight.syncs += 1
        return PQpipelineSync(connection) == 1
    }

    private mutating func send(
        _ command: FlightCommand, _ connection: OpaquePointer,
        _ preparedHere: inout [StatementKey: PreparedStatement], _ flight: inout FlightRecord
    ) -> Bool {
        switch command {
        case .text(let sql):
            flight.expectCommand()
            return sendUnnamed(connection, sql, PostgresParameters())
        case .unnamed(let sql, let parameters):
            flight.expectCommand()
            return sendUnnamed(connection, sql, parameters)
        case .statement(let key, let sql, let parameters):
            guard cache.isEnabled else {
                flight.expectCommand()
                return sendUnnamed(connection, sql, parameters)
            }
            let statement: PreparedStatement
            if let known = cache.statement(for: key) ?? preparedHere[key] {
                statement = known
            } else {
                statement = cache.makeStatement(for: key, touchesSession: StatementText.touchesSession(sql))
                let sent = arguments.withArguments(parameters) { count, types, _, _, _ in
                    PQsendPrepare(connection, statement.name, sql, count, types)
                }
                guard sent == 1 else { return false }
                preparedHere[key] = statement
                flight.expect(.prepare(statement))
            }
            if statement.touchesSession { isTouched = true }
            flight.expectCommand()
            return sendExecution(connection, statement, parameters)
        }
    }

    /// Hands libpq's buffer to the socket.
    ///
    /// - Returns: Whether bytes are left; `nil` when the connection is lost.
    mutating func flush() -> Bool? {
        guard let connection else { return nil }
        switch PQflush(connection) {
        case 0: return false
        case 1: return true
        default: return nil
        }
    }
}
