/// What is known about the servers of a deployment, from the driver's regular checks.
///
/// Source: the Server Discovery and Monitoring specification.
public struct MongoTopology: Sendable, Hashable {
    /// One server.
    public struct Server: Sendable, Hashable {
        /// What a server is.
        @nonexhaustive
        public enum Kind: String, Sendable, Hashable, CaseIterable {
            /// Nothing is known, or the last check failed.
            case unknown
            /// A server that belongs to no replica set.
            case standalone
            /// A router of a sharded cluster.
            case router
            /// The member of a replica set that takes writes.
            case primary
            /// A member of a replica set that follows the primary.
            case secondary
            /// A member of a replica set that votes and holds no data.
            case arbiter
            /// Something else: a member that starts or recovers, a hidden one, or a load balancer.
            case other
        }

        /// Where the server is.
        public let host: MongoHost
        /// What the server is.
        public var kind: Kind
        /// How long the last check took.
        public var roundTripTime: Duration?
        /// How many checks in a row have failed.
        public var failedHeartbeats = 0

        init(host: MongoHost, kind: Kind) {
            self.host = host
            self.kind = kind
        }
    }

    /// The kind of deployment by the specification's names, such as `Single` or `ReplicaSetWithPrimary`.
    public var kind = "Unknown"
    /// The servers.
    public var servers: [Server] = []

    init() {}

    /// Whether some server takes writes.
    public var hasWritableServer: Bool {
        servers.contains { $0.kind == .primary || $0.kind == .standalone || $0.kind == .router }
    }
}

extension MongoTopology.Server.Kind {
    /// Reads the name that the driver has for a kind (`mongoc_server_description_type`).
    init(driverName: String) {
        self =
            switch driverName {
            case "Unknown", "PossiblePrimary": .unknown
            case "Standalone": .standalone
            case "Mongos": .router
            case "RSPrimary": .primary
            case "RSSecondary": .secondary
            case "RSArbiter": .arbiter
            default: .other
            }
    }
}
