import PersistenceCore
import PersistenceTesting
import Testing

@testable import PostgresEngine

@Suite("Errors of connecting", .privateServer, .timeLimit(.minutes(5)))
struct ConnectErrorTests {
    /// What a connection of the configuration fails with, without the pool's own waiting.
    private static func refusal(
        _ configuration: PostgresConfiguration, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> PersistenceError {
        let database = try PostgresDatabase(configuration: configuration)
        let error = try await failure(sourceLocation: sourceLocation) {
            try await database.connector.connect(deadline: nil).close()
        }
        #expect(error.operation == "connect", sourceLocation: sourceLocation)
        for host in configuration.hosts {
            let name = host.name ?? host.description
            #expect(error.summary.contains(name), "\(error.summary) names \(name)", sourceLocation: sourceLocation)
        }
        expectNoSecrets(of: configuration, in: error, sourceLocation: sourceLocation)
        return error
    }

    private static func expectNoSecrets(
        of configuration: PostgresConfiguration, in error: PersistenceError, sourceLocation: SourceLocation
    ) {
        var dumped = ""
        dump(error, to: &dumped)
        dump(configuration, to: &dumped)
        let texts = [
            error.description, error.debugDescription, dumped, error.serverMessage ?? "", "\(configuration)",
            String(reflecting: configuration),
        ]
        for secret in [configuration.password, configuration.tls.clientKeyPassword].compactMap({ $0?.reveal() }) {
            for text in texts { #expect(!text.contains(secret), sourceLocation: sourceLocation) }
        }
    }

    /// Connects and asks the server about the session.
    private static func session<Value: PostgresDecodable>(
        _ configuration: PostgresConfiguration, _ statement: PostgresStatement, as type: Value.Type
    ) async throws -> Value {
        try await PostgresDatabase.with(configuration) { try await $0.one(statement, as: type) }
    }

    // MARK: The network

    @Test("a host that is not known")
    func hostUnknown() async throws {
        var configuration = try await FaultServer.plain().configuration()
        configuration.hosts = [PostgresHost("no-such-host.invalid")]
        let error = try await Self.refusal(configuration)
        #expect(error.code == .connection)
        #expect(error.retrySafety == .safe)
        #expect(error.summary.contains("not known"))
    }

    @Test("a port where nobody listens; through the pool, the wait says what it waited for")
    func refused() async throws {
        var configuration = try await FaultServer.plain().configuration()
        // Reserved since 1988, and listened to by nobody: a port that was free a moment ago may be another test's now.
        configuration.hosts = [PostgresHost("127.0.0.1", port: 1)]
        let error = try await Self.refusal(configuration)
        #expect(error.code == .connection)
        #expect(error.retrySafety == .safe)
        #expect(error.summary.contains("refused"))

        try await PostgresDatabase.with(configuration) { (database) async throws in
            let waited = try await failureToConnect(database, within: .milliseconds(500))
            #expect(waited.code == .timeout)
            #expect(waited.timeout == .pool)
            #expect(waited.retrySafety == .safe)
            #expect((waited.underlying as? PersistenceError)?.code == .connection)
            #expect(waited.summary.contains("127.0.0.1:1"))
        }
    }

    @Test("a server that accepts and never answers")
    func silent() async throws {
        let server = try await FaultServer.plain()
        try await TCPProxy.with(port: server.port) { (proxy) async throws in
            proxy.change { $0.isBlackHole = true }
            var configuration = server.configuration(through: proxy)
            configuration.connectTimeout = .milliseconds(100)
            let error = try await Self.refusal(configuration)
            #expect(error.code == .timeout)
            #expect(error.timeout == .connect)
            #expect(error.retrySafety == .safe)
        }
    }

    @Test("a server that ends the connection at once")
    func closed() async throws {
        let server = try await FaultServer.plain()
        try await TCPProxy.with(port: server.port) { (proxy) async throws in
            proxy.change { $0.cut = .init(.toServer, after: 0, ending: .close) }
            let error = try await Self.refusal(server.configuration(through: proxy))
            #expect(error.code == .connection)
            #expect(error.retrySafety == .safe)
        }
    }

    @Test("a Unix socket that is not there, and one that is")
    func unixSocket() async throws {
        let server = try await FaultServer.plain()
        var configuration = server.configuration()
        configuration.password = nil
        configuration.hosts = [PostgresHost(socketDirectory: server.socketFolder, port: server.port)]
        let address = try await Self.session(configuration, "SELECT inet_client_addr() IS NULL", as: Bool.self)
        #expect(address)
        configuration.hosts = [PostgresHost(socketDirectory: "/nonexistent", port: server.port)]
        let error = try await Self.refusal(configuration)
        #expect(error.code == .connection)
        #expect(error.summary.contains("no such socket"))
    }

    // MARK: TLS

    @Test("a server that does not offer TLS where the configuration requires it")
    func tlsRefused() async throws {
        var configuration = try await FaultServer.plain().configuration()
        configuration.tls = .require
        let error = try await Self.refusal(configuration)
        #expect(error.code == .tls)
        #expect(error.retrySafety == .unsafe)
        configuration.tls = .prefer
        let usesTLS = try await PostgresDatabase.with(configuration) { try await $0.withConnection { $0.usesTLS } }
        #expect(!usesTLS)
    }

    @Test("verify-full succeeds with the authority that signed the certificate, and encrypts")
    func verified() async throws {
        let server = try await FaultServer.encrypted()
        let certificates = try #require(server.certificates)
        var configuration = server.configuration()
        configuration.tls = .verifyFull(rootCertificate: .file(certificates.authority))
        configuration.hosts = [PostgresHost("localhost", port: server.port, address: server.host)]
        let version = try await Self.session(
            configuration, "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()", as: String?.self)
        #expect(version == "TLSv1.3")
    }

    @Test("a certificate that a stranger signed, one for another name, and a missing authority")
    func certificates() async throws {
        // A server of its own, because its certificate is changed.
        try await PostgresTestServer.with(.init(isTLSEnabled: true)) { (server) async throws in
            let certificates = try #require(server.certificates)
            var configuration = server.configuration()
            configuration.hosts = [PostgresHost("localhost", port: server.port, address: server.host)]
            configuration.tls = .verifyFull(rootCertificate: .file(certificates.strangeAuthority))
            let strange = try await Self.refusal(configuration)
            #expect(strange.code == .tls)
            #expect(strange.retrySafety == .unsafe)
            #expect(strange.summary.contains("trusted authority"))

            configuration.tls = .verifyFull(rootCertificate: .file("/nonexistent/root.crt"))
            let missing = try await Self.refusal(configuration)
            #expect(missing.code == .tls)
            #expect(missing.summary.contains("missing or cannot be read"))

            try await server.present(.anotherName)
            configuration.tls = .verifyFull(rootCertificate: .file(certificates.authority))
            let other = try await Self.refusal(configuration)
            #expect(other.code == .tls)
            #expect(other.summary.contains("another name"))
            // Whoever does not compare names is content with it.
            configuration.tls = PostgresTLS(.verifyCA, rootCertificate: .file(certificates.authority))
            #expect(try await Self.session(configuration, "SELECT 1", as: Int32.self) == 1)
        }
    }

    @Test("a client's certificate: accepted, missing, of a stranger, unreadable, encrypted without its password")
    func clientCertificate() async throws {
        let server = try await FaultServer.encrypted()
        let certificates = try #require(server.certificates)
        var configuration = server.configuration()
        configuration.password = nil
        configuration.database = "certified"
        configuration.tls = .verifyFull(rootCertificate: .file(certificates.authority))
        let missing = try await Self.refusal(configuration)
        #expect(missing.code == .authentication)

        configuration.tls.clientCertificate = certificates.client
        configuration.tls.clientKey = certificates.clientKey
        #expect(try await Self.session(configuration, "SELECT current_user::text", as: String.self) == "admin")

        configuration.tls.clientCertificate = certificates.strangeAuthority
        configuration.tls.clientKey = certificates.strangeAuthority.replacing(".crt", with: ".key")
        let strange = try await Self.refusal(configuration)
        #expect(strange.code == .tls)
        #expect(strange.summary.contains("does not accept the client's certificate"))

        configuration.tls.clientCertificate = certificates.client
        let wrongKey = try await Self.refusal(configuration)
        #expect(wrongKey.code == .tls)
        configuration.tls.clientKey = "/nonexistent/client.key"
        configuration.tls.clientKeyPassword = Secret("key-password-never-shown")
        let unreadable = try await Self.refusal(configuration)
        #expect(unreadable.code == .tls)
        #expect(unreadable.summary.contains("certificate or key"))
    }

    // MARK: Authentication

    @Test("SCRAM with the right, a wrong and no password")
    func password() async throws {
        let server = try await FaultServer.plain()
        var configuration = server.configuration()
        #expect(try await Self.session(configuration, "SELECT 1", as: Int32.self) == 1)

        configuration.password = Secret("wrong-and-never-shown")
        let wrong = try await Self.refusal(configuration)
        #expect(wrong.code == .authentication)
        #expect(wrong.serverCode == "28P01")
        #expect(wrong.retrySafety == .unsafe)
        #expect(wrong.summary.contains("role admin"))

        configuration.password = nil
        let missing = try await Self.refusal(configuration)
        #expect(missing.code == .authentication)
        #expect(missing.summary.contains("none is configured"))
    }

    @Test("the pool hands a refusal that waiting cannot mend to its caller at once")
    func passwordThroughPool() async throws {
        var configuration = try await FaultServer.plain().configuration()
        configuration.password = Secret("wrong-and-never-shown")
        try await PostgresDatabase.with(configuration) { (database) async throws in
            let error = try await failure { try await database.execute("SELECT 1") }
            #expect(error.code == .authentication)
            #expect(error.timeout == nil)
        }
    }

    @Test("a role that the server trusts needs no password, and one that its rules keep out is told so")
    func rules() async throws {
        let server = try await FaultServer.encrypted()
        var configuration = server.configuration()
        configuration.password = nil
        configuration.user = "trusted"
        #expect(try await Self.session(configuration, "SELECT current_user::text", as: String.self) == "trusted")
        configuration.user = "excluded"
        let excluded = try await Self.refusal(configuration)
        #expect(excluded.code == .authentication)
        #expect(excluded.summary.contains("pg_hba.conf"))
        // This one is kept out without TLS, and let in with it.
        configuration.user = "encrypted"
        configuration.password = Secret(server.password)
        #expect(try await Self.refusal(configuration).code == .authentication)
        configuration.tls = .prefer
        #expect(try await Self.session(configuration, "SELECT 1", as: Int32.self) == 1)
    }

    @Test("an unknown role and an unknown database")
    func unknown() async throws {
        let server = try await FaultServer.plain()
        var configuration = server.configuration()
        configuration.user = "nobody_here"
        // The server does not tell an unknown role from a wrong password.
        #expect(try await Self.refusal(configuration).code == .authentication)

        configuration = server.configuration()
        configuration.database = "nothing_here"
        let database = try await Self.refusal(configuration)
        #expect(database.code == .configuration)
        #expect(database.serverCode == "3D000")
        #expect(database.summary.contains("nothing_here"))
    }

    @Test("an unknown role over a socket that is trusted")
    func unknownRole() async throws {
        let server = try await FaultServer.plain()
        var configuration = server.configuration()
        configuration.hosts = [PostgresHost(socketDirectory: server.socketFolder, port: server.port)]
        configuration.password = nil
        configuration.user = "nobody_here"
        let error = try await Self.refusal(configuration)
        #expect(error.code == .authentication)
        #expect(error.summary.contains("nobody_here"))
    }

    @Test("more connections than the server allows")
    func tooManyConnections() async throws {
        let server = try await FaultServer.encrypted()
        var configuration = server.configuration()
        configuration.user = "limited"
        try await PostgresDatabase.with(configuration) { (database) async throws in
            try await database.withConnection { (_) async throws in
                let error = try await Self.refusal(configuration)
                #expect(error.code == .tooManyConnections)
                #expect(error.serverCode == "53300")
                #expect(error.retrySafety == .safe)
                // The pool waits for the server to have one to spare.
                let waited = try await failureToConnect(database, within: .milliseconds(500))
                #expect(waited.timeout == .pool)
                #expect((waited.underlying as? PersistenceError)?.code == .tooManyConnections)
            }
            #expect(try await database.one("SELECT 1", as: Int32.self) == 1)
        }
    }

    // MARK: Several hosts

    @Test("a dead host is passed over for one that lives, and both dead ones are named")
    func severalHosts() async throws {
        let server = try await FaultServer.plain()
        let first = try TCPProxy(port: server.port)
        let second = try TCPProxy(port: server.port)
        first.stop()
        second.stop()
        var configuration = server.configuration()
        configuration.hosts = [
            PostgresHost("127.0.0.1", port: first.port), PostgresHost("127.0.0.1", port: server.port),
        ]
        #expect(
            try await Self.session(configuration, "SELECT inet_server_port()", as: Int32.self) == Int32(server.port))

        configuration.hosts[1] = PostgresHost("localhost", port: second.port)
        let error = try await Self.refusal(configuration)
        #expect(error.code == .connection)
        #expect(error.summary.contains("\(first.port)"))
        #expect(error.summary.contains("\(second.port)"))
    }

    @Test("a silent host costs its own connect timeout, not the next one's")
    func silentHost() async throws {
        let server = try await FaultServer.plain()
        try await TCPProxy.with(port: server.port) { (proxy) async throws in
            proxy.change { $0.isBlackHole = true }
            var configuration = server.configuration()
            configuration.hosts.insert(PostgresHost("127.0.0.1", port: proxy.port), at: 0)
            configuration.connectTimeout = .seconds(2)
            let port = try await Self.session(configuration, "SELECT inet_server_port()", as: Int32.self)
            #expect(port == Int32(server.port))
        }
    }

    @Test("a session that cannot write is passed over when one that can is wanted")
    func targetSession() async throws {
        let writing = try await FaultServer.encrypted()
        let reading = try await FaultServer.plain()
        try await reading.query(
            """
            CREATE ROLE roaming LOGIN PASSWORD 'never-shown';
            ALTER ROLE roaming SET default_transaction_read_only = on
            """)
        var configuration = PostgresConfiguration(
            hosts: [PostgresHost("127.0.0.1", port: reading.port), PostgresHost("127.0.0.1", port: writing.port)],
            user: "roaming", password: Secret("never-shown"), database: "test")
        configuration.targetSession = .readWrite
        let port = try await Self.session(configuration, "SELECT inet_server_port()", as: Int32.self)
        #expect(port == Int32(writing.port))
        configuration.targetSession = .readOnly
        configuration.hosts.reverse()
        let other = try await Self.session(configuration, "SELECT inet_server_port()", as: Int32.self)
        #expect(other == Int32(reading.port))
        configuration.targetSession = .standby
        let none = try await Self.refusal(configuration)
        #expect(none.code == .unavailable)
        #expect(none.summary.contains("standby"))
        configuration.targetSession = .preferStandby
        #expect(try await Self.session(configuration, "SELECT 1", as: Int32.self) == 1)
    }

    // MARK: The session

    @Test("application name and session parameters arrive as they are")
    func session() async throws {
        var configuration = try await FaultServer.plain().configuration(application: "orders service")
        configuration.sessionParameters = [
            "work_mem": "5MB", "search_path": "\"a b\", public", "app.note": "it's a\\b  \t c",
        ]
        let values = try await Self.session(
            configuration,
            """
            SELECT ARRAY[current_setting('application_name'), current_setting('work_mem'),
                current_setting('search_path'), current_setting('app.note'), current_setting('client_encoding')]
            """, as: [String].self)
        #expect(values == ["orders service", "5MB", "\"a b\", public", "it's a\\b  \t c", "UTF8"])
    }

    @Test("a session parameter that the server does not accept is named by its fault")
    func parameterRefused() async throws {
        var configuration = try await FaultServer.plain().configuration()
        configuration.sessionParameters = ["work_mem": "much"]
        let error = try await Self.refusal(configuration)
        #expect(error.code == .configuration)
        #expect(error.serverCode == "22023")
    }
}
