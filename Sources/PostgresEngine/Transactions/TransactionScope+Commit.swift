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
        if let failure = reply.failure, reply.count <= index, reply.firstError == nil {
            // Refused before a byte was sent: nothing is unknown about that.
            guard failure.retrySafety != .safe else { throw note(failure) }
            throw PersistenceError(.commitUnknown, operation: "COMMIT").with { $0.underlying = failure }
        }
        do throws(PersistenceError) {
            try reply.check(expecting: index + 1, session: session, sql: "COMMIT")
        } catch {
            // The server answers COMMIT itself with an error only when it has rolled back. An error that ends the
            // connection may have come after the commit.
            if reply.failure != nil, error.code == .unavailable || error.code == .connection {
                throw PersistenceError(.commitUnknown, operation: "COMMIT").with { $0.underlying = error }
            }
            throw error.with { $0.operation = $0.operation ?? "COMMIT" }
        }
        let tag = PQcmdStatus(reply.result(index)).map { String(cString: $0) } ?? ""
        guard tag == "COMMIT" else {
            throw PersistenceError(
                .transactionAborted, operation: "COMMIT", retrySafety: failure?.retrySafety ?? .unsafe
            ).with { $0.underlying = failure }
        }
    }
}
