import PersistenceCore
import Testing

@testable import PostgresEngine

/// The messages are those of libpq 15 and PostgreSQL 15, as they were seen with `PQERRORS_VERBOSE`.
@Suite("A connection that cannot be opened")
struct ConnectFailureTests {
    typealias Reason = PostgresConnectFailure.Reason
    typealias Phase = PostgresConnectFailure.Phase

    private static let configuration = PostgresConfiguration(
        hosts: [PostgresHost("db.example", port: 5544)], user: "app", password: Secret("hunter2"), database: "shop")
    private static let socketHost = PostgresHost(socketDirectory: "/tmp/none")

    private static func classify(
        _ message: String, _ phase: Phase = .authenticating, needsPassword: Bool = false,
        host: PostgresHost = configuration.hosts[0]
    ) -> PostgresConnectFailure {
        PostgresConnectFailure(
            message: message, phase: phase, needsPassword: needsPassword, host: host, configuration: configuration)
    }

    private static let prefix = "connection to server at \"127.0.0.1\", port 5544 failed: "
    private static let hba =
        "FATAL:  28000: no pg_hba.conf entry for host \"127.0.0.1\", user \"app\", database \"shop\", no encryption"
        + "\nLOCATION:  ClientAuthentication, auth.c:544\n"

    static let client: [(String, Phase, Reason)] = [
        ("server does not support SSL, but SSL was required", .encrypting, .tlsRefused),
        ("SSL error: certificate verify failed", .encrypting, .certificateUntrusted),
        (
            "root certificate file \"/root/.postgresql/root.crt\" does not exist\nEither provide the file or change "
                + "sslmode to disable server certificate verification.", .encrypting, .rootCertificateFile
        ),
        ("could not read root certificate file \"a\": no certificate or crl found", .encrypting, .rootCertificateFile),
        ("server certificate for \"a\" does not match host name \"b\"", .encrypting, .certificateName),
        (
            "server certificate for \"a\" (and 1 other name) does not match host name \"127.0.0.1\"", .encrypting,
            .certificateName
        ),
        ("host name must be specified for a verified SSL connection", .encrypting, .certificateName),
        (
            "SSL error: tlsv1 alert protocol version\nThis may indicate that the server does not support any SSL "
                + "protocol version between TLSv1 and TLSv1.1.", .encrypting, .tlsVersion
        ),
        ("SSL error: tlsv1 alert unknown ca", .authenticating, .clientCertificateRefused),
        ("could not load private key file \"k\": bad decrypt", .encrypting, .clientCertificateFile),
        ("could not load private key file \"k\": key values mismatch", .encrypting, .clientCertificateFile),
        ("certificate present, but not private key file \"k\"", .encrypting, .clientCertificateFile),
        (
            "private key file \"k\" has group or world access; file must have permissions u=rw (0600) or less",
            .encrypting, .clientCertificateFile
        ),
        ("could not read certificate file \"c\": No such file or directory", .encrypting, .clientCertificateFile),
        ("received invalid response to SSL negotiation: H", .encrypting, .notPostgres),
        ("expected authentication request from server, but received H", .authenticating, .notPostgres),
        (
            "server closed the connection unexpectedly\n\tThis probably means the server terminated abnormally\n"
                + "\tbefore or while processing the request.", .encrypting, .closed
        ),
        ("SSL SYSCALL error: Connection reset by peer", .encrypting, .closed),
        ("SSL error: something new", .encrypting, .tlsFailed),
        ("fe_sendauth: no password supplied", .authenticating, .passwordMissing),
        ("channel binding required, but SSL not in use", .authenticating, .authenticationMethod),
        ("server is not in hot standby mode", .checkingTarget, .wrongTarget),
        ("session is read-only", .checkingTarget, .wrongTarget),
        ("session is not read-only", .checkingTarget, .wrongTarget),
        (
            "Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?", .connecting,
            .refused
        ),
        ("No route to host", .connecting, .unreachable),
        ("Network is unreachable", .connecting, .unreachable),
        ("Connection timed out", .connecting, .timedOut),
        ("timeout expired", .connecting, .timedOut),
        ("something that nobody has seen yet", .connecting, .unknown),
    ]

