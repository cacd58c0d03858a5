import BSON
import MongoEngine
import PersistenceCore
import PersistenceTesting
import Testing

@Suite("A private endpoint behind a bad network", .privateEndpoint, .serialized, .timeLimit(.minutes(10)))
struct NetworkFaultTests {
    private func withProxy(
        _ change: (inout MongoConfiguration) -> Void = { _ in },
        _ body: (TCPProxy, MongoDatabase, DocumentTestServer) async throws -> Void
    ) async throws {
        try await PrivateEndpoint.with { server in
            try await TCPProxy.with(port: server.port) { proxy in
                var configuration = try PrivateEndpoint.configuration(of: server, through: proxy)
                change(&configuration)
                try await MongoDatabase.with(configuration) { database in
                    try await body(proxy, database, server)
                    proxy.change { $0 = TCPProxy.Behaviour() }
                    try await eventually("the clients are back") { database.statistics.acquired == 0 }
                    #expect(database.statistics.waiters == 0)
                    try await database.drop()
                }
                if ProcessResources.isKnown {
                    try await eventually("no descriptor is left") { ProcessResources.sockets(to: proxy.port) == 0 }
                }
            }
        }
    }

    @Test("keeps what was acknowledged while connections are slow and cut at any byte, and does each write once")
    func cuts() async throws {
        try await withProxy { proxy, database, _ in
            let load = try await DocumentLoad(on: database)
            try await load.untilMore(20)
            proxy.change {
                $0.latency = .milliseconds(2)
                $0.bytesPerSecond = 1_000_000
            }
            var random = SystemRandomNumberGenerator()
            for round in 0..<12 {
                let direction: TCPProxy.Direction = round % 2 == 0 ? .toClient : .toServer
                let place = proxy.traffic[direction] + Int.random(in: 0...3000, using: &random)
                let cut = TCPProxy.Cut(direction, after: place, ending: round % 3 == 0 ? .close : .reset)
                proxy.change { $0.cut = cut }
                try await eventually("a connection is cut") { proxy.behaviour.cut == nil }
                try await load.untilMore(10, "work goes on after a cut")
            }
            try await load.check(with: database)
        }
    }

    @Test(
        "does a write whose answer was lost once, and says that nobody knows when it may not ask",
        arguments: [true, false])
    func lostAnswer(retries: Bool) async throws {
        try await withProxy {
            $0.retriesWrites = retries
            $0.pool.maximum = 1
            // Nothing but the write's answer shall come through.
            $0.heartbeatInterval = .seconds(600)
        } _: { proxy, database, _ in
            let items = try database.collection("items", of: Item.self)
            try await items.insertOne(Item(0))
            var unknown = 0
            var key = 0
            // The driver looks after the server when it has lost a connection, so that a cut may strike its own question.
            while unknown + Int(database.statistics.retriedOperations) < 3, key < 30 {
                key += 1
                let cut = TCPProxy.Cut(.toClient, after: proxy.traffic[.toClient])
                proxy.change { $0.cut = cut }
                do throws(PersistenceError) {
                    let result = try await items.updateOne(.id(0), .increment("count", by: 1))
                    #expect(result.modifiedCount == 1)
                } catch {
                    #expect(!retries)
                    #expect(error.code == .connection)
                    #expect(error.retrySafety == .unknown)
                    unknown += 1
                }
                #expect(proxy.behaviour.cut == nil)
                #expect(try await items.findOne(.id(0))?.count == key)
            }
            #expect(unknown == (retries ? 0 : 3))
            #expect(retries == (database.statistics.retriedOperations >= 3))
        }
    }

