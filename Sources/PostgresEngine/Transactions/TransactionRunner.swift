internal import CLibPQ
internal import PersistenceCore
internal import Tracing

/// Begins, commits and rolls back: the one place that knows how a transaction ends.
struct TransactionRunner {
    let session: PostgresSession
    let context: EngineContext

    /// Runs `body` in a transaction on the session.
    ///
    /// - Throws: What `body` throws, unwrapped, after ROLLBACK; ``PersistenceError`` when COMMIT fails
    ///   (`transactionAborted` when the server answered it with ROLLBACK, `commitUnknown` when it did not answer).
    func run<Result>(
        _ options: PostgresTransactionOptions, _ body: (PostgresTransaction) async throws -> Result
    ) async throws -> Result {
        let scope = TransactionScope(preamble: try options.preamble())
        let transaction = PostgresTransaction(session: session, context: context, scope: scope)
        let span = context.instrumentation.begin(DatabaseOperation(.transaction, on: context.target))
        let result: Result
        do {
            result = try await withSpanContext(span) { try await body(transaction) }
        } catch {
            await rollback(scope)
            let reason = PersistenceError(.transactionAborted, "the transaction's closure threw, so it was rolled back")
            span?.end(throwing: error as? PersistenceError ?? reason)
            throw error
        }
        do throws(PersistenceError) {
            try await commit(scope)
            span?.end(rows: nil)
            return result
        } catch {
            span?.end(throwing: error)
            throw error
        }
    }

    private func withSpanContext<Result>(
        _ span: OperationSpan?, _ body: () async throws -> Result
    ) async throws -> Result {
        guard let span else { return try await body() }
        return try await span.withContext(body)
    }

    private func commit(_ scope: TransactionScope) async throws(PersistenceError) {
        defer { scope.finish() }
        guard scope.hasBegun else { return }
        try scope.checkIsOpen(on: session)
        // Cancelling COMMIT would only make its outcome a question, so it is not interrupted; the deadline still ends
        // the wait, and then the outcome is unknown.
        let reply = await session.fly(deadline: context.deadline, isCancellable: false) { state, flight in
            state.sendKeyword("COMMIT", flight: &flight) ? .sent : .failed
        }
        try scope.checkCommit(reply, at: 0, session: session)
    }

    /// Rolls back whatever the task's state is; a connection that cannot is closed, which rolls back as well.
    private func rollback(_ scope: TransactionScope) async {
        let hasBegun = scope.hasBegun
        scope.finish()
        guard hasBegun, session.isAlive else { return }
        // The caller's own deadline may have passed already, and a server that is gone never answers.
        let grace = monotonicNanoseconds() &+ session.cancellationGrace
        let reply = await session.fly(deadline: grace, isCancellable: false) { state, flight in
            guard let connection = state.connection, PQtransactionStatus(connection) != PQTRANS_IDLE else {
                return .refused(PersistenceError(.transactionFinished))
            }
            return state.sendKeyword("ROLLBACK", flight: &flight) ? .sent : .failed
        }
        if reply.failure?.code == .transactionFinished { return }
        if reply.failure != nil || reply.firstError != nil { session.close() }
    }
}
