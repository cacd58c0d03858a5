extension DatabaseOperation {
    /// The kind of work that an operation is.
    ///
    /// | Kind | Span | `db.client.operation.duration` |
    /// |---|---|---|
    /// | ``query``, ``batch``, ``copy``, ``command``, ``notification`` | client | yes |
    /// | ``prepare`` | client, when slow | yes |
    /// | ``connect`` | client | no: `db.client.connection.create_time` |
    /// | ``acquire``, ``release`` | internal, when slow | no: `db.client.connection.wait_time` and `use_time` |
    /// | ``transaction``, ``workflow``, ``migration`` | internal | no |
    ///
    /// The conventions give kind `CLIENT` to a call that goes to the server. A transaction, a workflow operation and a
    /// migration are made of such calls: they are `INTERNAL` parents of client spans, and do not count twice in the
    /// histogram.
    ///
    /// A struct over a private enumeration, so that a new kind is never a breaking change.
    public struct Kind: Hashable, Sendable, CustomStringConvertible {
        private enum Base: String, Hashable, Sendable, CaseIterable {
            case connect
            case acquire
            case release
            case prepare
            case query
            case batch
            case copy
            case transaction
            case notification
            case command
            case workflow
            case migration
        }

        private let base: Base

        private init(_ base: Base) {
            self.base = base
        }

        /// Opening a connection: name resolution, TLS and authentication included.
        public static let connect = Kind(.connect)
        /// Waiting for a connection of a pool.
        public static let acquire = Kind(.acquire)
        /// Giving a connection back, its reset included.
        public static let release = Kind(.release)
        /// Preparing a statement on the server.
        public static let prepare = Kind(.prepare)
        /// Running one statement, to its last row.
        public static let query = Kind(.query)
        /// Running several statements in one round trip.
        public static let batch = Kind(.batch)
        /// A bulk transfer of rows.
        public static let copy = Kind(.copy)
        /// A transaction from BEGIN to COMMIT or ROLLBACK.
        public static let transaction = Kind(.transaction)
        /// Starting, renewing or ending a subscription to notifications; not the wait for them.
        public static let notification = Kind(.notification)
        /// A command of a document database.
        public static let command = Kind(.command)
        /// An operation on the state of a workflow.
        public static let workflow = Kind(.workflow)
        /// Applying or reverting one migration.
        public static let migration = Kind(.migration)

        /// Every kind, for tables.
        public static var allKinds: [Kind] { Base.allCases.map(Kind.init) }

        /// The kind's name.
        public var description: String { base.rawValue }

        var defaultName: String? {
            switch base {
            case .connect: "connect"
            case .acquire: "acquire"
            case .release: "release"
            case .prepare: "PREPARE"
            case .batch: "BATCH"
            case .copy: "COPY"
            case .transaction: "transaction"
            case .notification: "LISTEN"
            case .migration: "migration"
            case .query, .command, .workflow: nil
            }
        }

        /// Whether a span is made as soon as the operation begins; the others get one afterwards, when slow.
        var isTraced: Bool {
            switch base {
            case .acquire, .release, .prepare: false
            default: true
            }
        }

        /// Whether the operation is one call to the server.
        var isClientCall: Bool {
            switch base {
            case .acquire, .release, .transaction, .workflow, .migration: false
            default: true
            }
        }

        /// Whether the operation counts in `db.client.operation.duration`.
        var isMeasured: Bool { isClientCall && base != .connect }

        /// Whether taking long is worth a warning.
        ///
        /// A migration takes as long as the data needs.
        var isReportedWhenSlow: Bool { base != .migration }
    }
}
