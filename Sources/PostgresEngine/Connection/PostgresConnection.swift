public import PersistenceCore

/// One connection, lent to the closure of ``PostgresDatabase/withConnection(_:)``.
///
/// For what needs the same connection more than once without a transaction: session settings, temporary tables, scripts,
/// advisory locks. What it leaves behind is undone before the connection serves somebody else. The handle is not
/// `Sendable` and does not outlive the closure: kept beyond it, every use throws `transactionFinished`.
public final class PostgresConnection: PostgresExecutor {
    let session: PostgresSession
    let context: EngineContext
    private var isFinished = false

    init(session: PostgresSession, context: EngineContext) {
        self.session = session
        self.context = context
    }

    /// Ends the use of the handle.
    func finish() {
        isFinished = true
    }

    func checkIsUsable() throws(PersistenceError) {
        guard !isFinished else {
            throw PersistenceError(
                .transactionFinished, "the connection has gone back to its pool; its handle cannot be used any more")
        }
    }

    /// Lends the connection for one operation.
    public func lease() async throws(PersistenceError) -> PostgresLease {
        try checkIsUsable()
        return PostgresLease(session: session)
    }

    /// Lends the connection for one operation, unless it has gone back.
    public func leaseIfReady() -> PostgresLease? {
        isFinished ? nil : PostgresLease(session: session)
    }

    /// The process that serves the connection (`pg_backend_pid()`).
    public var backendProcess: Int32 { session.backendProcess }

    /// The server's version: 150004 for 15.4.
    public var serverVersion: Int { session.serverVersion }

    /// Whether the connection is encrypted.
    public var usesTLS: Bool { session.usesTLS }

    /// A parameter that the server reports, such as `TimeZone`; `nil` when it does not report it.
    ///
    /// - Parameter name: The parameter's name.
    /// - Returns: Its value.
    public func parameter(_ name: String) -> String? {
        session.parameter(name)
    }

    /// Runs a script: several statements, without parameters, through the simple protocol.
    ///
    /// The server runs a script without transaction control in one implicit transaction. The text must not be built from
    /// values.
    ///
    /// - Parameter sql: The script.
    /// - Throws: ``PersistenceError`` of the first statement that fails; those after it did not run.
    public func executeScript(_ sql: String) async throws(PersistenceError) {
        try checkIsUsable()
        let lease = PostgresLease(session: session)
        try await lease.executeScript(sql)
    }

    /// Runs `body` in a transaction on this connection.
    ///
    /// - Parameters:
    ///   - options: Isolation, access, timeouts, settings and retry policy.
    ///   - body: The work; it may run more than once when the options have a retry policy.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws, unwrapped, after ROLLBACK; ``PersistenceError`` when COMMIT fails.
    @discardableResult
    public func withTransaction<Result>(
        _ options: PostgresTransactionOptions = PostgresTransactionOptions(),
        _ body: (PostgresTransaction) async throws -> Result
    ) async throws -> Result {
        try checkIsUsable()
        return try await options.retrying { () async throws -> Result in
            try await TransactionRunner(session: session, context: context).run(options, body)
        }
    }
}

@available(*, unavailable)
extension PostgresConnection: Sendable {}

extension PostgresLease {
    /// Runs several statements through the simple protocol.
    func executeScript(_ sql: String) async throws(PersistenceError) {
        guard !sql.utf8.contains(0) else {
            throw PersistenceError(.invalidArgument, "the script contains a NUL character")
        }
        let span = begin(.query, name: "SCRIPT")
        do throws(PersistenceError) {
            let reply = await session.fly(deadline: context.deadline) { state, _ in
                state.sendScript(sql) ? .sent : .failed
            }
            try reply.check(expecting: 0, session: session, sql: sql)
            span?.end(rows: nil)
        } catch {
            span?.end(throwing: error)
            throw error.with { $0.operation = $0.operation ?? "SCRIPT" }
        }
    }
}