    @Test("is recognised by libpq's message", arguments: client.indices)
    func clientMessages(index: Int) {
        let (text, phase, reason) = Self.client[index]
        #expect(Self.classify(Self.prefix + text + "\n", phase).reason == reason, "\(text)")
    }

    static let server: [(String, String, Reason, PersistenceError.Code)] = [
        ("28P01: password authentication failed for user \"app\"", "auth_failed", .passwordWrong, .authentication),
        ("28000: role \"app\" does not exist", "InitializeSessionUserId", .roleUnknown, .authentication),
        ("28000: role \"app\" is not permitted to log in", "InitializeSessionUserId", .roleUnknown, .authentication),
        (
            "28000: pg_hba.conf rejects connection for host \"127.0.0.1\", user \"app\"", "ClientAuthentication",
            .rejectedByRules, .authentication
        ),
        (
            "28000: connection requires a valid client certificate", "ClientAuthentication", .clientCertificateMissing,
            .authentication
        ),
        (
            "28000: certificate authentication failed for user \"app\"", "auth_failed", .credentialsRefused,
            .authentication
        ),
        ("3D000: database \"shop\" does not exist", "InitPostgres", .databaseUnknown, .configuration),
        (
            "42501: permission denied for database \"shop\"\nDETAIL:  User does not have CONNECT privilege.",
            "CheckMyDatabase", .databaseForbidden, .permission
        ),
        (
            "55000: database \"shop\" is not currently accepting connections", "CheckMyDatabase", .databaseClosed,
            .unavailable
        ),
        ("53300: sorry, too many clients already", "InitProcess", .tooManyConnections, .tooManyConnections),
        (
            "53300: remaining connection slots are reserved for non-replication superuser connections", "InitPostgres",
            .tooManyConnections, .tooManyConnections
        ),
        ("53300: too many connections for role \"app\"", "x", .tooManyConnections, .tooManyConnections),
        ("57P03: the database system is shutting down", "ProcessStartupPacket", .unavailable, .unavailable),
        ("57P03: the database system is starting up", "ProcessStartupPacket", .unavailable, .unavailable),
        (
            "57P01: terminating connection due to administrator command", "ProcessInterrupts", .unavailable,
            .unavailable
        ),
        ("42704: unrecognized configuration parameter \"x\"", "find_option", .parameterRefused, .configuration),
        ("22023: invalid value for parameter \"work_mem\": \"abc\"", "x", .parameterRefused, .configuration),
        ("42501: permission denied to set parameter \"x\"", "set_config_option", .parameterRefused, .configuration),
        ("08P01: no such database: shop", "", .databaseUnknown, .configuration),
        ("08P01: password authentication failed", "", .passwordWrong, .authentication),
        ("08P01: unsupported startup parameter: options", "", .parameterRefused, .configuration),
        ("08P01: no more connections allowed (max_client_conn)", "", .tooManyConnections, .tooManyConnections),
        ("53200: out of memory", "x", .server, .resourceExhausted),
    ]

    @Test(
        "is recognised by the server's SQLSTATE and function in every language", arguments: server.indices,
        [("FATAL", "LOCATION"), ("SCHWERWIEGEND", "ORT"), ("致命错误", "位置")])
    func serverRefusals(index: Int, words: (severity: String, location: String)) {
        let (text, function, reason, code) = Self.server[index]
        let location = function.isEmpty ? "" : "\(words.location):  \(function), file.c:12\n"
        let failure = Self.classify("\(Self.prefix)\(words.severity):  \(text)\n\(location)")
        #expect(failure.reason == reason, "\(text)")
        let error = failure.persistenceError
        #expect(error.code == code, "\(text)")
        #expect(error.serverCode == String(text.prefix(5)))
        #expect(error.operation == "connect")
        #expect(error.summary.hasPrefix("db.example:5544: "), "\(error.summary)")
        #expect(!error.debugDescription.contains("hunter2"))
    }

