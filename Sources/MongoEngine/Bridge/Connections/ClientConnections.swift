internal import CMongoC
internal import PersistenceCore
internal import Synchronization

/// The connections of one client, and how it opens them.
final class ClientConnections: Sendable {
    let counts: ConnectionCounts
    let settings: ConnectionSettings
    private let open = Mutex<[ObjectIdentifier: ServerConnection]>([:])

    init(counts: ConnectionCounts, settings: ConnectionSettings) {
        self.counts = counts
        self.settings = settings
    }

    func add(_ connection: ServerConnection) {
        open.withLock { $0[ObjectIdentifier(connection)] = connection }
        counts.noteOpened()
    }

    func remove(_ connection: ServerConnection) {
        let removed = open.withLock { $0.removeValue(forKey: ObjectIdentifier(connection)) }
        if removed != nil { counts.noteClosed() }
    }

    /// Ends what the connections wait for.
    ///
    /// - Parameter age: How old a connection must be. One that is still being set up is left alone unless it is zero: the
    ///   driver would take the failure of a handshake for the failure of the server.
    func interrupt(olderThan age: Duration) {
        let limit = ContinuousClock.now.advanced(by: .zero - age)
        let connections = open.withLock { Array($0.values) }
        for connection in connections where connection.openedAt <= limit { connection.interrupt() }
    }
}

/// What every connection of a pool is opened with.
final class ConnectionSettings: Sendable {
    let connectTimeout: Int32
    let tls: MongoTLS

    init(configuration: MongoConfiguration) {
        connectTimeout = configuration.connectTimeout.driverMilliseconds
        tls = configuration.tls
    }

    /// Lends the TLS settings as the driver takes them.
    func withTLSOptions<Result>(_ body: (UnsafeMutablePointer<mongoc_ssl_opt_t>) -> Result) -> Result {
        Self.withOptionalCString(tls.authorityFile) { authorities in
            Self.withOptionalCString(tls.clientCertificateKeyFile) { certificate in
                Self.withOptionalCString(tls.clientKeyPassword?.reveal()) { password in
                    var options = mongoc_ssl_opt_t()
                    options.ca_file = authorities
                    options.pem_file = certificate
                    options.pem_pwd = password
                    options.weak_cert_validation = tls.allowsInvalidCertificates
                    options.allow_invalid_hostname = tls.allowsInvalidHostnames
                    return body(&options)
                }
            }
        }
    }

    private static func withOptionalCString<Result>(
        _ text: String?, _ body: (UnsafePointer<CChar>?) -> Result
    ) -> Result {
        guard let text else { return body(nil) }
        return text.withCString { body($0) }
    }
}
