/// The kind of database server, by the name that OpenTelemetry gives it.
///
/// Source: the well-known values of `db.system.name` in the OpenTelemetry database conventions.
public struct DatabaseSystem: Hashable, Sendable, CustomStringConvertible {
    /// The value of `db.system.name`, such as `postgresql`.
    public let name: String
    /// The port that servers of this system listen on unless told otherwise; telemetry leaves it out.
    public let defaultPort: Int?

    /// Names a system.
    ///
    /// - Parameters:
    ///   - name: The value of `db.system.name`: one of the well-known names, or a name of the caller's own.
    ///   - defaultPort: The port that such servers listen on unless told otherwise.
    public init(name: String, defaultPort: Int? = nil) {
        self.name = name
        self.defaultPort = defaultPort
    }

    /// PostgreSQL.
    public static let postgresql = DatabaseSystem(name: "postgresql", defaultPort: 5432)
    /// MongoDB, or a server that speaks its protocol.
    public static let mongodb = DatabaseSystem(name: "mongodb", defaultPort: 27017)

    /// The system's name.
    public var description: String { name }
}

/// The server and the namespace that operations go to.
///
/// An engine makes one for each pool or connection and passes it to every ``DatabaseOperation``. It is one reference
/// wide and carries its hash, so that telemetry finds a metric without hashing the strings again.
public struct DatabaseTarget: Hashable, Sendable {
    private let storage: Storage

    /// Describes a server and a namespace on it.
    ///
    /// - Parameters:
    ///   - system: The kind of server.
    ///   - namespace: `db.namespace`: for PostgreSQL `database|schema`, or `database` when the schema is not known;
    ///     for MongoDB the database.
    ///   - address: `server.address`: a host name, an IP address, or the path of a Unix socket.
    ///   - port: `server.port`, recorded only when it is not the system's default.
    public init(system: DatabaseSystem, namespace: String? = nil, address: String? = nil, port: Int? = nil) {
        self.storage = Storage(
            system: system,
            namespace: namespace.nonEmpty,
            address: address.nonEmpty,
            port: port
        )
    }

    /// The kind of server.
    public var system: DatabaseSystem { storage.system }
    /// The database and schema that operations go to.
    public var namespace: String? { storage.namespace }
    /// The server's host name, IP address or socket path.
    public var address: String? { storage.address }
    /// The server's port.
    public var port: Int? { storage.port }

    /// The port when telemetry records it: a server address is known and the port is not the system's default.
    public var recordedPort: Int? {
        guard let port, address != nil, port != system.defaultPort else { return nil }
        return port
    }

    /// The name that a pool goes by when its owner gave it none: `address:port/namespace`.
    ///
    /// Source: `db.client.connection.pool.name` in the OpenTelemetry database conventions.
    public var poolName: String {
        let server = server ?? system.name
        guard let namespace else { return server }
        return "\(server)/\(namespace)"
    }

    /// `address:port`, or the address alone for a Unix socket.
    var server: String? {
        guard let address else { return nil }
        guard !address.hasPrefix("/"), let port = port ?? system.defaultPort else { return address }
        return "\(address):\(port)"
    }

    /// Whether both describe the same server and namespace.
    public static func == (lhs: DatabaseTarget, rhs: DatabaseTarget) -> Bool {
        if lhs.storage === rhs.storage { return true }
        return lhs.system == rhs.system && lhs.namespace == rhs.namespace && lhs.address == rhs.address
            && lhs.port == rhs.port
    }

    /// Hashes the description.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(storage.hash)
    }

    private final class Storage: Sendable {
        let system: DatabaseSystem
        let namespace: String?
        let address: String?
        let port: Int?
        let hash: Int

        init(system: DatabaseSystem, namespace: String?, address: String?, port: Int?) {
            self.system = system
            self.namespace = namespace
            self.address = address
            self.port = port
            var hasher = Hasher()
            hasher.combine(system)
            hasher.combine(namespace)
            hasher.combine(address)
            hasher.combine(port)
            self.hash = hasher.finalize()
        }
    }
}

extension String? {
    /// The string, or nil when there is nothing in it: an empty attribute says less than none.
    var nonEmpty: String? {
        guard let self, !self.isEmpty else { return nil }
        return self
    }
}
