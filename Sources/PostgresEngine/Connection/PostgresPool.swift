internal import CLibPQ
internal import PersistenceCore

extension PoolConnectionID {
    /// The identity of a connection that belongs to no pool.
    static let none = PoolConnectionID(index: -1, generation: 0)
}

extension PostgresSession: PoolableConnection {
    var isUsable: Bool { isAlive }

    func closeNow() {
        // A server that works does not see that its client has gone: it would go on to the statement's end.
        stopRunning()
        close(reason: PersistenceError(.connection, "the pool has closed the connection", retrySafety: .unknown))
    }

    /// Asks the server for a sign of life with the cheapest statement there is.
    func ping() async throws(PersistenceError) {
        let reply = await fly(deadline: 0) { state, flight in
            flight.isProbe = true
            return state.sendPipelined([.keyword("")], syncEach: false, flight: &flight) ? .sent : .failed
        }
        if let failure = reply.failure { throw failure }
    }
}

/// The pool of a database: knows in which condition a connection comes back, and how to give it a fresh session.
final class PostgresPool: Sendable {
    private let connections: ConnectionPool<PostgresSession, SystemPoolTime>
    private let context: EngineContext
    private let reportsReleases: Bool

    init(
        configuration: PostgresPoolConfiguration, connector: PostgresConnector, context: EngineContext,
        hooks: ConnectionPoolHooks<PostgresSession>
    ) {
        self.context = context
        reportsReleases = context.instrumentation.hasObservers
        connections = ConnectionPool(
            configuration: configuration, name: context.target.poolName, instrumentation: context.instrumentation,
            time: SystemPoolTime(), hooks: hooks,
            connect: { (id) async throws(PersistenceError) -> PostgresSession in
                try await connector.connect(deadline: nil, poolID: id)
            },
            reset: { (session) async throws(PersistenceError) in try await session.reset() })
    }

    deinit {
        connections.close()
    }

    var statistics: PostgresPoolStatistics { connections.statistics }

    func acquire() async throws(PersistenceError) -> PostgresSession {
        try await connections.acquire()
    }

    /// See ``ConnectionPool/borrowIfReady()``.
    func borrowIfReady() -> Unmanaged<PostgresSession>? {
        connections.borrowIfReady()
    }

    /// Takes a connection back, in whatever condition it is.
    ///
    /// The pool is all that is known to keep it: it may be gone when this returns.
    func giveBack(_ reference: Unmanaged<PostgresSession>) {
        if !reference._withUnsafeGuaranteedRef({ $0.isPristine && connections.takeBackIfFit($0) }) {
            // Retained, because a pool that is closed lets go of it.
            let session = reference.takeUnretainedValue()
            connections.release(session, disposition: session.condition)
        }
        if reportsReleases {
            context.instrumentation.begin(DatabaseOperation(.release, on: context.target))?.end()
        }
    }

    func run() async {
        await connections.run()
    }

    /// Ends the pool; see ``PostgresDatabase/shutdown(within:)``.
    @discardableResult
    func drain(for patience: Duration) async -> Int {
        await connections.drain(for: patience)
    }
}

extension PostgresSession {
    /// In which condition the connection is between two users.
    var condition: PoolReleaseDisposition {
        withState { state in
            if state.isPristine { return .reusable }
            // When a statement of the last user still runs, or data of a COPY is on its way, nobody will take it.
            return state.connection == nil || state.isBusy ? .discard : .needsReset
        }
    }

    /// Gives the session back what the server gives a new one, but keeps its prepared statements.
    ///
    /// The parts of DISCARD ALL (PostgreSQL manual) without DISCARD PLANS, and with DEALLOCATE only where the user has
    /// prepared statements by name; before them the end of a transaction that was left open.
    func reset() async throws(PersistenceError) {
        let script = """
            CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; RESET ROLE; UNLISTEN *; \
            SELECT pg_catalog.pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES
            """
        if transactionStatus != PQTRANS_IDLE {
            try await runScript("ROLLBACK")
        }
        try await runScript(script)
        if hasForeignStatements {
            // The names are the user's, so only all of them can go: the cache's with them.
            try await runScript("DEALLOCATE ALL")
            forgetStatements()
        }
        guard transactionStatus == PQTRANS_IDLE else {
            throw PersistenceError(.connection, "the session is still in a transaction after its reset")
        }
        clearTouched()
    }

    private func runScript(_ sql: String) async throws(PersistenceError) {
        let reply = await fly(deadline: 0, isCancellable: false) { state, _ in
            state.sendScript(sql) ? .sent : .failed
        }
        try reply.check(expecting: 1, session: self, sql: sql)
    }
}
