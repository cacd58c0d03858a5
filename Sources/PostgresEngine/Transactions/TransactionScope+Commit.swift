internal import CLibPQ
internal import PersistenceCore

extension TransactionScope {
    /// What the server's answer to a flight that ends with COMMIT means.
    ///
    /// The tag decides: the server answers COMMIT of a failed transaction with ROLLBACK and no error.
    ///
    /// - Parameters:
    ///   - reply: The answer.
    ///   - index: The place of COMMIT in the flight.
    ///   - session: The connection.
    /// - Throws: ``PersistenceError``: `commitUnknown` when the connection was lost before the answer came,
    ///   `transactionAborted` when the server rolled back, or the error of COMMIT itself, such as
    ///   `serializationFailure` or a deferred constraint's.
    func checkCommit(
        _ reply: borrowing ServerReply, at index: Int, session: PostgresSession
    ) throws(PersistenceError) {
        if let failure = reply.failure, failure.code == .commitUnknown {
            throw failure.with { $0.operation = "COMMIT" }
        }
        // The tag is the server's last word, even when the connection is lost right after it.
        guard reply.count > index, PQresultStatus(reply.result(index)) == PGRES_COMMAND_OK else {
            throw commitFailure(reply, at: index, session: session)
        }
        let tag = PQcmdStatus(reply.result(index)).map { String(cString: $0) } ?? ""
        guard tag == "COMMIT" else {
            guard tag == "ROLLBACK" else {
                let error = PersistenceError(.internal, "the server answered COMMIT with another command's tag")
                session.close(reason: error)
                throw unknownOutcome(error)
            }
            throw PersistenceError(
                .transactionAborted, operation: "COMMIT", retrySafety: failure?.retrySafety ?? .unsafe
            ).with { $0.underlying = failure }
        }
    }

    /// Why COMMIT brought no tag.
    private func commitFailure(
        _ reply: borrowing ServerReply, at index: Int, session: PostgresSession
    ) -> PersistenceError {
        if let (place, said) = reply.serverError {
            session.forgetStatements(after: said)
            let error = said.persistenceError(interruption: reply.interruption)
            // An error that ends the session may have come after the commit, unless the server answered a command before
            // COMMIT with it. Any other error it answers only when it has rolled back.
            guard said.endsConnection, place >= index || said.isPoolers else {
                return note(error).with { $0.operation = $0.operation ?? "COMMIT" }
            }
            return unknownOutcome(error)
        }
        guard let failure = reply.failure else {
            let error = PersistenceError(.internal, "the server sent no result for COMMIT", operation: "COMMIT")
            session.close(reason: error)
            return unknownOutcome(error)
        }
        // Refused before a byte was sent: nothing is unknown about that.
        return failure.retrySafety == .safe ? note(failure) : unknownOutcome(failure)
    }

    private func unknownOutcome(_ cause: PersistenceError) -> PersistenceError {
        PersistenceError(.commitUnknown, operation: "COMMIT").with { $0.underlying = cause }
    }
}
