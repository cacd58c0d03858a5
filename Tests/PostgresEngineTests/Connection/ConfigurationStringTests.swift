import PersistenceCore
import Testing

@testable import PostgresEngine

@Suite("A configuration read from a connection string")
struct ConfigurationStringTests {
    @Test("has every part of a URI")
    func wholeURI() throws {
        let configuration = try PostgresConfiguration(
            uri:
                "postgres://app:p%40ss%3Aw%2Frd@first:5433,second:5434/shop?sslmode=verify-full&sslrootcert=/etc/ca.pem"
                + "&sslcert=/etc/c.pem&sslkey=/etc/c.key&sslpassword=kpw&ssl_min_protocol_version=TLSv1.3"
                + "&target_session_attrs=prefer-standby&connect_timeout=7&application_name=shop%20web"
                + "&keepalives_idle=30&keepalives_interval=10&keepalives_count=4&tcp_user_timeout=1500&gssencmode=prefer"
        )
        #expect(configuration.hosts == [PostgresHost("first", port: 5433), PostgresHost("second", port: 5434)])
        #expect(configuration.user == "app")
        #expect(configuration.password?.reveal() == "p@ss:w/rd")
        #expect(configuration.database == "shop")
        #expect(configuration.tls.mode == .verifyFull)
        #expect(configuration.tls.rootCertificate == .file("/etc/ca.pem"))
        #expect(configuration.tls.clientCertificate == "/etc/c.pem")
        #expect(configuration.tls.clientKey == "/etc/c.key")
        #expect(configuration.tls.clientKeyPassword?.reveal() == "kpw")
        #expect(configuration.tls.minimumVersion == .tlsv13)
        #expect(configuration.targetSession == .preferStandby)
        #expect(configuration.connectTimeout == .seconds(7))
        #expect(configuration.applicationName == "shop web")
        #expect(configuration.keepAlive == .init(idle: .seconds(30), interval: .seconds(10), count: 4))
        #expect(configuration.tcpUserTimeout == .milliseconds(1500))
        #expect(configuration.gssEncryption == .prefer)
    }

    @Test("has the documented defaults for what a URI leaves out")
    func defaults() throws {
        let configuration = try PostgresConfiguration(uri: "postgresql://app@db")
        var expected = PostgresConfiguration(hosts: [PostgresHost("db")], user: "app")
        #expect(configuration == expected)
        #expect(configuration.database == "app")
        #expect(configuration.password == nil)
        #expect(configuration.connectTimeout == .seconds(10))
        #expect(configuration.cancellationGrace == .seconds(5))
        #expect(configuration.statementCacheSize == 256)
        #expect(configuration.gssEncryption == .disable)
        expected.database = "other"
        #expect(configuration != expected)
    }

    @Test(
        "names hosts, addresses and sockets as libpq does",
        arguments: [
            ("postgres://app@[::1]:5433/d", [PostgresHost("::1", port: 5433)]),
            ("postgres://app@%2Fsock%2Fdir:5433/d", [PostgresHost(socketDirectory: "/sock/dir", port: 5433)]),
            ("postgres://app@/d?host=/sock/dir", [PostgresHost(socketDirectory: "/sock/dir")]),
            ("host=a,b port=5433 user=app", [PostgresHost("a", port: 5433), PostgresHost("b", port: 5433)]),
            ("host=a,b port=,5433 user=app", [PostgresHost("a"), PostgresHost("b", port: 5433)]),
            ("host=a hostaddr=10.0.0.1 user=app", [PostgresHost("a", address: "10.0.0.1")]),
            ("hostaddr=10.0.0.1,::1 user=app", [PostgresHost(address: "10.0.0.1"), PostgresHost(address: "::1")]),
            ("host=@abstract user=app", [PostgresHost(socketDirectory: "@abstract")]),
        ])
    func hosts(text: String, expected: [PostgresHost]) throws {
        #expect(try PostgresConfiguration(connectionString: text).hosts == expected)
    }

    @Test("uses the local socket when no host is named, and the process's user when no role is")
    func nothingNamed() throws {
        let configuration = try PostgresConfiguration(uri: "postgres://")
        #expect(configuration.hosts == [PostgresHost(socketDirectory: PostgresConfiguration.defaultSocketDirectory)])
        #expect(!configuration.user.isEmpty)
        #expect(configuration.database == configuration.user)
    }