    @Test("tells what went wrong with TLS, although libpq tried once more without")
    func twoAttempts() {
        let password =
            Self.prefix + "FATAL:  28P01: password authentication failed for user \"app\"\n"
            + "LOCATION:  auth_failed, auth.c:334\n"
        #expect(Self.classify(password + Self.prefix + Self.hba).reason == .passwordWrong)
        #expect(Self.classify(Self.prefix + Self.hba + password).reason == .passwordWrong)
        #expect(Self.classify(Self.prefix + Self.hba).reason == .rejectedByRules)
        let key = Self.prefix + "could not load private key file \"k\": key values mismatch\n"
        #expect(Self.classify(key + Self.prefix + Self.hba).reason == .clientCertificateFile)
    }

    @Test("is told apart by its phase where libpq speaks a language that is not known")
    func otherLanguages() {
        let text = "Verbindung zum Server auf »127.0.0.1«, Port 5544 fehlgeschlagen: etwas ging schief\n"
        #expect(Self.classify(text, .connecting).persistenceError.code == .connection)
        #expect(Self.classify(text, .encrypting).persistenceError.code == .tls)
        #expect(Self.classify(text, .authenticating).persistenceError.code == .authentication)
        #expect(Self.classify(text, .authenticating, needsPassword: true).reason == .passwordMissing)
        #expect(Self.classify(text, .checkingTarget).reason == .wrongTarget)
    }

    @Test("is a missing socket only where a socket was asked for")
    func sockets() {
        let text =
            "connection to server on socket \"/tmp/none/.s.PGSQL.5432\" failed: No such file or directory\n"
            + "\tIs the server running locally and accepting connections on that socket?\n"
        let failure = Self.classify(text, .connecting, host: Self.socketHost)
        #expect(failure.reason == .socketMissing)
        #expect(failure.persistenceError.summary.hasPrefix("/tmp/none/.s.PGSQL.5432: "))
        #expect(failure.persistenceError.retrySafety == .safe)
        let denied = "connection to server on socket \"/tmp/none/.s.PGSQL.5432\" failed: Permission denied\n"
        #expect(Self.classify(denied, .connecting, host: Self.socketHost).reason == .socketForbidden)
        #expect(Self.classify(Self.prefix + "Permission denied\n", .connecting).reason == .unreachable)
    }

    @Test("is a fault of the configuration where libpq refuses the settings themselves")
    func settings() {
        #expect(Self.classify("invalid channel_binding value: \"x\"\n", .connecting).reason == .settingsRefused)
        #expect(Self.classify("invalid port number: \"x\"\n", .connecting).persistenceError.code == .configuration)
    }

    @Test("says something useful without any message", arguments: ["", "\n", "\n\n\t", ":  28P01: "])
    func emptyMessages(text: String) {
        let error = Self.classify(text, .connecting).persistenceError
        #expect(error.summary.count > "db.example:5544: ".count)
    }

    @Test("has a code, a sentence and no secret for every reason", arguments: Reason.allCases)
    func everyReason(reason: Reason) {
        let failure = PostgresConnectFailure(
            reason, host: Self.configuration.hosts[0], configuration: Self.configuration)
        let error = failure.persistenceError
        #expect(error.summary.hasPrefix("db.example:5544: "))
        #expect(!error.debugDescription.contains("hunter2"))
        #expect((error.timeout == .connect) == (reason == .timedOut))
    }

    @Test("at several hosts is one error that names each, with the code that tells most")
    func severalHosts() {
        func failure(_ reason: Reason, _ name: String) -> PersistenceError {
            PostgresConnectFailure(reason, host: PostgresHost(name), configuration: Self.configuration)
                .persistenceError
        }
        let error = PostgresConnectFailure.persistenceError(for: [
            failure(.refused, "a"), failure(.certificateName, "b"), failure(.timedOut, "c"),
        ])
        #expect(error.code == .tls)
        for name in ["a:5432: ", "b:5432: ", "c:5432: "] {
            #expect(error.summary.contains(name), "\(error.summary)")
        }
        #expect(error.retrySafety == .safe)
        let single = PostgresConnectFailure.persistenceError(for: [failure(.refused, "a")])
        #expect(single.summary == "a:5432: the connection was refused; no server listens there")
        #expect(PostgresConnectFailure.persistenceError(for: []).code == .configuration)
    }
}
