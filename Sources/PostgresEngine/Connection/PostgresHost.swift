/// One server that a connection may be made to: a name or address with a port, or a Unix socket.
public struct PostgresHost: Sendable, Hashable {
    /// The port that PostgreSQL listens on unless told otherwise.
    public static let defaultPort = 5432

    /// The host's DNS name, or its numeric address; a certificate is checked against this.
    ///
    /// `nil` for a Unix socket, and for a host that is known by its ``address`` alone.
    public let name: String?

    /// The numeric address to connect to; with it ``name`` is not looked up, but still compared with the certificate.
    public let address: String?

    /// The directory that holds the server's Unix socket, or `@` and a name for Linux's abstract namespace.
    public let socketDirectory: String?

    /// The TCP port, or the number in the socket file's name.
    public let port: Int

    /// A server reached over TCP by its name.
    ///
    /// - Parameters:
    ///   - name: The DNS name or numeric address.
    ///   - port: The TCP port.
    ///   - address: The numeric address to connect to, where the name must not be looked up.
    public init(_ name: String, port: Int = PostgresHost.defaultPort, address: String? = nil) {
        self.name = name
        self.address = address
        self.socketDirectory = nil
        self.port = port
    }

    /// A server reached over TCP by its numeric address alone.
    ///
    /// Without a name there is nothing to compare a certificate with, so ``PostgresTLS/Mode/verifyFull`` refuses it.
    ///
    /// - Parameters:
    ///   - address: The numeric address.
    ///   - port: The TCP port.
    public init(address: String, port: Int = PostgresHost.defaultPort) {
        self.name = nil
        self.address = address
        self.socketDirectory = nil
        self.port = port
    }

    /// A server on the same machine, reached through its Unix socket.
    ///
    /// - Parameters:
    ///   - socketDirectory: The absolute path of the directory that holds the socket file.
    ///   - port: The number in the socket file's name.
    public init(socketDirectory: String, port: Int = PostgresHost.defaultPort) {
        self.name = nil
        self.address = nil
        self.socketDirectory = socketDirectory
        self.port = port
    }

    /// Whether the server is reached through a Unix socket.
    public var isUnixSocket: Bool { socketDirectory != nil }

    /// The path of the socket file, for a Unix socket.
    public var socketPath: String? {
        socketDirectory.map { "\($0)/.s.PGSQL.\(port)" }
    }
}

extension PostgresHost: CustomStringConvertible {
    /// The host and port as a person writes them: `db.example:5432`, `[::1]:5432`, or the socket file's path.
    public var description: String {
        if let socketPath { return socketPath }
        let text = name ?? address ?? ""
        return text.contains(":") ? "[\(text)]:\(port)" : "\(text):\(port)"
    }
}