    @Test("ends every wait at its deadline when it swallows everything, and serves on when that is over")
    func blackHole() async throws {
        try await withProxy {
            $0.pool.maximum = 3
            $0.serverSelectionTimeout = .seconds(5)
        } _: { proxy, database, _ in
            let items = try database.collection("items", of: Item.self)
            try await items.insertMany((0..<50).map { Item($0) })
            var iterator: MongoCursor<Item>.AsyncIterator? = items.find(options: MongoFindOptions(batchSize: 10))
                .makeAsyncIterator()
            _ = try await iterator?.next()
            proxy.change { $0.isBlackHole = true }
            let ledger = WriteLedger<Int>()
            let codes = await withTaskGroup(of: PersistenceError.Code.self) { group in
                for key in 100..<140 {
                    group.addTask {
                        let failure = await ledger.write(key) {
                            try await withDeadline(.milliseconds(300)) {
                                switch key % 4 {
                                case 0: _ = try await items.insertOne(Item(key))
                                case 1: _ = try await items.insertMany([Item(key)])
                                case 2:
                                    try await database.withTransaction { session in
                                        _ = try await items.bound(to: session).insertOne(Item(key))
                                    }
                                default:
                                    _ = try await items.aggregate(MongoPipeline().limit(1)).collect()
                                }
                            }
                        }
                        return (failure as? PersistenceError)?.code ?? .internal
                    }
                }
                return await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(codes.isSubset(of: [.timeout, .commitUnknown]), "\(codes)")
            // Neither the cursor that is let go nor a caller who has left keeps a client until the network is back.
            iterator = nil
            try await eventually("the clients are back, although nothing comes through") {
                database.statistics.acquired == 0
            }
            proxy.change { $0.isBlackHole = false }
            try await eventually("it answers again") {
                (try? await withDeadline(.seconds(10)) { try await items.count(.id(0)) }) == 1
            }
            try await eventually("the clients are back") { database.statistics.acquired == 0 }
            let stored = try await items.find(Field<Int>("_id") >= 100).collect().map(\._id)
            let audit = ledger.audit(of: stored)
            #expect(audit.isClean, "\(audit)")
        }
    }

    @Test("serves all who wait for a client, and none of those who have left")
    func exhaustion() async throws {
        try await withProxy {
            $0.pool.maximum = 2
            $0.pool.acquireTimeout = .seconds(60)
        } _: { proxy, database, _ in
            let items = try database.collection("items", of: Item.self)
            try await items.insertOne(Item(0))
            proxy.change { $0.latency = .milliseconds(1) }
            let ledger = WriteLedger<Int>()
            let tasks = (1...500).map { key in
                Task { await ledger.write(key) { _ = try await items.insertOne(Item(key)) } }
            }
            try await eventually("callers wait") {
                database.statistics.waiters > 50 || ledger.count(.acknowledged) > 100
            }
            for task in tasks.shuffled().prefix(250) {
                task.cancel()
                await Task.yield()
            }
            for task in tasks {
                let failure = await task.value as? PersistenceError
                #expect(failure == nil || failure?.code == .cancelled)
            }
            #expect(ledger.count(.acknowledged) >= 250)
            try await eventually("the clients are back") { database.statistics.acquired == 0 }
            let audit = ledger.audit(of: try await items.find(Field<Int>("_id") >= 1).collect().map(\._id))
            #expect(audit.isClean, "\(audit)")
            #expect(database.statistics.connections <= 2)
        }
    }

    @Test(
        "leaks nothing when thousands of tasks are cancelled: neither clients, connections, threads nor cursors",
        arguments: [Duration.milliseconds(20), .seconds(60)])
    func storm(_ grace: Duration) async throws {
        try await withProxy {
            $0.pool.maximum = 4
            $0.cancellationGrace = grace
        } _: { proxy, database, _ in
            let items = try database.collection("items", of: Item.self)
            try await items.insertMany((0..<100).map { Item($0) })
            for round in 0..<2 {
                await withTaskGroup(of: Void.self) { group in
                    for number in 0..<600 {
                        group.addTask {
                            let task = Task {
                                switch number % 4 {
                                case 0:
                                    for try await _ in items.find(options: MongoFindOptions(batchSize: 5)) {}
                                case 1: _ = try await items.updateOne(.id(0), .increment("count", by: 1))
                                case 2:
                                    try await database.withTransaction { session in
                                        _ = try await items.bound(to: session).findOne(.id(1))
                                    }
                                default: _ = try await items.count()
                                }
                            }
                            for _ in 0..<number % 7 { await Task.yield() }
                            task.cancel()
                            _ = await task.result
                        }
                    }
                }
                try await eventually("the clients are back after round \(round)") {
                    database.statistics.acquired == 0
                }
            }
            let statistics = database.statistics
            #expect(statistics.waiters == 0)
            #expect(statistics.connections <= 4)
            #expect(statistics.threads <= 4)
            if ProcessResources.isKnown {
                // The clients' connections, and those that watch the server.
                #expect(ProcessResources.sockets(to: proxy.port) <= 4 + 2)
            }
            if grace > .seconds(1) {
                // A connection that is closed before the first answer came leaves a cursor that nobody can name.
                try await eventually("the cursors are closed on the server") {
                    try await PrivateEndpoint.status(database).cursors == 0
                }
            }
            #expect(try await items.count() == 100)
        }
    }
}
