import Configuration
import PersistenceCore
import Testing

@testable import PostgresEngine

@Suite("A configuration read from a configuration reader")
struct ConfigurationReaderTests {
    private func reader(_ values: [String: String]) -> ConfigReader {
        ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: values))
    }

    private func fault(_ values: [String: String]) throws -> PersistenceError {
        try #require(throws: PersistenceError.self) { try PostgresConfiguration(config: reader(values)) }
    }

    @Test("takes everything from a URL")
    func url() throws {
        let configuration = try PostgresConfiguration(config: reader(["URL": "postgres://app:pw@db:5433/shop"]))
        #expect(configuration == (try PostgresConfiguration(uri: "postgres://app:pw@db:5433/shop")))
    }

    @Test("takes the parts from keys of their own")
    func parts() throws {
        let configuration = try PostgresConfiguration(
            config: reader([
                "HOSTS": "first:5433, [::1]:5434,::2,/sock/dir", "PORT": "6000", "HOST_ORDER": "shuffled",
                "TARGET_SESSION": "read-write", "USER": "app", "PASSWORD": "pw", "DATABASE": "shop",
                "TLS_MODE": "require", "TLS_CLIENT_CERTIFICATE": "/c.pem", "TLS_CLIENT_KEY": "/c.key",
                "TLS_CLIENT_KEY_PASSWORD": "kpw", "TLS_ROOT_CERTIFICATE": "/ca.pem", "TLS_MINIMUM_VERSION": "TLSv1.3",
                "GSS_ENCRYPTION": "prefer", "CONNECT_TIMEOUT": "2s", "KEEP_ALIVE_ENABLED": "false",
                "KEEP_ALIVE_IDLE": "60s", "KEEP_ALIVE_INTERVAL": "5s", "KEEP_ALIVE_COUNT": "3",
                "TCP_USER_TIMEOUT": "900ms", "APPLICATION_NAME": "shop", "STATEMENT_CACHE_SIZE": "0",
                "STATEMENT_MODE": "unnamed", "STATEMENT_TIMEOUT": "30s", "CANCELLATION_GRACE": "1s",
                "SHUTDOWN_TIMEOUT": "3s", "POOL_MAXIMUM": "9", "POOL_ACQUIRE_TIMEOUT": "2s",
                "SESSION_PARAMETERS": "search_path=app, public; lock_timeout=5s",
            ]))
        var expected = PostgresConfiguration(
            hosts: [
                PostgresHost("first", port: 5433), PostgresHost("::1", port: 5434), PostgresHost("::2", port: 6000),
                PostgresHost(socketDirectory: "/sock/dir", port: 6000),
            ],
            user: "app", password: Secret("pw"), database: "shop")
        expected.hostOrder = .shuffled
        expected.targetSession = .readWrite
        expected.tls = PostgresTLS(
            .require, rootCertificate: .file("/ca.pem"), clientCertificate: "/c.pem", clientKey: "/c.key",
            clientKeyPassword: Secret("kpw"), minimumVersion: .tlsv13)
        expected.gssEncryption = .prefer
        expected.connectTimeout = .seconds(2)
        expected.keepAlive = .init(isEnabled: false, idle: .seconds(60), interval: .seconds(5), count: 3)
        expected.tcpUserTimeout = .milliseconds(900)
        expected.applicationName = "shop"
        expected.statementCacheSize = 0
        expected.statementMode = .unnamed
        expected.statementTimeout = .seconds(30)
        expected.cancellationGrace = .seconds(1)
        expected.shutdownTimeout = .seconds(3)
        expected.pool.maximum = 9
        expected.pool.acquireTimeout = .seconds(2)
        expected.sessionParameters = ["search_path": "app, public", "lock_timeout": "5s"]
        #expect(configuration == expected)
    }

    @Test("adds a password of its own key to a URL without one")
    func passwordBesideURL() throws {
        let configuration = try PostgresConfiguration(
            config: reader(["URL": "postgres://app@db/shop", "PASSWORD": "pw", "TLS_MODE": "require"]))
        #expect(configuration.password?.reveal() == "pw")
        #expect(configuration.tls.mode == .require)
        #expect(configuration.hosts == [PostgresHost("db")])
    }

    @Test("follows the scope of the reader")
    func scope() throws {
        let config = reader(["POSTGRES_HOST": "db", "POSTGRES_USER": "app"]).scoped(to: "postgres")
        #expect(try PostgresConfiguration(config: config).hosts == [PostgresHost("db")])
    }

    @Test(
        "refuses contradictions and values that cannot be used",
        arguments: [
            ([:], ["host is missing", "user is missing"]),
            (["HOST": "db"], ["user is missing"]),
            (["URL": "postgres://app@db", "HOST": "db"], ["host is set, and so is url"]),
            (["URL": "postgres://app@db", "HOSTS": "db"], ["hosts is set, and so is url"]),
            (["URL": "postgres://app@db", "PORT": "5432"], ["port is set, and so is url"]),
            (["URL": "postgres://app@db", "USER": "hunter2"], ["user is set, and so is url's user"]),
            (
                ["URL": "postgres://app:hunter2@db", "PASSWORD": "hunter2"],
                ["password is set, and so is url's password"]
            ),
            (
                ["URL": "postgres://app@db?sslmode=require", "TLS_MODE": "disable"],
                ["tls.mode is set, and so is url's"]
            ),
            (
                ["URL": "postgres://app@db?connect_timeout=3", "CONNECT_TIMEOUT": "2s"],
                ["connectTimeout is set, and so is url's connect_timeout"]
            ),
            (["URL": "postgres://app:hunter2@db?sslmode=x"], ["url's sslmode is not one of"]),
            (["URL": "postgres://app:hunter2%@db", "STATEMENT_MODE": "x"], ["url has a %", "statementMode is not"]),
            (["URL": ""], ["url is empty"]),
            (["HOST": "db", "HOSTS": "db", "USER": "app"], ["host is set, and so is hosts"]),
            (["HOST": "", "USER": "app"], ["host is empty"]),
            (["HOST": "a,b", "USER": "app"], ["use hosts"]),
            (["HOSTS": "a,,b", "USER": "app"], ["hosts has an empty entry"]),
            (["HOSTS": "a:hunter2", "USER": "app"], ["hosts has a port"]),
            (["HOSTS": "[::1", "USER": "app"], ["closing bracket"]),
            (["HOSTS": "[::1]5432", "USER": "app"], ["other than a port"]),
            (["HOST": "db", "PORT": "0", "USER": "app"], ["port is not from 1 to 65535"]),
            (["HOST": "db", "PORT": "hunter2", "USER": "app"], ["port is not a whole number"]),
            (["HOST": "db", "USER": ""], ["user is empty"]),
            (["HOST": "db", "USER": "app", "PASSWORD": ""], ["password is empty"]),
            (["HOST": "db", "USER": "app", "DATABASE": ""], ["database is empty"]),
            (["HOST": "db", "USER": "a\0b"], ["user holds a NUL"]),
            (["HOST": "db", "USER": "app", "PASSWORD": "hunter2\0"], ["password holds a NUL"]),
            (["HOST": "db", "USER": "app", "CONNECT_TIMEOUT": "-1s"], ["connectTimeout is not a duration"]),
            (["HOST": "db", "USER": "app", "CONNECT_TIMEOUT": "0s"], ["connectTimeout is not from"]),
            (["HOST": "db", "USER": "app", "STATEMENT_TIMEOUT": "400d"], ["statementTimeout is not from"]),
            (["HOST": "db", "USER": "app", "STATEMENT_CACHE_SIZE": "-1"], ["statementCacheSize is not from"]),
            (["HOST": "db", "USER": "app", "SHUTDOWN_TIMEOUT": "2h"], ["shutdownTimeout is not from"]),
            (["HOST": "db", "USER": "app", "POOL_MAXIMUM": "0"], ["pool.maximum is not from"]),
            (["HOST": "db", "USER": "app", "KEEP_ALIVE_ENABLED": "hunter2"], ["keepAlive.enabled is neither"]),
            (["HOST": "db", "USER": "app", "SESSION_PARAMETERS": "hunter2"], ["name=value"]),
            (["HOST": "db", "USER": "app", "SESSION_PARAMETERS": "a=1;a=2"], ["twice"]),
            (["HOST": "db", "USER": "app", "SESSION_PARAMETERS": "a b=1"], ["no server parameter has"]),
            (["HOST": "db", "USER": "app", "SESSION_PARAMETERS": "client_encoding=LATIN1"], ["always UTF8"]),
        ])
    func refused(values: [String: String], reasons: [String]) throws {
        let error = try fault(values)
        #expect(error.code == .configuration)
        for reason in reasons {
            #expect(error.summary.contains(reason), "\(error.summary)")
        }
        #expect(!error.debugDescription.contains("hunter2"), "\(error.debugDescription)")
    }

    @Test("names all faults in one error")
    func allFaults() throws {
        let error = try fault([
            "HOST": "db", "PORT": "70000", "TLS_MODE": "full", "CONNECT_TIMEOUT": "soon", "STATEMENT_MODE": "x",
        ])
        for part in ["5 faults", "port", "user", "tls.mode", "connectTimeout", "statementMode"] {
            #expect(error.summary.contains(part), "\(error.summary)")
        }
    }
}
