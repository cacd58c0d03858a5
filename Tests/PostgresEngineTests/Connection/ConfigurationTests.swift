import PersistenceCore
import Testing

@testable import PostgresEngine

@Suite("A configuration")
struct ConfigurationTests {
    private func make(_ change: (inout PostgresConfiguration) -> Void = { _ in }) -> PostgresConfiguration {
        var configuration = PostgresConfiguration(
            hosts: [PostgresHost("db.example")], user: "app", password: Secret("hunter2"), database: "shop")
        change(&configuration)
        return configuration
    }

    private func keywords(_ configuration: PostgresConfiguration, address: String? = "10.0.0.1") -> [String: String] {
        Dictionary(
            configuration.keywords(for: configuration.hosts[0], address: address).map { ($0.keyword, $0.value) },
            uniquingKeysWith: { first, _ in "\(first) given twice" })
    }

    @Test("becomes exactly the keywords that libpq needs")
    func keywordList() {
        #expect(
            keywords(make()) == [
                "host": "db.example", "hostaddr": "10.0.0.1", "port": "5432", "user": "app", "password": "hunter2",
                "dbname": "shop", "client_encoding": "UTF8", "fallback_application_name": "swift-persistence",
                "target_session_attrs": "any", "gssencmode": "disable", "sslmode": "prefer",
                "ssl_min_protocol_version": "TLSv1.2", "sslpassword": " ", "keepalives": "1",
            ])
    }

    @Test("gives libpq every setting")
    func allKeywords() {
        let configuration = make {
            $0.targetSession = .standby
            $0.applicationName = "web"
            $0.tls = PostgresTLS(
                .verifyFull, rootCertificate: .file("/ca.pem"), clientCertificate: "/c.pem", clientKey: "/c.key",
                clientKeyPassword: Secret("kpw"), minimumVersion: .tlsv13)
            $0.keepAlive = .init(isEnabled: false, idle: .seconds(9), interval: .seconds(8), count: 7)
            $0.tcpUserTimeout = .milliseconds(1234)
            $0.gssEncryption = .require
        }
        let list = keywords(configuration)
        let expected = [
            "target_session_attrs": "standby", "application_name": "web", "sslmode": "verify-full",
            "sslrootcert": "/ca.pem", "sslcert": "/c.pem", "sslkey": "/c.key", "sslpassword": "kpw",
            "ssl_min_protocol_version": "TLSv1.3", "keepalives": "0", "keepalives_idle": "9",
            "keepalives_interval": "8", "keepalives_count": "7", "tcp_user_timeout": "1234", "gssencmode": "require",
        ]
        for (keyword, value) in expected {
            #expect(list[keyword] == value, "\(keyword)")
        }
    }

    @Test("asks for another kind of server when the connector says so")
    func otherTarget() {
        let configuration = make { $0.targetSession = .preferStandby }
        let host = configuration.hosts[0]
        let list = configuration.keywords(for: host, address: nil, targetSession: .standby)
        #expect(list.filter { $0.keyword == "target_session_attrs" }.map(\.value) == ["standby"])
    }

    @Test("gives a socket no address")
    func socketKeywords() {
        let list = keywords(make { $0.hosts = [PostgresHost(socketDirectory: "/sock", port: 6000)] }, address: nil)
        #expect(list["host"] == "/sock")
        #expect(list["hostaddr"] == nil)
        #expect(list["port"] == "6000")
    }

    @Test("escapes session parameters by the server's rules")
    func options() {
        let configuration = make {
            $0.sessionParameters = ["search_path": #"a b,"c\d""#, "app.tenant": "x\ty", "lock_timeout": "5s"]
        }
        #expect(
            configuration.startupOptions
                == #"-c app.tenant=x\"# + "\t" + #"y -c lock_timeout=5s -c search_path=a\ b,"c\\d""#)
    }

    @Test("shows no secret in any description, dump or mirror")
    func redaction() {
        let configuration = make {
            $0.tls.clientKeyPassword = Secret("hunter2")
            $0.sessionParameters = ["app.key": "hunter2"]
            $0.otherKeywords = ["options": "-c app.key=hunter2"]
        }
        var dumped = ""
        dump(configuration, to: &dumped)
        dump(configuration.tls, to: &dumped)
        dump([configuration], to: &dumped)
        let texts = [
            dumped, "\(configuration)", configuration.debugDescription, String(reflecting: configuration),
            "\([configuration])", "\(configuration.tls)", String(reflecting: configuration.tls),
            "\(Optional(configuration) as Any)",
        ]
        for text in texts {
            #expect(!text.contains("hunter2"), "\(text)")
        }
        #expect(configuration.description == "app@db.example:5432/shop (TLS: prefer)")
    }

    @Test("is unequal when a secret differs")
    func equality() {
        #expect(make() == make())
        #expect(make() != make { $0.password = Secret("other") })
        #expect(make() != make { $0.sessionParameters = ["a": "b"] })
    }

    @Test("accepts the extremes of what is allowed")
    func extremes() throws {
        let name = String(repeating: "n", count: 63)
        let configuration = make {
            $0.user = name
            $0.database = name
            $0.hosts = [
                PostgresHost("fe80::1%eth0", port: 1), PostgresHost("a", port: 65_535, address: "fe80::1%eth0"),
            ]
            $0.connectTimeout = .milliseconds(1)
            $0.statementTimeout = .milliseconds(Int64(Int32.max))
            $0.cancellationGrace = .zero
            $0.statementCacheSize = 0
            $0.sessionParameters = ["a.b$1": ""]
        }
        try configuration.validate()
    }

    @Test("refuses what code has put together wrongly, naming the property")
    func validation() throws {
        let long = String(repeating: "é", count: 32)
        let cases: [(String, (inout PostgresConfiguration) -> Void)] = [
            ("hosts is empty", { $0.hosts = [] }),
            ("hosts has an empty name", { $0.hosts = [PostgresHost("")] }),
            ("no host name has", { $0.hosts = [PostgresHost("a,b")] }),
            ("no host name has", { $0.hosts = [PostgresHost("/sock")] }),
            ("no host name has", { $0.hosts = [PostgresHost("a\0b")] }),
            ("port is not from", { $0.hosts = [PostgresHost("a", port: 0)] }),
            ("port is not from", { $0.hosts = [PostgresHost("a", port: .max)] }),
            ("not numeric", { $0.hosts = [PostgresHost("a", address: "b")] }),
            ("not numeric", { $0.hosts = [PostgresHost(address: "")] }),
            ("not numeric", { $0.hosts = [PostgresHost(address: "::1%")] }),
            ("not an absolute path", { $0.hosts = [PostgresHost(socketDirectory: "sock")] }),
            ("comma", { $0.hosts = [PostgresHost(socketDirectory: "/a,/b")] }),
            ("socket path of", { $0.hosts = [PostgresHost(socketDirectory: "/" + long + long)] }),
            ("user is empty", { $0.user = "" }),
            ("user has more than 63 bytes", { $0.user = long }),
            ("database has more than 63 bytes", { $0.database = long }),
            ("database holds a NUL", { $0.database = "a\0" }),
            ("applicationName has more than", { $0.applicationName = long }),
            ("password is empty", { $0.password = Secret("") }),
            ("tls.rootCertificate is empty", { $0.tls.rootCertificate = .file("") }),
            ("tls.clientKey holds a NUL", { $0.tls.clientKey = "a\0" }),
            ("tls.mode is not verify-full", { $0.tls.rootCertificate = .system }),
            (
                "no name to compare",
                {
                    $0.hosts = [PostgresHost(address: "10.0.0.1")]
                    $0.tls.mode = .verifyFull
                }
            ),
            ("connectTimeout", { $0.connectTimeout = .zero }),
            ("connectTimeout", { $0.connectTimeout = .seconds(Int64.max) }),
            ("connectTimeout", { $0.connectTimeout = .seconds(-1) }),
            ("keepAlive.idle", { $0.keepAlive.idle = .milliseconds(10) }),
            ("keepAlive.interval", { $0.keepAlive.interval = .seconds(40_000) }),
            ("keepAlive.count", { $0.keepAlive.count = 0 }),
            ("tcpUserTimeout", { $0.tcpUserTimeout = .seconds(-1) }),
            ("statementTimeout", { $0.statementTimeout = .zero }),
            ("cancellationGrace", { $0.cancellationGrace = .seconds(-1) }),
            ("shutdownTimeout", { $0.shutdownTimeout = .seconds(-1) }),
            ("pool.maximum", { $0.pool.maximum = 0 }),
            ("statementCacheSize", { $0.statementCacheSize = -1 }),
            ("sessionParameters has a name", { $0.sessionParameters = ["": "x"] }),
            ("sessionParameters has a name", { $0.sessionParameters = ["a=b -c c": "x"] }),
            ("sessionParameters has a name", { $0.sessionParameters = ["1a": "x"] }),
            ("sessionParameters has a name", { $0.sessionParameters = ["a..b": "x"] }),
            ("sessionParameters has a value with a NUL", { $0.sessionParameters = ["a": "\0"] }),
            (
                "sessionParameters takes more than",
                { $0.sessionParameters = ["a": String(repeating: "x", count: 9000)] }
            ),
            ("client_encoding", { $0.sessionParameters = ["Client_Encoding": "LATIN1"] }),
        ]
        for (reason, change) in cases {
            let error = try #require(throws: PersistenceError.self, "\(reason)") { try make(change).validate() }
            #expect(error.code == .configuration)
            #expect(error.summary.contains(reason), "\(error.summary)")
            #expect(!error.debugDescription.contains("hunter2"))
        }
    }

    @Test("shows hosts as a person writes them")
    func hostDescriptions() {
        #expect(PostgresHost("db").description == "db:5432")
        #expect(PostgresHost("::1").description == "[::1]:5432")
        #expect(PostgresHost(address: "10.0.0.1", port: 1).description == "10.0.0.1:1")
        #expect(PostgresHost("db", address: "10.0.0.1").description == "db:5432")
        #expect(PostgresHost(socketDirectory: "/sock").description == "/sock/.s.PGSQL.5432")
    }

    @Test(
        "counts durations in whole milliseconds without trapping",
        arguments: [(Duration.seconds(Int64.max), Int64.max), (.seconds(Int64.min), .min), (.microseconds(1999), 1)])
    func durationsInMilliseconds(duration: Duration, milliseconds: Int64) {
        #expect(duration.wholeMilliseconds == milliseconds)
    }
}
