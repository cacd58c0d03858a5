extension PersistenceError {
    /// What happened, independent of the database.
    ///
    /// A struct over a private enumeration, so that a new code is never a breaking change: compare with `==`, and keep a
    /// default branch in a `switch`.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Base: String, Hashable, Sendable, CaseIterable {
            case notFound
            case tooManyRows
            case uniqueViolation
            case foreignKeyViolation
            case checkViolation
            case notNullViolation
            case exclusionViolation
            case staleVersion
            case serializationFailure
            case deadlock
            case lockNotAvailable
            case timeout
            case cancelled
            case poolExhausted
            case poolClosed
            case connection
            case tls
            case authentication
            case permission
            case tooManyConnections
            case unavailable
            case transactionAborted
            case transactionFinished
            case commitUnknown
            case readOnly
            case encoding
            case decoding
            case invalidArgument
            case invalidData
            case invalidStatement
            case tooLarge
            case resourceExhausted
            case configuration
            case migration
            case unsupported
            case server
            case `internal`
        }

        private let base: Base

        private init(_ base: Base) {
            self.base = base
        }

        /// The code's name, as in the source.
        public var description: String { base.rawValue }

        /// No row, document or entity matched.
        public static let notFound = Code(.notFound)
        /// More rows came back than the operation allows.
        public static let tooManyRows = Code(.tooManyRows)
        /// A unique constraint or index refused the change; see ``PersistenceError/constraint``.
        public static let uniqueViolation = Code(.uniqueViolation)
        /// A foreign key refused the change.
        public static let foreignKeyViolation = Code(.foreignKeyViolation)
        /// A check constraint refused the change.
        public static let checkViolation = Code(.checkViolation)
        /// A column that must have a value got none.
        public static let notNullViolation = Code(.notNullViolation)
        /// An exclusion constraint refused the change.
        public static let exclusionViolation = Code(.exclusionViolation)
        /// The entity was changed by somebody else since it was read (optimistic locking).
        public static let staleVersion = Code(.staleVersion)
        /// Concurrent transactions could not be put in an order; run the transaction again.
        public static let serializationFailure = Code(.serializationFailure)
        /// The server broke a deadlock by ending this transaction; run it again.
        public static let deadlock = Code(.deadlock)
        /// A lock was not free and the statement was told not to wait (NOWAIT).
        public static let lockNotAvailable = Code(.lockNotAvailable)
        /// A wait ran out; ``PersistenceError/timeout`` says which.
        public static let timeout = Code(.timeout)
        /// The task was cancelled.
        public static let cancelled = Code(.cancelled)
        /// The pool refused at once because too many callers wait already.
        public static let poolExhausted = Code(.poolExhausted)
        /// The pool is closed or closing.
        public static let poolClosed = Code(.poolClosed)
        /// The server could not be reached, or the connection was lost.
        public static let connection = Code(.connection)
        /// TLS was refused, or the server's certificate was not accepted.
        public static let tls = Code(.tls)
        /// The server refused the credentials.
        public static let authentication = Code(.authentication)
        /// The role may not do this.
        public static let permission = Code(.permission)
        /// The server has no connection to spare.
        public static let tooManyConnections = Code(.tooManyConnections)
        /// The server is starting, stopping or recovering.
        public static let unavailable = Code(.unavailable)
        /// The transaction had failed before COMMIT, so the server rolled it back.
        public static let transactionAborted = Code(.transactionAborted)
        /// A transaction, savepoint or connection handle was used after its scope had ended.
        public static let transactionFinished = Code(.transactionFinished)
        /// The connection was lost around COMMIT: the outcome is not known.
        public static let commitUnknown = Code(.commitUnknown)
        /// A write was tried in a read-only transaction or on a read-only server.
        public static let readOnly = Code(.readOnly)
        /// A Swift value cannot be represented in the database's type.
        public static let encoding = Code(.encoding)
        /// A database value cannot be represented in the Swift type.
        public static let decoding = Code(.decoding)
        /// The caller passed something the function does not accept.
        public static let invalidArgument = Code(.invalidArgument)
        /// The server refused a value: out of range, malformed, or too long for its column.
        public static let invalidData = Code(.invalidData)
        /// The statement is wrong: its syntax, or a table, column or function it names.
        public static let invalidStatement = Code(.invalidStatement)
        /// A value, message or result is larger than the database or the caller allows.
        public static let tooLarge = Code(.tooLarge)
        /// The server ran out of memory, disk or another resource.
        public static let resourceExhausted = Code(.resourceExhausted)
        /// The configuration is incomplete or contradicts itself.
        public static let configuration = Code(.configuration)
        /// A migration is missing, changed, out of order, dirty or failed.
        public static let migration = Code(.migration)
        /// The server, or the library on this platform, does not offer this.
        public static let unsupported = Code(.unsupported)
        /// Any other error of the server; see ``PersistenceError/serverCode``.
        public static let server = Code(.server)
        /// The library broke one of its own rules; please report it.
        public static let `internal` = Code(.internal)

        /// Every code, for tables of errors.
        public static var allCodes: [Code] { Base.allCases.map(Code.init) }

        var defaultRetrySafety: RetrySafety {
            switch base {
            case .serializationFailure, .deadlock, .poolExhausted, .tooManyConnections: .safe
            case .commitUnknown: .unknown
            default: .unsafe
            }
        }

        var sentence: String {
            switch base {
            case .notFound: "nothing matched"
            case .tooManyRows: "more than one row came back"
            case .uniqueViolation: "a unique constraint refused the change"
            case .foreignKeyViolation: "a foreign key refused the change"
            case .checkViolation: "a check constraint refused the change"
            case .notNullViolation: "a required column got no value"
            case .exclusionViolation: "an exclusion constraint refused the change"
            case .staleVersion: "the entity has changed since it was read"
            case .serializationFailure: "the transaction conflicts with a concurrent one"
            case .deadlock: "the server ended the transaction to break a deadlock"
            case .lockNotAvailable: "a lock was not free"
            case .timeout: "a wait ran out"
            case .cancelled: "the task was cancelled"
            case .poolExhausted: "too many callers wait for a connection"
            case .poolClosed: "the pool is closed"
            case .connection: "the server could not be reached"
            case .tls: "no trusted encrypted connection could be made"
            case .authentication: "the server refused the credentials"
            case .permission: "the role may not do this"
            case .tooManyConnections: "the server has no connection to spare"
            case .unavailable: "the server is starting, stopping or recovering"
            case .transactionAborted: "the transaction had failed, so COMMIT rolled it back"
            case .transactionFinished: "the handle was used after its scope had ended"
            case .commitUnknown: "the connection was lost around COMMIT, so the outcome is not known"
            case .readOnly: "the transaction or server is read-only"
            case .encoding: "the value cannot be represented in the database's type"
            case .decoding: "the database's value cannot be represented in the Swift type"
            case .invalidArgument: "the argument is not accepted"
            case .invalidData: "the server refused a value"
            case .invalidStatement: "the statement is wrong"
            case .tooLarge: "the value is too large"
            case .resourceExhausted: "the server ran out of a resource"
            case .configuration: "the configuration is not usable"
            case .migration: "the migrations cannot be applied"
            case .unsupported: "this is not supported"
            case .server: "the server reported an error"
            case .internal: "the library broke one of its own rules"
            }
        }
    }

    /// Whether the same work may be done again without doing it twice.
    @nonexhaustive
    public enum RetrySafety: String, Hashable, Sendable, CustomStringConvertible {
        /// Nothing was done: doing it again is safe.
        case safe
        /// Doing it again would fail again, or would do it twice.
        case unsafe
        /// Nobody knows whether it was done: only idempotent work may be done again.
        case unknown

        /// The case's name.
        public var description: String { rawValue }
    }

    /// Which wait ran out.
    @nonexhaustive
    public enum TimeoutKind: String, Hashable, Sendable, CustomStringConvertible {
        /// Waiting for a connection of the pool.
        case pool
        /// Opening a connection.
        case connect
        /// A statement or command on the server.
        case statement
        /// Waiting for a lock on the server.
        case lock
        /// A transaction that was idle, or that lasted too long.
        case transaction
        /// Draining on shutdown.
        case shutdown
        /// A health check.
        case healthCheck

        /// The case's name.
        public var description: String { rawValue }
    }
}
