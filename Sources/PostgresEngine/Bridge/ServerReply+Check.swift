internal import CLibPQ
internal import PersistenceCore

extension ServerReply {
    /// Throws what went wrong, if anything did.
    ///
    /// - Parameters:
    ///   - count: How many results belong to the flight.
    ///   - session: The session, for its reason to close.
    ///   - sql: The statement's text, for the position of an error.
    func check(
        expecting count: Int, session: PostgresSession, sql: @autoclosure () -> String
    ) throws(PersistenceError) {
        if count == 1, isOneGoodResult { return }
        try checkThoroughly(expecting: count, session: session, sql: sql())
    }

    @inline(never)
    private func checkThoroughly(
        expecting count: Int, session: PostgresSession, sql: @autoclosure () -> String
    ) throws(PersistenceError) {
        if let (_, error) = serverError {
            session.forgetStatements(after: error)
            throw error.persistenceError(sql: sql(), interruption: interruption)
        }
        if let failure {
            guard let interruption, failure.code != .commitUnknown else { throw failure }
            // The server never answered the cancel request; what the caller waited for is still what ended it.
            throw failure.with { error in
                switch interruption {
                case .task: error.code = .cancelled
                case .deadline:
                    error.code = .timeout
                    error.timeout = .statement
                }
            }
        }
        guard self.count >= count else {
            session.close(reason: PersistenceError(.internal, "the server sent fewer results than commands"))
            throw PersistenceError(.internal, "the server sent fewer results than commands")
        }
        for index in 0..<self.count {
            switch PQresultStatus(result(index)) {
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                // Nobody would feed or drain it.
                session.close()
                throw PersistenceError(.invalidArgument, "COPY runs through copyIn and copyOut")
            case PGRES_EMPTY_QUERY where index < count:
                throw PersistenceError(.invalidStatement, "the statement is empty")
            default: continue
            }
        }
    }
}
