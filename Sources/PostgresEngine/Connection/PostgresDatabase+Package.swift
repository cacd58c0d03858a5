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
}
