public import PersistenceCore

/// Where a MongoDB deployment is, as whom to connect, and how its clients behave.
///
/// Build one in code, from a connection string (``init(uri:)``), or from a configuration reader (``init(config:)``). The
/// description of a configuration never shows a password.
public struct MongoConfiguration: Sendable, Equatable {
    /// How a client proves who it is.
    @nonexhaustive
    public enum AuthenticationMechanism: String, Sendable, Hashable, CaseIterable {
        /// SCRAM with SHA-256.
        case scramSHA256 = "SCRAM-SHA-256"
        /// SCRAM with SHA-1, for servers before 4.0.
        case scramSHA1 = "SCRAM-SHA-1"
        /// The client's certificate.
        case x509 = "MONGODB-X509"
        /// The password in clear text, for LDAP; needs TLS.
        case plain = "PLAIN"
    }

    /// How messages are compressed.
    @nonexhaustive
    public enum Compressor: String, Sendable, Hashable, CaseIterable {
        /// Snappy: fast, and compresses little.
        case snappy
        /// zlib: slow, and compresses well.
        case zlib
        /// Zstandard: fast, and compresses well.
        case zstd
    }

    /// The servers that the deployment is found by; the others of a replica set are learnt from them.
    public var hosts: [MongoHost]

    /// The name whose DNS records list the servers (`mongodb+srv`); ``hosts`` is then empty.
    public var seedListHost: String?

    /// The name of the replica set that the servers must belong to.
    public var replicaSet: String?

    /// Whether the one server is used as it is, whatever it belongs to.
    public var isDirectConnection: Bool?

    /// The user to authenticate as; none where the server asks for no authentication.
    public var user: String?

    /// The user's password.
    public var password: Secret?

    /// The database that knows the user; `admin` unless told otherwise.
    public var authenticationSource: String?

    /// How to authenticate; the best that both sides know unless told otherwise.
    public var authenticationMechanism: AuthenticationMechanism?

    /// The database that collections are in.
    public var database: String

    /// How connections are encrypted.
    public var tls = MongoTLS.disabled

    /// Which writes a read may see; `nil` leaves it to the server.
    public var readConcern: MongoReadConcern?

    /// When a write counts as done.
    public var writeConcern = MongoWriteConcern()

    /// Which members reads go to.
    public var readPreference = MongoReadPreference.primary

    /// How messages may be compressed, in order of preference; the first that the server knows too is used.
    public var compressors: [Compressor] = []

    /// Whether a read that was cut off is done a second time.
    public var retriesReads = true

    /// Whether a write that was cut off is done a second time; the server sees to it that it happens once.
    public var retriesWrites = true

    /// How long opening a connection may take.
    public var connectTimeout = Duration.seconds(10)

    /// How long an operation waits for a server that it can use.
    public var serverSelectionTimeout = Duration.seconds(30)

    /// How long one answer of a server may take before the connection is given up; `nil` is for ever.
    ///
    /// The last resort against a network that swallows everything. A deadline or ``operationTimeout`` is what limits an
    /// operation.
    public var socketTimeout: Duration? = .seconds(300)

    /// How often each server is asked how it is.
    public var heartbeatInterval = Duration.seconds(10)

    /// The name that the server shows for the connections, in its log and in `currentOp`; at most 128 bytes.
    public var applicationName: String?

    /// How long an operation may take when its caller sets no deadline; `nil` is for ever.
    public var operationTimeout: Duration?

    /// How long an interrupted operation may take to end on its own, before its connection is closed.
    ///
    /// The caller does not wait for it; only the client does.
    public var cancellationGrace = Duration.milliseconds(250)

    /// How many clients there are.
    public var pool = MongoPoolConfiguration()

    /// How long clients in use may take to come back when the service shuts down.
    public var shutdownTimeout = Duration.seconds(10)

    /// Further options of a connection string that have no property of their own, such as `localThresholdMS`.
    var otherOptions: [String: String] = [:]

    /// Creates a configuration.
    ///
    /// - Parameters:
    ///   - hosts: The servers that the deployment is found by.
    ///   - user: The user to authenticate as, where the server asks for one.
    ///   - password: The user's password.
    ///   - database: The database that collections are in.
    public init(
        hosts: [MongoHost] = [MongoHost("localhost")], user: String? = nil, password: Secret? = nil, database: String
    ) {
        self.hosts = hosts
        self.user = user
        self.password = password
        self.database = database
    }
}

extension MongoConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// User, hosts, database and TLS; no secrets.
    public var description: String {
        let list = seedListHost ?? hosts.map(\.description).joined(separator: ",")
        return "\(user.map { "\($0)@" } ?? "")\(list)/\(database) (TLS: \(tls))"
    }

    /// The settings, without secrets.
    public var debugDescription: String {
        var parts = [
            "hosts: \(hosts.map(\.description))", "database: \(database)", "user: \(user ?? "none")",
            "password: \(password == nil ? "none" : "given")", "tls: \(tls.debugDescription)",
            "writeConcern: \(writeConcern)", "readPreference: \(readPreference)",
            "compressors: \(compressors.map(\.rawValue))", "retriesReads: \(retriesReads)",
            "retriesWrites: \(retriesWrites)", "connectTimeout: \(connectTimeout)",
            "serverSelectionTimeout: \(serverSelectionTimeout)", "heartbeatInterval: \(heartbeatInterval)",
            "cancellationGrace: \(cancellationGrace)", "pool: \(pool)", "shutdownTimeout: \(shutdownTimeout)",
        ]
        if let seedListHost { parts.append("seedListHost: \(seedListHost)") }
        if let replicaSet { parts.append("replicaSet: \(replicaSet)") }
        if let readConcern { parts.append("readConcern: \(readConcern)") }
        if let authenticationMechanism { parts.append("authenticationMechanism: \(authenticationMechanism.rawValue)") }
        if let authenticationSource { parts.append("authenticationSource: \(authenticationSource)") }
        if let applicationName { parts.append("applicationName: \(applicationName)") }
        if let socketTimeout { parts.append("socketTimeout: \(socketTimeout)") }
        if let operationTimeout { parts.append("operationTimeout: \(operationTimeout)") }
        if !otherOptions.isEmpty { parts.append("otherOptions: \(otherOptions.keys.sorted())") }
        return "MongoConfiguration(\(parts.joined(separator: ", ")))"
    }

    /// Hides the settings themselves from `dump` and from test failure output.
    public var customMirror: Mirror {
        Mirror(self, children: ["description": debugDescription])
    }
}
