public import PersistenceCore

/// Where a PostgreSQL server is, as whom to connect, and how a connection behaves.
///
/// Build one in code, from a connection URI (``init(uri:environment:)``), or from a configuration reader (``init(config:)``). The
/// description of a configuration never shows a password.
public struct PostgresConfiguration: Sendable, Equatable {
    /// In which order several hosts are tried.
    @nonexhaustive
    public enum HostOrder: String, Sendable, Hashable, CaseIterable {
        /// As they are listed: the first that answers is used.
        case listed
        /// At random, anew for every connection, which spreads connections over the hosts.
        case shuffled
    }

    /// Which kind of server a connection may end at.
    @nonexhaustive
    public enum TargetSession: String, Sendable, Hashable, CaseIterable {
        /// Any server.
        case any
        /// A server whose transactions may write by default.
        case readWrite
        /// A server whose transactions may not write by default.
        case readOnly
        /// A server that is not in recovery.
        case primary
        /// A server that is in recovery.
        case standby
        /// A standby where there is one, any server otherwise.
        case preferStandby
    }

    /// How statements reach the server.
    @nonexhaustive
    public enum StatementMode: String, Sendable, Hashable, CaseIterable {
        /// Prepared once per connection under a name, and kept in a cache.
        case prepared
        /// Sent anew each time without a name, for connection poolers that do not follow prepared statements.
        case unnamed
    }

    /// Whether GSSAPI (Kerberos) encrypts a connection.
    @nonexhaustive
    public enum GSSEncryption: String, Sendable, Hashable, CaseIterable {
        /// Never.
        case disable
        /// Where both sides have credentials.
        case prefer
        /// Always.
        case require
    }

    /// How the operating system finds out that a silent peer is gone.
    public struct KeepAlive: Sendable, Hashable {
        /// Whether keep-alive packets are sent at all.
        public var isEnabled: Bool
        /// How long a connection is silent before the first packet; `nil` is the system's own setting.
        public var idle: Duration?
        /// The time between packets that are not answered; `nil` is the system's own setting.
        public var interval: Duration?
        /// How many packets may stay unanswered before the connection is given up; `nil` is the system's own setting.
        public var count: Int?

        /// Creates keep-alive settings.
        ///
        /// - Parameters:
        ///   - isEnabled: Whether packets are sent at all.
        ///   - idle: The silence before the first packet, in whole seconds.
        ///   - interval: The time between packets, in whole seconds.
        ///   - count: How many packets may stay unanswered.
        public init(isEnabled: Bool = true, idle: Duration? = nil, interval: Duration? = nil, count: Int? = nil) {
            self.isEnabled = isEnabled
            self.idle = idle
            self.interval = interval
            self.count = count
        }
    }

    /// The servers that a connection may be made to; each is tried in turn.
    public var hosts: [PostgresHost]

    /// In which order several hosts are tried.
    public var hostOrder = HostOrder.listed

    /// Which kind of server a connection may end at.
    public var targetSession = TargetSession.any

    /// The role to connect as.
    public var user: String

    /// The role's password; leave it out where the server trusts the connection, or asks for a certificate instead.
    ///
    /// Without one libpq still looks into `PGPASSWORD` and the password file (`~/.pgpass`) when the server asks.
    public var password: Secret?

    /// The database to connect to.
    public var database: String

    /// How connections are encrypted.
    public var tls = PostgresTLS.prefer

    /// How long opening a connection may take per host, with name lookup, TLS and authentication.
    public var connectTimeout = Duration.seconds(10)

    /// How the operating system finds out that a silent peer is gone.
    public var keepAlive = KeepAlive()

    /// How long sent data may stay unacknowledged before the connection is given up; `nil` is the system's own setting.
    ///
    /// In whole milliseconds, and only where the system has `TCP_USER_TIMEOUT` (Linux).
    public var tcpUserTimeout: Duration?

    /// The name that the server shows for the connection, in `pg_stat_activity` and in its log.
    ///
    /// The server replaces bytes outside printable ASCII.
    public var applicationName: String?

    /// Server parameters set when a session starts, such as `search_path` or `lock_timeout`.
    public var sessionParameters: [String: String] = [:]

    /// How many prepared statements a connection keeps; 0 keeps none.
    public var statementCacheSize = 256

    /// How statements reach the server.
    public var statementMode = StatementMode.prepared

    /// How long an operation may take when its caller sets no deadline; `nil` is for ever.
    ///
    /// Measured on the client, from the first byte sent to the last byte received; when it passes, the statement is
    /// cancelled on the server.
    public var statementTimeout: Duration?

    /// How long to wait for a statement to end after its cancellation was asked for, before the connection is closed.
    public var cancellationGrace = Duration.seconds(5)

    /// How many connections are kept, and for how long.
    public var pool = PostgresPoolConfiguration()

    /// How long connections in use may take to come back when the service shuts down, before they are closed.
    public var shutdownTimeout = Duration.seconds(10)

    /// Whether GSSAPI (Kerberos) encrypts a connection.
    ///
    /// Off unless asked for, because looking for credentials costs a round trip and can block on the network.
    public var gssEncryption = GSSEncryption.disable

    /// Further libpq keywords that came with a connection URI and have no property of their own, such as `sslcrl`.
    var otherKeywords: [String: String] = [:]

    /// Creates a configuration.
    ///
    /// - Parameters:
    ///   - hosts: The servers to try.
    ///   - user: The role to connect as.
    ///   - password: The role's password, where one is needed.
    ///   - database: The database; without it, the one named like the role.
    public init(
        hosts: [PostgresHost] = [PostgresHost("localhost")],
        user: String,
        password: Secret? = nil,
        database: String? = nil
    ) {
        self.hosts = hosts
        self.user = user
        self.password = password
        self.database = database ?? user
    }
}

extension PostgresConfiguration.TargetSession {
    /// The value of libpq's `target_session_attrs`.
    var keyword: String {
        switch self {
        case .any: "any"
        case .readWrite: "read-write"
        case .readOnly: "read-only"
        case .primary: "primary"
        case .standby: "standby"
        case .preferStandby: "prefer-standby"
        }
    }

    /// The kind of server that a value of libpq's `target_session_attrs` means.
    init?(keyword: String) {
        guard let found = Self.allCases.first(where: { $0.keyword == keyword }) else { return nil }
        self = found
    }
}
