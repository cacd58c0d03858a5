import BSON
import MongoEngine
import PersistenceCore
import PersistenceTesting
import Testing

@Suite(
    "A private endpoint whose servers are killed under load", .privateEndpoint, .serialized, .timeLimit(.minutes(10)))
struct ServerFaultTests {
    /// Writes while `fault` happens, twice, and compares in the end.
    private func load(_ fault: (DocumentTestServer) async throws -> Void) async throws {
        try await PrivateEndpoint.with { server in
            let configuration = try PrivateEndpoint.configuration(of: server)
            try await MongoDatabase.with(configuration) { database in
                let load = try await DocumentLoad(on: database)
                for _ in 0..<2 {
                    try await load.untilMore(60)
                    try await fault(server)
                }
                try await load.untilMore(60, "work goes on after the fault")
                try await load.check(with: database)
                try await eventually("the clients are back") { database.statistics.acquired == 0 }
                #expect(database.statistics.waiters == 0)
                try await database.drop()
            }
        }
    }

    @Test("keeps what was acknowledged when the engine dies, and does each write once")
    func engine() async throws {
        try await load { server in
            try await server.engine.kill()
            try await server.engine.start()
        }
    }

    @Test("keeps what was acknowledged when the gateway dies, and does each write once")
    func gateway() async throws {
        try await load { server in
            try await server.kill()
            try await server.start()
        }
    }

    @Test("holds up nobody beyond his deadline while it is down, and is found again")
    func down() async throws {
        try await PrivateEndpoint.with { server in
            var configuration = try PrivateEndpoint.configuration(of: server)
            // A client whose caller has left looks for a server for so long.
            configuration.serverSelectionTimeout = .seconds(2)
            try await MongoDatabase.with(configuration) { database in
                let items = try database.collection("items", of: Item.self)
                try await items.insertOne(Item(0))
                try await server.kill()
                // More callers than clients: some wait for a server, the others for a client.
                let ledger = WriteLedger<Int>()
                let errors = await withTaskGroup(of: (any Error)?.self) { group in
                    for key in 1...30 {
                        group.addTask {
                            await ledger.write(key) {
                                try await withDeadline(.milliseconds(200)) { _ = try await items.insertOne(Item(key)) }
                            }
                        }
                    }
                    return await group.reduce(into: []) { $0.append($1) }
                }
                let codes = Set(errors.map { ($0 as? PersistenceError)?.code })
                #expect(codes.isSubset(of: [.timeout, .connection]), "\(codes)")
                try await eventually("the clients are back") { database.statistics.acquired == 0 }
                try await eventually("the driver has missed it") { !database.topology.hasWritableServer }
                try await server.start()
                try await eventually("it is found again") { (try? await items.findOne(.id(0))) == Item(0) }
                #expect(database.topology.hasWritableServer)
                let audit = ledger.audit(of: try await items.find(Field<Int>("_id") != 0).collect().map(\._id))
                #expect(audit.isClean, "\(audit)")
                try await database.drop()
            }
        }
    }

    @Test("loses nothing of what was acknowledged when the service shuts down under load")
    func shutdown() async throws {
        try await PrivateEndpoint.with { server in
            let configuration = try PrivateEndpoint.configuration(of: server)
            let database = try MongoDatabase(configuration: configuration)
            let load = try await DocumentLoad(on: database, workers: 12)
            try await load.untilMore(60)
            // Long enough for what is under way, so that nothing is cut off.
            #expect(await database.shutdown(within: .seconds(30)) == 0)
            await load.stop()
            #expect(Set(load.items.codes.keys).isSubset(of: [.poolClosed]), "\(load.items.codes)")
            #expect(database.statistics.connections == 0)
            try await eventually("its threads have ended") { database.statistics.threads == 0 }
            try await MongoDatabase.with(configuration) { observer in
                try await load.check(with: observer)
                try await observer.drop()
            }
        }
    }

    @Test("is left by a service that is shut down at once, and tells what nobody knows")
    func cutOff() async throws {
        var options = DocumentTestServer.Options()
        // Nobody is left to end a transaction that was cut off.
        options.arguments = ["--transaction-lifetime", "2"]
        try await PrivateEndpoint.with(options) { server in
            let configuration = try PrivateEndpoint.configuration(of: server)
            let database = try MongoDatabase(configuration: configuration)
            let load = try await DocumentLoad(on: database, workers: 12)
            try await load.untilMore(30)
            await database.shutdown(within: .zero)
            await load.stop()
            try await eventually("its connections are closed") { database.statistics.connections == 0 }
            try await eventually("its threads have ended") { database.statistics.threads == 0 }
            try await MongoDatabase.with(configuration) { observer in
                // What was cut off may still be running.
                try await eventually("the server has ended what was cut off") {
                    try await PrivateEndpoint.status(observer).transactions == 0
                }
                try await load.check(with: observer)
                try await observer.drop()
            }
        }
    }
}
