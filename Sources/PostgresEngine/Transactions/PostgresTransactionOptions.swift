public import PersistenceCore

/// How a transaction runs.
public struct PostgresTransactionOptions: Sendable {
    /// What a transaction sees of concurrent ones (PostgreSQL, chapter 13.2).
    @nonexhaustive
    public enum Isolation: String, Sendable, Hashable, CaseIterable {
        /// Each statement sees what was committed before it began.
        case readCommitted = "READ COMMITTED"
        /// All statements see what was committed before the first one.
        case repeatableRead = "REPEATABLE READ"
        /// As if transactions ran one after another; some must be run again.
        case serializable = "SERIALIZABLE"
    }

    /// What the transaction sees of concurrent ones; `nil` leaves it to the server's default.
    public var isolation: Isolation?

    /// Whether writes are refused.
    public var isReadOnly = false

    /// Whether a serializable read-only transaction waits until it can run without the risk of being ended.
    public var isDeferrable = false

    /// When and how often to run the whole transaction again; `nil` is never.
    ///
    /// It applies to failures that are safe to repeat: serialization failures and deadlocks, and a connection lost before
    /// COMMIT was sent. The body runs again from its beginning, so it must not have effects outside the database.
    public var retry: RetryPolicy?

    /// How long a statement may wait for a lock (`lock_timeout`).
    public var lockTimeout: Duration?

    /// How long a statement may run on the server (`statement_timeout`).
    public var statementTimeout: Duration?

    /// How long the transaction may be idle between statements (`idle_in_transaction_session_timeout`).
    public var idleTimeout: Duration?

    /// Settings for the length of the transaction, such as a tenant for row-level security: `["app.tenant": "acme"]`.
    ///
    /// They are set with `set_config(name, value, true)`, so the values are parameters, and are gone at its end.
    public var settings: [String: String] = [:]

    /// Creates options.
    ///
    /// - Parameters:
    ///   - isolation: What the transaction sees of concurrent ones.
    ///   - isReadOnly: Whether writes are refused.
    ///   - isDeferrable: Whether a serializable read-only transaction waits for a safe snapshot.
    ///   - retry: When and how often to run the whole transaction again.
    public init(
        isolation: Isolation? = nil, isReadOnly: Bool = false, isDeferrable: Bool = false, retry: RetryPolicy? = nil
    ) {
        self.isolation = isolation
        self.isReadOnly = isReadOnly
        self.isDeferrable = isDeferrable
        self.retry = retry
    }

    /// Each statement sees what was committed before it began.
    public static var readCommitted: Self { Self(isolation: .readCommitted) }

    /// All statements see what was committed before the first one.
    public static var repeatableRead: Self { Self(isolation: .repeatableRead) }

    /// As if transactions ran one after another.
    public static var serializable: Self { Self(isolation: .serializable) }

    /// Writes are refused.
    public static var readOnly: Self { Self(isReadOnly: true) }

    /// Runs the transaction again when it fails in a way that is safe to repeat.
    ///
    /// - Parameter policy: When and how often.
    /// - Returns: The changed options.
    public func retrying(_ policy: RetryPolicy = RetryPolicy()) -> Self {
        var copy = self
        copy.retry = policy
        return copy
    }

    /// Sets a value for the length of the transaction.
    ///
    /// - Parameters:
    ///   - name: The setting's name; a name of your own has two parts, such as `app.tenant`.
    ///   - value: The value.
    /// - Returns: The changed options.
    public func setting(_ name: String, to value: String) -> Self {
        var copy = self
        copy.settings[name] = value
        return copy
    }

    /// Runs the transaction for a tenant: row-level security policies read it with `current_setting('app.tenant', true)`.
    ///
    /// - Parameter tenant: The tenant's identifier.
    /// - Returns: The changed options.
    public func tenant(_ tenant: String) -> Self {
        setting("app.tenant", to: tenant)
    }

    /// Runs `attempt`, again and again as far as the retry policy goes.
    func retrying<Result>(_ attempt: () async throws -> Result) async throws -> Result {
        guard let retry else { return try await attempt() }
        return try await retry.execute { _ in try await attempt() }
    }

    var beginStatement: String {
        var text = "BEGIN"
        if let isolation { text += " ISOLATION LEVEL \(isolation.rawValue)" }
        if isReadOnly { text += " READ ONLY" }
        if isDeferrable { text += " DEFERRABLE" }
        return text
    }

    /// What is sent together with the first statement.
    func preamble() throws(PersistenceError) -> [FlightCommand] {
        var all = settings
        all["lock_timeout"] = try Self.milliseconds(lockTimeout, "lock timeout") ?? all["lock_timeout"]
        all["statement_timeout"] =
            try Self.milliseconds(statementTimeout, "statement timeout") ?? all["statement_timeout"]
        all["idle_in_transaction_session_timeout"] =
            try Self.milliseconds(idleTimeout, "idle timeout") ?? all["idle_in_transaction_session_timeout"]
        var commands: [FlightCommand] = [.keyword(beginStatement)]
        for (name, value) in all.sorted(by: { $0.key < $1.key }) {
            var parameters = PostgresParameters()
            try parameters.append(name)
            try parameters.append(value)
            commands.append(
                .statement(.query(ObjectIdentifier(SetLocal.self)), sql: SetLocal.sql, parameters))
        }
        return commands
    }

    /// Sets a value for the length of a transaction, so that the connection does not count as changed; a type of its own,
    /// so that the cache knows it by its identity.
    enum SetLocal {
        static let sql = "SELECT pg_catalog.set_config($1, $2, true)"
    }

    private static func milliseconds(_ duration: Duration?, _ what: String) throws(PersistenceError) -> String? {
        guard let duration else { return nil }
        let value = duration / .milliseconds(1)
        guard value > 0, value <= Double(Int32.max) else {
            throw PersistenceError(.invalidArgument, "the \(what) must be between 1 ms and 24 days")
        }
        return String(Int32(value.rounded(.up)))
    }
}
