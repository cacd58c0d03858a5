import BSON
import MongoEngine
import PersistenceCore
import PersistenceTesting
import Testing

@Suite("A private endpoint, and how it is connected to", .privateEndpoint, .serialized, .timeLimit(.minutes(10)))
struct ConnectionSettingsTests {
    /// What a ping with a configuration comes to.
    private func ping(_ configuration: MongoConfiguration) async throws -> PersistenceError? {
        var configuration = configuration
        configuration.serverSelectionTimeout = .seconds(4)
        return try await MongoDatabase.with(configuration) { database in
            do throws(PersistenceError) {
                try await database.ping()
                return nil
            } catch {
                return error
            }
        }
    }

    @Test("TLS: the authority and the host's name are checked, and the client's certificate is shown")
    func tls() async throws {
        var options = DocumentTestServer.Options()
        options.certificate = .localhost
        options.requiresClientCertificate = true
        try await PrivateEndpoint.with(options) { server in
            let certificates = try #require(server.certificates)
            var configuration = try PrivateEndpoint.configuration(of: server)
            configuration.tls = MongoTLS(
                authorityFile: certificates.authority, clientCertificateKeyFile: certificates.client)
            try await MongoDatabase.with(configuration) { database in
                let items = try database.collection("items", of: Item.self)
                // More than one record of TLS, both ways.
                let item = Item(1, String(repeating: "x", count: 300_000))
                try await items.insertOne(item)
                #expect(try await items.findOne(.id(1)) == item)
                let task = Task { try await items.findOne(MongoFilter(trusted: ["$where": "sleep(1)"])) }
                task.cancel()
                _ = await task.result
                #expect(try await items.count() == 1)
                try await database.drop()
            }

            var strange = configuration
            strange.tls.authorityFile = certificates.strangeAuthority
            var careless = strange
            careless.tls.allowsInvalidCertificates = true
            var anonymous = configuration
            anonymous.tls.clientCertificateKeyFile = nil
            var plain = configuration
            plain.tls = .disabled
            // Together, because the driver tries for as long as it may find a server.
            async let results = (ping(strange), ping(careless), ping(anonymous), ping(plain))
            let (untrusted, accepted, refused, silent) = try await results
            #expect(untrusted?.code == .tls)
            #expect(untrusted?.retrySafety == .safe)
            #expect(accepted == nil)
            #expect([.tls, .connection].contains(refused?.code))
            #expect(silent?.code == .connection)
        }
    }

    @Test("TLS: a certificate for another host is refused, unless that is asked for")
    func hostName() async throws {
        var options = DocumentTestServer.Options()
        options.certificate = .anotherName
        try await PrivateEndpoint.with(options) { server in
            let certificates = try #require(server.certificates)
            var configuration = try PrivateEndpoint.configuration(of: server)
            configuration.tls = MongoTLS(authorityFile: certificates.authority)
            #expect(try await ping(configuration)?.code == .tls)
            configuration.tls.allowsInvalidHostnames = true
            #expect(try await ping(configuration) == nil)
        }
    }

    @Test("a replica set is found by a connection string that names it and one of its members")
    func replicaSet() async throws {
        try await PrivateEndpoint.with { server in
            let password = server.password
            func configuration(_ hosts: String, _ options: String) throws -> MongoConfiguration {
                try MongoConfiguration(
                    uri: "mongodb://\(server.username):\(password)@\(hosts)/app?authSource=admin&\(options)")
            }
            let own = "127.0.0.1:\(server.port)"
            // A seed that is down, and one under another name: the set tells its members' own.
            let set = try configuration("127.0.0.1:1,localhost:\(server.port)", "replicaSet=documentdb")
            try await MongoDatabase.with(set) { database in
                try await database.ping()
                #expect(database.topology.kind == "ReplicaSetWithPrimary")
                #expect(database.topology.servers.map(\.host.description) == [own])
                #expect(database.topology.servers.map(\.kind) == [.primary])
                #expect(database.topology.hasWritableServer)
            }
            let stranger = try configuration(own, "replicaSet=another")
            let unknown = try #require(try await ping(stranger))
            #expect(unknown.code == .connection)
            #expect(unknown.retrySafety == .safe)
            var secondary = try configuration(own, "replicaSet=documentdb&readPreference=secondary")
            secondary.serverSelectionTimeout = .seconds(3)
            try await MongoDatabase.with(secondary) { database in
                let items = try database.collection("items", of: Item.self)
                try await items.insertOne(Item(1))
                let read = try await failure { _ = try await items.findOne(.id(1)) }
                #expect(read.code == .connection)
                #expect(read.retrySafety == .safe)
                try await database.drop()
            }
            let direct = try configuration(own, "directConnection=true")
            try await MongoDatabase.with(direct) { database in
                try await database.ping()
                #expect(database.topology.kind == "Single")
            }
        }
    }

    @Test("a wrong password, an unknown user and a missing right are told apart from a server that is down")
    func credentials() async throws {
        try await PrivateEndpoint.with { server in
            let configuration = try PrivateEndpoint.configuration(of: server)
            var wrong = configuration
            wrong.password = Secret("hunter2")
            let refused = try #require(try await ping(wrong))
            #expect(refused.code == .authentication)
            #expect(refused.retrySafety == .unsafe)
            #expect(!"\(refused) \(refused.debugDescription)".contains("hunter2"))
            wrong.user = "nobody"
            #expect(try await ping(wrong)?.code == .authentication)

            var anonymous = configuration
            anonymous.user = nil
            anonymous.password = nil
            try await MongoDatabase.with(anonymous) { database in
                let denied = try await failure {
                    _ = try await database.collection("items", of: Item.self).findOne(.id(1))
                }
                #expect(denied.code == .permission)
            }
        }
    }

    @Test("a server that knows no compression is used without")
    func compression() async throws {
        try await PrivateEndpoint.with { server in
            var configuration = try PrivateEndpoint.configuration(of: server)
            configuration.compressors = [.zlib]
            #expect(try await ping(configuration) == nil)
        }
    }

    @Test("a statement that takes longer than its deadline ends on the server, too")
    func timeLimit() async throws {
        try await PrivateEndpoint.with { server in
            var configuration = try PrivateEndpoint.configuration(of: server)
            configuration.operationTimeout = .milliseconds(300)
            configuration.applicationName = "time-limit"
            try await MongoDatabase.with(configuration) { database in
                let items = try database.collection("items", of: Item.self)
                try await items.insertOne(Item(1))
                try await PrivateEndpoint.delayQueries(of: "time-limit", by: 5000, on: database)
                let late = try await failure { _ = try await items.findOne(.id(1)) }
                #expect(late.code == .timeout)
                #expect(late.timeout == .statement)
                try await eventually("the client is back") { database.statistics.acquired == 0 }
                try await PrivateEndpoint.delayQueries(of: "time-limit", by: nil, on: database)
                try await eventually("it answers again") { (try? await items.findOne(.id(1))) == Item(1) }
                try await withDeadline(.seconds(60)) { try await database.drop() }
            }
        }
    }
}
