internal import CLibPQ
internal import PersistenceCore

/// Why a connection to one host could not be opened.
struct PostgresConnectFailure: Sendable, Equatable {
    /// How far a connection had come.
    enum Phase: Sendable, Equatable {
        /// Before a connection exists: the settings, the name, the network.
        case connecting
        /// Agreeing on TLS.
        case encrypting
        /// Proving who the client is, and entering the database.
        case authenticating
        /// Finding out whether the server is of the wanted kind.
        case checkingTarget

        /// The phase that a connection's status stands for.
        ///
        /// - Parameter status: What `PQstatus` said before the call to `PQconnectPoll` that failed.
        init(_ status: ConnStatusType) {
            switch status {
            case CONNECTION_SSL_STARTUP: self = .encrypting
            case CONNECTION_AWAITING_RESPONSE, CONNECTION_AUTH_OK: self = .authenticating
            case CONNECTION_CHECK_WRITABLE, CONNECTION_CHECK_TARGET, CONNECTION_CHECK_STANDBY, CONNECTION_CONSUME:
                self = .checkingTarget
            default: self = .connecting
            }
        }
    }

    /// What went wrong.
    enum Reason: Sendable, Equatable, CaseIterable {
        case hostUnknown
        case refused
        case unreachable
        case timedOut
        case socketMissing
        case socketForbidden
        case closed
        case notPostgres
        case unknown
        case settingsRefused
        case tlsRefused
        case tlsVersion
        case tlsFailed
        case certificateUntrusted
        case certificateName
        case rootCertificateFile
        case clientCertificateFile
        case clientCertificateRefused
        case clientCertificateMissing
        case passwordMissing
        case passwordWrong
        case credentialsRefused
        case authenticationMethod
        case roleUnknown
        case rejectedByRules
        case databaseUnknown
        case databaseForbidden
        case databaseClosed
        case parameterRefused
        case tooManyConnections
        case unavailable
        case wrongTarget
        /// An error of the server's with no reason of its own here; its SQLSTATE tells.
        case server
    }

    /// The host that was tried.
    var host: PostgresHost
    /// What went wrong.
    var reason: Reason
    /// The server's SQLSTATE, where the server itself refused.
    var sqlState: String?
    /// libpq's or the server's message; it names hosts, roles, databases and files, and no secrets.
    var message: String?

    private let user: String
    private let database: String
    private let target: String
    private let timeout: Duration

    /// A failure that the caller knows the reason of.
    ///
    /// - Parameters:
    ///   - reason: What went wrong.
    ///   - host: The host that was tried.
    ///   - configuration: What the connection was opened with.
    init(_ reason: Reason, host: PostgresHost, configuration: PostgresConfiguration) {
        self.reason = reason
        self.host = host
        self.user = configuration.user
        self.database = configuration.database
        self.target = configuration.targetSession.keyword
        self.timeout = configuration.connectTimeout
    }

    private var code: PersistenceError.Code {
        switch reason {
        case .hostUnknown, .refused, .unreachable, .socketMissing, .socketForbidden, .closed, .notPostgres, .unknown:
            .connection
        case .timedOut: .timeout
        case .tlsRefused, .tlsVersion, .tlsFailed, .certificateUntrusted, .certificateName, .rootCertificateFile,
            .clientCertificateFile, .clientCertificateRefused:
            .tls
        case .clientCertificateMissing, .passwordMissing, .passwordWrong, .credentialsRefused, .authenticationMethod,
            .roleUnknown, .rejectedByRules:
            .authentication
        case .databaseUnknown, .parameterRefused, .settingsRefused: .configuration
        case .databaseForbidden: .permission
        case .tooManyConnections: .tooManyConnections
        case .databaseClosed, .unavailable, .wrongTarget: .unavailable
        case .server: sqlState.map { PostgresSQLState.meaning(of: $0).code } ?? .connection
        }
    }

