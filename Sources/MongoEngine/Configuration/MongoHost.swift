/// One server of a deployment: a name or address with a port, or a Unix socket.
public struct MongoHost: Sendable, Hashable {
    /// The port that MongoDB listens on unless told otherwise.
    public static let defaultPort = 27017

    /// The host's DNS name or numeric address, or the absolute path of a Unix socket.
    public let name: String

    /// The TCP port; of no meaning for a Unix socket.
    public let port: Int

    /// Names a server.
    ///
    /// - Parameters:
    ///   - name: The DNS name or numeric address, or the absolute path of a Unix socket.
    ///   - port: The TCP port.
    public init(_ name: String, port: Int = MongoHost.defaultPort) {
        self.name = name
        self.port = port
    }

    /// Whether the server is reached through a Unix socket.
    public var isUnixSocket: Bool { name.hasPrefix("/") }
}

extension MongoHost: CustomStringConvertible {
    /// The host and port as a person writes them: `db.example:27017`, `[::1]:27017`, or the socket's path.
    public var description: String {
        if isUnixSocket { return name }
        return name.contains(":") ? "[\(name)]:\(port)" : "\(name):\(port)"
    }
}