    @Test("reads quoted values of keyword strings")
    func quotedKeywords() throws {
        let configuration = try PostgresConfiguration(
            connectionString: #"host=db user='my app' password='it\'s \\ secret' dbname = d"#)
        #expect(configuration.user == "my app")
        #expect(configuration.password?.reveal() == #"it's \ secret"#)
        #expect(configuration.database == "d")
    }

    @Test("keeps the keywords that have no property of their own")
    func otherKeywords() throws {
        let configuration = try PostgresConfiguration(
            uri: "postgres://app@db/d?sslcrl=/etc/crl.pem&channel_binding=require&options=-c%20geqo%3Doff")
        let keywords = configuration.keywords(for: configuration.hosts[0], address: "10.0.0.1")
        #expect(keywords.contains { $0 == ("sslcrl", "/etc/crl.pem") })
        #expect(keywords.contains { $0 == ("channel_binding", "require") })
        #expect(keywords.filter { $0.keyword == "options" }.map(\.value) == ["-c geqo=off"])
    }

    @Test("waits an hour at most where libpq would wait for ever")
    func noConnectTimeout() throws {
        let configuration = try PostgresConfiguration(uri: "postgres://app@db?connect_timeout=0")
        #expect(configuration.connectTimeout == .seconds(3600))
    }

    @Test(
        "refuses what cannot be used, and says why without quoting it",
        arguments: [
            ("", "is empty"),
            ("mysql://app:hunter2@db", "neither a URI"),
            ("hunter2", "neither a URI"),
            ("postgres://app:hunter2%@db", "%25"),
            ("postgres://app:hunter2%zz@db", "%25"),
            ("postgres://app:hunter2%00@db", "NUL"),
            ("postgres://app:hunter2\0@db", "NUL"),
            ("postgres://app:hunter2@[::1/d", "closing bracket"),
            ("postgres://app:hunter2@[]/d", "empty IPv6"),
            ("postgres://app:hunter2@db?sslmode", "without ="),
            ("postgres://app:hunter2@db?sslmode=require=x", "second ="),
            ("postgres://app:hunter2@db?no_such=1", "unknown keyword no_such"),
            ("postgres://app:5432/p?hunter2=x@db", "unknown keyword"),
            ("host=db no_such=1", "unknown keyword no_such"),
            ("host=db password=my hunter2=x", "unknown keyword"),
            ("host=db password='hunter2", "quote"),
            ("postgres://app:hunter2@db:99999", "port is not from 1 to 65535"),
            ("postgres://app:hunter2@db:0", "port is not from 1 to 65535"),
            ("postgres://app:hunter2@db:port", "port is not from 1 to 65535"),
            ("postgres://app:hunter2@a,b,c?port=1,2", "port has neither one entry"),
            ("host=a,b hostaddr=10.0.0.1 password=hunter2", "as many entries"),
            ("hostaddr=db.example password=hunter2 user=app", "not numeric"),
            ("host=db user=app sslmode=hunter2", "sslmode is not one of"),
            ("host=db user=app ssl_min_protocol_version=hunter2", "ssl_min_protocol_version is not one of"),
            ("host=db user=app ssl_max_protocol_version=TLSv1.1", "later than"),
            ("host=db user=app target_session_attrs=hunter2", "target_session_attrs is not one of"),
            ("host=db user=app gssencmode=hunter2", "gssencmode is not one of"),
            ("host=db user=app client_encoding=LATIN1", "client_encoding is not UTF8"),
            ("host=db user=app connect_timeout=hunter2", "connect_timeout is not a whole number"),
            ("host=db user=app connect_timeout=99999999999", "connect_timeout is not a whole number"),
            ("host=db user=app connect_timeout=999999", "connectTimeout is not from"),
            ("host=db user=app keepalives_idle=999999", "keepAlive.idle is not from"),
            ("host=db user=app replication=database", "replication is not supported"),
            ("service=hunter2", "service is not supported"),
            ("hostaddr=10.0.0.1 user=app sslmode=verify-full", "no name to compare"),
            ("host='a b' user=app", "no host name has"),
        ])
    func refused(text: String, reason: String) throws {
        let error = try #require(throws: PersistenceError.self) {
            try PostgresConfiguration(connectionString: text)
        }
        #expect(error.code == .configuration)
        #expect(error.summary.contains(reason), "\(error.summary)")
        #expect(!error.debugDescription.contains("hunter2"), "\(error.debugDescription)")
        #expect(error.serverMessage == nil)
    }

    @Test("refuses a text that is no URI where a URI is asked for")
    func notAURI() throws {
        let error = try #require(throws: PersistenceError.self) {
            try PostgresConfiguration(uri: "host=db password=hunter2")
        }
        #expect(error.code == .configuration)
        #expect(error.summary.contains("does not begin with postgres://"))
        #expect(!error.debugDescription.contains("hunter2"))
    }

    @Test("names all faults of a text in one error")
    func allFaults() throws {
        let error = try #require(throws: PersistenceError.self) {
            try PostgresConfiguration(uri: "postgres://app@db:70000?sslmode=x&target_session_attrs=y&connect_timeout=z")
        }
        for part in ["4 faults", "port", "sslmode", "target_session_attrs", "connect_timeout"] {
            #expect(error.summary.contains(part), "\(error.summary)")
        }
    }

    @Test("copes with a huge text")
    func huge() throws {
        let name = String(repeating: "x", count: 1_000_000)
        let error = try #require(throws: PersistenceError.self) {
            try PostgresConfiguration(uri: "postgres://\(name):hunter2@\(name)/\(name)")
        }
        #expect(error.summary.contains("user has more than 63 bytes"))
        #expect(error.summary.contains("database has more than 63 bytes"))
        #expect(error.summary.contains("more than 253 bytes"))
        #expect(error.summary.utf8.count < 1000)
    }
}
