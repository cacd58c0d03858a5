public import PersistenceCore
public import PostgresEngine

/// How a gateway listens, and where its engine is.
public struct GatewayConfiguration: Sendable {
    /// Certificates in PEM files.
    public struct TLS: Sendable {
        /// The server's certificate, followed by those between it and its authority.
        public var certificate: String
        /// The server's private key.
        public var key: String
        /// The authority whose certificates clients must have; `nil` asks them for none.
        public var clientAuthority: String?

        /// Creates settings.
        public init(certificate: String, key: String, clientAuthority: String? = nil) {
            self.certificate = certificate
            self.key = key
            self.clientAuthority = clientAuthority
        }
    }

    /// The address to listen on.
    public var host = "127.0.0.1"
    /// The port to listen on; 0 takes a free one.
    public var port = 27017
    /// A file to listen on as well, for clients on the same machine (`mongodb://%2Ftmp%2Fmongodb-27017.sock/?directConnection=true`).
    public var socketPath: String?
    /// The name and port that clients are told; without it, those above.
    public var advertisedAddress: String?
    /// The engine's server.
    public var engine: PostgresConfiguration
    /// Encrypts connections when set.
    public var tls: TLS?
    /// Whether clients must authenticate.
    public var requiresAuthentication = true
    /// A user with the role `root`, created or given this password when the gateway starts.
    public var administrator: (name: String, password: Secret)?
    /// Whether `configureFailPoint` is there.
    public var allowsFailPoints = false
    /// How many clients may be connected.
    public var maximumConnections = 1000
    /// The largest message in bytes.
    public var maximumMessageBytes = 48_000_000
    /// The largest message of a client that has not authenticated, in bytes.
    public var maximumUnauthenticatedMessageBytes = 1_000_000
    /// How long the rest of a message may take once its first byte is there.
    public var messageTimeout = Duration.seconds(30)
    /// How long a transaction may stay open.
    public var transactionLifetime = Duration.seconds(60)
    /// How long a transaction waits for a lock before it counts as a conflict.
    public var transactionLockTimeout = Duration.milliseconds(100)
    /// How many connections to the engine commands share; transactions have as many of their own.
    public var engineConnections = 32
    /// How long commands that are running may take when the gateway shuts down.
    public var shutdownTimeout = Duration.seconds(5)

    /// Creates a configuration.
    ///
    /// - Parameter engine: The engine's server.
    public init(engine: PostgresConfiguration) {
        self.engine = engine
    }
}
