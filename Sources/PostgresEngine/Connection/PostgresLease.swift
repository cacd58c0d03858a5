internal import CLibPQ
public import PersistenceCore

/// A connection lent for one operation.
///
/// The engine's own currency: an executor hands it out, the operations of ``PostgresExecutor`` use it, and the end of
/// its life gives the connection back.
public struct PostgresLease: ~Copyable {
    // Counted by hand: what the compiler adds to the end of a noncopyable value that gives back what it holds costs as
    // much as the pool. The pool is retained when the lease is made and released where it ends, and keeps its session
    // meanwhile; without a pool the session itself is.
    private let sessionReference: Unmanaged<PostgresSession>
    /// The transaction that the connection is in, when the lease is a transaction's.
    let transaction: TransactionScope?
    /// Where the connection goes back to; `nil` when its owner keeps it.
    private let poolReference: Unmanaged<PostgresPool>?

    init(session: PostgresSession, transaction: TransactionScope? = nil) {
        self.sessionReference = .passRetained(session)
        self.transaction = transaction
        self.poolReference = nil
    }

    /// A lease of a connection that a pool has lent.
    init(borrowed session: Unmanaged<PostgresSession>, from pool: PostgresPool) {
        self.sessionReference = session
        self.transaction = nil
        self.poolReference = .passRetained(pool)
    }

    deinit {
        guard let poolReference else {
            sessionReference.release()
            return
        }
        poolReference._withUnsafeGuaranteedRef { $0.giveBack(sessionReference) }
        poolReference.release()
    }

    var session: PostgresSession { sessionReference.takeUnretainedValue() }

    var context: EngineContext { session.context }

    /// Whether nobody else uses the connection as long as the lease lives.
    var isPooled: Bool { poolReference != nil }

    /// Refuses what needs a connection for itself on one that other tasks use at the same time.
    func checkIsNotShared(_ what: String) throws(PersistenceError) {
        guard session.withState({ $0.isShared }) else { return }
        throw PersistenceError(.invalidArgument, "\(what) needs a connection for itself, and a shared reader has none")
    }

    /// Gives the connection back before the end of the scope.
    @usableFromInline
    consuming func end() {}
}

// MARK: - Executing

extension PostgresLease {
    /// Begins to report an operation; `nil` when nobody listens.
    func begin(
        _ kind: DatabaseOperation.Kind, name: String? = nil, summary: String? = nil, collection: String? = nil,
        text: String? = nil, batchSize: Int? = nil
    ) -> OperationSpan? {
        context.instrumentation.begin(
            DatabaseOperation(
                kind, on: context.target, name: name, summary: summary, collection: collection, queryText: text,
                batchSize: batchSize))
    }

    /// Begins to report a query; `nil` when nobody listens.
    @usableFromInline
    func begin<Query: PostgresQuery>(_ query: Query.Type) -> OperationSpan? {
        let context = context
        guard context.instrumentation.isEnabled else { return nil }
        return context.instrumentation.begin(
            query, on: context.target,
            DatabaseOperation(
                .query, on: context.target, name: Query.command, summary: Query.name, collection: Query.collection,
                queryText: Query.sql))
    }

    /// Executes one statement and returns its complete result.
    ///
    /// - Parameters:
    ///   - key: What the connection's cache knows the statement by.
    ///   - sql: The text.
    ///   - deadline: When to ask the server to stop, on the monotonic clock in nanoseconds; without one, the context's.
    ///   - bind: Appends the parameters to an empty list. It may run more than once.
    @usableFromInline
    func execute(
        _ key: StatementKey, sql: @autoclosure () -> String, deadline: UInt64? = nil,
        _ bind: (inout PostgresParameters) throws(PersistenceError) -> Void
    ) async throws(PersistenceError) -> PostgresResult {
        let deadline = deadline ?? context.deadline
        let preamble = try transaction?.takePreamble() ?? []
        var isRetry = false
        while true {
            let reply = await session.fly(deadline: deadline) { state, flight in
                state.scratch.removeAll()
                do throws(PersistenceError) {
                    try bind(&state.scratch)
                    try state.scratch.checkLimits()
                } catch {
                    return .refused(error)
                }
                let isSent: Bool
                if preamble.isEmpty {
                    if state.isShared {
                        if let sent = state.sendPreparedShared(key, flight: &flight) { return sent ? .sent : .failed }
                        if let refusal = StatementText.refusalOnSharedConnection(sql()) { return .refused(refusal) }
                    } else if context.usesUnnamedStatements {
                        isSent = state.sendUnnamedAlone(sql())
                        return isSent ? .sent : .failed
                    } else if let sent = state.sendPrepared(key) {
                        return sent ? .sent : .failed
                    }
                }
                let statement: FlightCommand =
                    context.usesUnnamedStatements
                    ? .unnamed(sql(), state.scratch) : .statement(key, sql: sql(), state.scratch)
                isSent = state.sendPipelined(preamble + [statement], syncEach: false, flight: &flight)
                return isSent ? .sent : .failed
            }
            do throws(PersistenceError) {
                try reply.check(expecting: preamble.count + 1, session: session, sql: sql())
                return reply.take(preamble.count)
            } catch {
                let error = transaction?.note(error) ?? error
                guard !isRetry, error.isForgottenStatement else { throw error }
                session.forgetStatement(key, deallocate: error.serverCode == "0A000")
                // In a transaction the failure has ended everything that came before; the caller must begin again.
                guard transaction == nil, session.transactionStatus == PQTRANS_IDLE else {
                    throw error.with { $0.retrySafety = .safe }
                }
                isRetry = true
            }
        }
    }
}

extension PostgresParameters {
    /// The protocol counts parameters in 16 bits and message lengths in 31, of which the server takes 30.
    func checkLimits() throws(PersistenceError) {
        guard items.count <= 65_535 else {
            throw PersistenceError(.tooLarge, "a statement takes at most 65535 parameters, not \(items.count)")
        }
        guard writer.count < 0x3FFF_FFFF - items.count * 8 - 1024 else {
            throw PersistenceError(.tooLarge, "the parameters are larger than the 1 GB that the server accepts")
        }
    }
}

extension PersistenceError {
    /// The connection's statement has to be prepared anew: its plan no longer fits the tables, or a pooler has moved the
    /// client to a server connection that does not know it.
    var isForgottenStatement: Bool {
        serverCode == "26000" || (serverCode == "0A000" && code == .invalidStatement && retrySafety == .safe)
    }
}
