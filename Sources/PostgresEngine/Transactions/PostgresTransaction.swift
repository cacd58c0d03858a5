public import PersistenceCore

/// A transaction, lent to the closure of `withTransaction`.
///
/// The handle is not `Sendable` and does not outlive the closure: kept beyond it, every use throws
/// `transactionFinished`.
public final class PostgresTransaction: PostgresExecutor {
    let session: PostgresSession
    let context: EngineContext
    let scope: TransactionScope

    init(session: PostgresSession, context: EngineContext, scope: TransactionScope) {
        self.session = session
        self.context = context
        self.scope = scope
    }

    /// Lends the transaction's connection for one operation.
    public func lease() async throws(PersistenceError) -> PostgresLease {
        guard !scope.isFinished else { throw TransactionScope.finishedError }
        await scope.closeAbandonedCursors(on: session)
        return PostgresLease(session: session, transaction: scope)
    }

    /// Lends the transaction's connection for one operation, unless the transaction has ended or has cursors to close.
    public func leaseIfReady() -> PostgresLease? {
        guard !scope.isFinished, !scope.hasAbandonedCursors else { return nil }
        return PostgresLease(session: session, transaction: scope)
    }

    /// Runs `body` in a savepoint: an error undoes what `body` did, and the transaction goes on.
    ///
    /// Savepoints nest.
    ///
    /// - Parameter body: The work.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws, unwrapped; ``PersistenceError`` when the savepoint cannot be set or released.
    @discardableResult
    public func withSavepoint<Result>(
        _ body: (PostgresTransaction) async throws -> Result
    ) async throws -> Result {
        let name = scope.nextSavepoint()
        try await control("SAVEPOINT \(name)", isCancellable: true)
        do {
            let result = try await body(self)
            // A failure that the body swallowed has aborted the savepoint: releasing it fails, and says so.
            if let failure = scope.failure {
                throw PersistenceError(
                    .transactionAborted, "a statement in the savepoint had failed, so its work is undone"
                ).with { $0.underlying = failure }
            }
            try await control("RELEASE SAVEPOINT \(name)", isCancellable: false)
            return result
        } catch {
            guard session.isAlive, !scope.isFinished else { throw error }
            // Undoing must happen whether or not the task is cancelled, or the transaction would stay aborted.
            try await control("ROLLBACK TO SAVEPOINT \(name)", isCancellable: false)
            scope.forgetFailure()
            throw error
        }
    }

    /// Runs a transaction-control statement.
    private func control(_ sql: String, isCancellable: Bool) async throws(PersistenceError) {
        guard !scope.isFinished else { throw TransactionScope.finishedError }
        let commands = try scope.takePreamble() + [.text(sql)]
        let reply = await session.fly(deadline: context.deadline, isCancellable: isCancellable) { state, flight in
            state.sendPipelined(commands, syncEach: false, flight: &flight) ? .sent : .failed
        }
        do throws(PersistenceError) {
            try reply.check(expecting: commands.count, session: session, sql: sql)
        } catch {
            throw scope.note(error).with { $0.operation = StatementText.command(of: sql) }
        }
    }
}

@available(*, unavailable)
extension PostgresTransaction: Sendable {}