    /// Nothing of the caller's work was sent, so what remains is whether another attempt can succeed by itself.
    private var retrySafety: PersistenceError.RetrySafety {
        switch reason {
        case .hostUnknown, .refused, .unreachable, .timedOut, .socketMissing, .closed, .tooManyConnections,
            .unavailable, .wrongTarget, .unknown:
            .safe
        case .server: code == .unavailable || code == .connection ? .safe : .unsafe
        default: .unsafe
        }
    }

    private var sentence: String {
        switch reason {
        case .hostUnknown: "the host's name is not known"
        case .refused: "the connection was refused; no server listens there"
        case .unreachable: "the host cannot be reached over the network"
        case .timedOut: "no connection within \(timeout)"
        case .socketMissing: "there is no such socket; no server runs there"
        case .socketForbidden: "the process may not use the socket"
        case .closed: "the server closed the connection before it was ready"
        case .notPostgres: "what answers there is not a PostgreSQL server"
        case .unknown: "no connection could be made"
        case .settingsRefused: "libpq does not accept one of the settings of the connection"
        case .tlsRefused: "the server does not offer TLS, which the configuration requires"
        case .tlsVersion: "client and server have no TLS version in common"
        case .tlsFailed: "no TLS connection could be made"
        case .certificateUntrusted: "the server's certificate is not signed by a trusted authority, or not valid now"
        case .certificateName: "the server's certificate was issued for another name"
        case .rootCertificateFile: "the file with the trusted authorities is missing or cannot be read"
        case .clientCertificateFile: "the client's certificate or key cannot be used"
        case .clientCertificateRefused: "the server does not accept the client's certificate"
        case .clientCertificateMissing: "the server asks for a client certificate that it can check"
        case .passwordMissing: "the server asks role \(user) for a password, and none is configured"
        case .passwordWrong: "the server refused the password of role \(user)"
        case .credentialsRefused: "the server refused the credentials of role \(user)"
        case .authenticationMethod: "client and server do not agree on how to authenticate"
        case .roleUnknown: "role \(user) does not exist or may not log in"
        case .rejectedByRules:
            "the server's rules (pg_hba.conf) keep role \(user) out of database \(database) from here this way"
        case .databaseUnknown: "database \(database) does not exist"
        case .databaseForbidden: "role \(user) may not connect to database \(database)"
        case .databaseClosed: "database \(database) accepts no connections"
        case .parameterRefused: "the server does not accept one of the session's parameters"
        case .tooManyConnections: "the server has no connection to spare"
        case .unavailable: "the server is starting, stopping or recovering"
        case .wrongTarget: "the server is not of the wanted kind (\(target))"
        case .server: sqlState.flatMap { PostgresSQLState.meaning(of: $0).sentence } ?? code.description
        }
    }

    /// The error to throw when this was the only host.
    var persistenceError: PersistenceError {
        PersistenceError(code, "\(host): \(sentence)", operation: "connect", retrySafety: retrySafety).with { error in
            error.serverCode = sqlState
            error.serverMessage = message
            if code == .timeout { error.timeout = .connect }
        }
    }

    /// The error to throw when none of several hosts could be used.
    ///
    /// Its code is the one that tells most: what a server said comes before what the network did.
    ///
    /// - Parameter errors: What happened at each host, in the order of the attempts.
    /// - Returns: The error, whose summary names every host.
    static func persistenceError(for errors: [PersistenceError]) -> PersistenceError {
        guard let first = errors.first else {
            return PersistenceError(.configuration, "no host is configured", operation: "connect")
        }
        guard errors.count > 1 else { return first }
        let telling = errors.last { $0.code != .connection && $0.code != .timeout } ?? first
        return telling.with { error in
            error.summary = "no host could be used: " + errors.map(\.summary).joined(separator: "; ")
            if errors.contains(where: { $0.retrySafety == .safe }) { error.retrySafety = .safe }
        }
    }
}
