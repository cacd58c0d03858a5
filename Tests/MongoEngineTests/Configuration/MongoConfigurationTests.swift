import Configuration
import PersistenceCore
import Testing

@testable import MongoEngine

@Suite("A configuration of MongoDB")
struct MongoConfigurationTests {
    private func reader(_ values: [String: String]) -> ConfigReader {
        ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: values))
    }

    private func fault(_ values: [String: String]) throws -> PersistenceError {
        try #require(throws: PersistenceError.self) { try MongoConfiguration(config: reader(values)) }
    }

    @Test("takes a connection string apart")
    func uri() throws {
        let configuration = try MongoConfiguration(
            uri: """
                mongodb://app:p%40ss@first:27018,[::1]:27019/shop?replicaSet=rs0&authSource=users\
                &authMechanism=SCRAM-SHA-256&tls=true&tlsCAFile=/ca.pem&readConcernLevel=majority&w=majority\
                &journal=true&wTimeoutMS=500&readPreference=secondaryPreferred&readPreferenceTags=dc:ny,rack:1\
                &readPreferenceTags=dc:sf&maxStalenessSeconds=120&compressors=zlib&retryReads=false\
                &connectTimeoutMS=1500&serverSelectionTimeoutMS=2500&socketTimeoutMS=3500\
                &heartbeatFrequencyMS=4500&appName=shop&maxPoolSize=7&waitQueueTimeoutMS=800&localThresholdMS=20
                """)
        var expected = MongoConfiguration(
            hosts: [MongoHost("first", port: 27018), MongoHost("::1", port: 27019)], user: "app",
            password: Secret("p@ss"), database: "shop")
        expected.replicaSet = "rs0"
        expected.authenticationSource = "users"
        expected.authenticationMechanism = .scramSHA256
        expected.tls = MongoTLS(authorityFile: "/ca.pem")
        expected.readConcern = .majority
        expected.writeConcern = MongoWriteConcern(.majority, isJournaled: true, timeout: .milliseconds(500))
        expected.readPreference = MongoReadPreference(
            .secondaryPreferred, tagSets: [["dc": "ny", "rack": "1"], ["dc": "sf"]], maximumStaleness: .seconds(120))
        expected.compressors = [.zlib]
        expected.retriesReads = false
        expected.connectTimeout = .milliseconds(1500)
        expected.serverSelectionTimeout = .milliseconds(2500)
        expected.socketTimeout = .milliseconds(3500)
        expected.heartbeatInterval = .milliseconds(4500)
        expected.applicationName = "shop"
        expected.pool = MongoPoolConfiguration(maximum: 7)
        expected.pool.acquireTimeout = .milliseconds(800)
        expected.otherOptions = ["localthresholdms": "20"]
        #expect(configuration == expected)
        // The driver takes what was made of it.
        _ = try MongoDatabase(configuration: configuration)
    }

    @Test("uses MongoDB's defaults where a connection string says nothing")
    func defaults() throws {
        let configuration = try MongoConfiguration(uri: "mongodb://localhost")
        #expect(configuration == MongoConfiguration(hosts: [MongoHost("localhost")], database: "test"))
    }

    @Test(
        "refuses what cannot be used, and quotes no secret",
        arguments: [
            ("http://localhost", "does not begin with mongodb://"),
            ("mongodb://app:hunter2@x@localhost/", "not a host's name"),
            ("mongodb://app:hunter2@localhost/?hunter2=x", "option"),
            ("mongodb://app:hunter2@localhost/?w=hunter&maxPoolSize=many", "option"),
            ("mongodb://app:hunter2@localhost/\0", "NUL"),
            ("mongodb://app:hunter2@localhost/?readPreferenceTags=hunter2&readPreference=nearest", "can read"),
            ("mongodb://app:hunter2@localhost/?compressors=hunter2", "compressor"),
            ("mongodb://app:hunter2@localhost/?maxPoolSize=100000", "pool.maximum"),
            ("mongodb://app@localhost/", "password is missing"),
        ])
    func refused(uri: String, reason: String) throws {
        let error = try #require(throws: PersistenceError.self) { try MongoConfiguration(uri: uri) }
        #expect(error.code == .configuration)
        #expect(error.summary.contains(reason), "\(error)")
        #expect(!"\(error) \(error.debugDescription)".contains("hunter2") || uri.contains("?hunter2="))
    }

    @Test("takes the parts from keys of their own")
    func parts() throws {
        let configuration = try MongoConfiguration(
            config: reader([
                "HOSTS": "first:27018, [::1]:27019,second", "PORT": "30000", "REPLICA_SET": "rs0", "USER": "app",
                "PASSWORD": "pw", "AUTH_SOURCE": "users", "AUTH_MECHANISM": "SCRAM-SHA-256", "DATABASE": "shop",
                "TLS_ENABLED": "true", "TLS_AUTHORITY_FILE": "/ca.pem", "READ_CONCERN": "majority",
                "WRITE_CONCERN_W": "2", "WRITE_CONCERN_JOURNAL": "true", "WRITE_CONCERN_TIMEOUT": "1s",
                "READ_PREFERENCE_MODE": "nearest", "COMPRESSORS": "zstd, zlib", "RETRY_WRITES": "false",
                "CONNECT_TIMEOUT": "2s", "SERVER_SELECTION_TIMEOUT": "3s", "OPERATION_TIMEOUT": "4s",
                "CANCELLATION_GRACE": "100ms", "APPLICATION_NAME": "shop", "POOL_MAXIMUM": "9",
                "POOL_ACQUIRE_TIMEOUT": "2s", "POOL_MAXIMUM_WAITERS": "11",
            ]))
        var expected = MongoConfiguration(
            hosts: [MongoHost("first", port: 27018), MongoHost("::1", port: 27019), MongoHost("second", port: 30000)],
            user: "app", password: Secret("pw"), database: "shop")
        expected.replicaSet = "rs0"
        expected.authenticationSource = "users"
        expected.authenticationMechanism = .scramSHA256
        expected.tls = MongoTLS(authorityFile: "/ca.pem")
        expected.readConcern = .majority
        expected.writeConcern = MongoWriteConcern(.members(2), isJournaled: true, timeout: .seconds(1))
        expected.readPreference = MongoReadPreference(.nearest)
        expected.compressors = [.zstd, .zlib]
        expected.retriesWrites = false
        expected.connectTimeout = .seconds(2)
        expected.serverSelectionTimeout = .seconds(3)
        expected.operationTimeout = .seconds(4)
        expected.cancellationGrace = .milliseconds(100)
        expected.applicationName = "shop"
        expected.pool = MongoPoolConfiguration(maximum: 9)
        expected.pool.acquireTimeout = .seconds(2)
        expected.pool.maximumWaiters = 11
        #expect(configuration == expected)
    }

    @Test("names every fault in one error")
    func faults() throws {
        let error = try fault([
            "HOST": "a,b", "PORT": "99999", "PASSWORD": "hunter2", "POOL_MAXIMUM": "none", "READ_CONCERN": "x",
            "COMPRESSORS": "rar", "CONNECT_TIMEOUT": "soon",
        ])
        for key in ["host", "port", "pool.maximum", "readConcern", "compressors", "connectTimeout"] {
            #expect(error.summary.contains(key), "\(key)")
        }
        #expect(!error.debugDescription.contains("hunter2"))
        #expect(try fault([:]).summary.contains("host is missing"))
        #expect(try fault(["URL": "mongodb://a", "HOST": "b"]).summary.contains("host is set, and so is url"))
        #expect(try fault(["URL": "mongodb://a/x", "DATABASE": "y"]).summary.contains("database is set"))
    }

    @Test("refuses a configuration that code has put together wrongly")
    func validation() throws {
        func fault(_ change: (inout MongoConfiguration) -> Void) throws -> String {
            var configuration = MongoConfiguration(user: "app", password: Secret("hunter2"), database: "shop")
            change(&configuration)
            let error = try #require(throws: PersistenceError.self) { try configuration.validate() }
            #expect(!error.debugDescription.contains("hunter2"))
            return error.summary
        }
        #expect(try fault { $0.hosts = [] }.contains("hosts is empty"))
        #expect(try fault { $0.hosts = [MongoHost("a/b@c")] }.contains("not a host's name"))
        #expect(try fault { $0.hosts = [MongoHost("a", port: 0)] }.contains("port"))
        #expect(try fault { $0.hosts = [MongoHost("a"), MongoHost("a")] }.contains("twice"))
        #expect(try fault { $0.database = "a.b" }.contains("database"))
        #expect(try fault { $0.database = "" }.contains("database is empty"))
        #expect(try fault { $0.password = nil }.contains("password is missing"))
        #expect(try fault { $0.user = nil }.contains("user is missing"))
        #expect(try fault { $0.tls = MongoTLS(isEnabled: false, authorityFile: "/ca") }.contains("tls.enabled"))
        #expect(try fault { $0.authenticationMechanism = .plain }.contains("clear text"))
        #expect(try fault { $0.readPreference.maximumStaleness = .seconds(120) }.contains("primary"))
        #expect(try fault { $0.writeConcern.acknowledgement = .members(0) }.contains("writeConcern.w"))
        #expect(try fault { $0.heartbeatInterval = .milliseconds(1) }.contains("heartbeatInterval"))
        #expect(try fault { $0.pool.maximum = 0 }.contains("pool.maximum"))
        #expect(try fault { $0.applicationName = String(repeating: "a", count: 129) }.contains("128"))
    }

    @Test("shows no secret")
    func description() throws {
        let configuration = try MongoConfiguration(uri: "mongodb://app:hunter2@db/shop?tls=true")
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in ["\(configuration)", configuration.debugDescription, dumped] {
            #expect(!text.contains("hunter2"))
            #expect(text.contains("app"))
        }
    }
}
