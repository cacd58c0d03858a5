internal import CLibPQ
package import PersistenceCore

// What the package's other modules need of a database and its users do not.

extension PostgresDatabase {
    /// Where the database reports what it does.
    package var instrumentation: Instrumentation { context.instrumentation }

    /// The database, as telemetry names it.
    package var instrumentationTarget: DatabaseTarget { context.target }
}

extension PostgresConnection {
    /// Whether the session is in a transaction block, failed or not.
    package var isInTransaction: Bool { session.transactionStatus != PQTRANS_IDLE }

    /// Runs a script that tidies up, whether or not the task is cancelled or its deadline has passed.
    ///
    /// - Parameters:
    ///   - sql: The script.
    ///   - limit: How long it may take.
    /// - Throws: ``PersistenceError`` of the first statement that fails.
    package func cleanUp(_ sql: String, within limit: Duration = .seconds(10)) async throws(PersistenceError) {
        try checkIsUsable()
        let nanoseconds = limit.components.seconds * 1_000_000_000 + limit.components.attoseconds / 1_000_000_000
        let deadline = monotonicNanoseconds() &+ UInt64(clamping: nanoseconds)
        let reply = await session.fly(deadline: deadline, isCancellable: false) { state, _ in
            state.sendScript(sql) ? .sent : .failed
        }
        try reply.check(expecting: 0, session: session, sql: sql)
    }
}
