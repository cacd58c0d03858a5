import BSON
import Foundation
import MongoEngine
import PersistenceCore
import Synchronization
import Testing

@Suite("Operations on a collection", .timeLimit(.minutes(5)))
struct OperationTests {
    private struct Order: Codable, Sendable, Equatable {
        var _id: Int
        var status: String
    }

    private static func documents(_ range: Range<Int>) -> BSONValue {
        .array(BSONArray(range.map { ["_id": BSONValue($0), "status": "paid"] }))
    }

    private static func page(_ documents: BSONValue, cursor: Int64, isFirst: Bool) -> FakeMongoServer.Answer {
        .reply([
            "cursor": [isFirst ? "firstBatch" : "nextBatch": documents, "id": .int64(cursor), "ns": "app.orders"],
            "ok": .double(1),
        ])
    }

    @Test("insert documents, and give those without an _id one at the front")
    func insert() async throws {
        try await FakeMongoServer.with { _, _ in
            .reply(["n": .int32(1), "ok": .double(1)])
        } body: { server, configuration in
            try await MongoDatabase.with(configuration) { database in
                let orders = try database.collection("orders", of: Order.self)
                #expect(try await orders.insertOne(Order(_id: 7, status: "open")) == 7)
                let id = try await database.collection("orders").insertOne(["status": "open"])
                #expect(id.objectID != nil)
                let sent = server.commands.map { $0["documents"]?[0] }
                #expect(sent == [["_id": 7, "status": "open"], ["_id": id, "status": "open"]])
                // The server can tell a write that comes a second time.
                #expect(server.commands.allSatisfy { $0["txnNumber"] != nil && $0["lsid"] != nil })
            }
            try await eventually("all connections are closed") { server.connectionCount == 0 }
        }
    }

    /// Counts how many there are.
    private final class Token: Codable, Sendable {
        static let count = Mutex(0)
        let _id: Int

        private enum CodingKeys: String, CodingKey { case _id }

        init(from decoder: any Decoder) throws {
            _id = try decoder.container(keyedBy: CodingKeys.self).decode(Int.self, forKey: ._id)
            Self.count.withLock { $0 += 1 }
        }

        deinit { Self.count.withLock { $0 -= 1 } }
    }

    @Test("read what comes before a document that does not fit, and then say so")
    func misfit() async throws {
        var documents = (0..<150).map { BSONValue.document(["_id": BSONValue($0), "status": "paid"]) }
        documents[140] = .document(["_id": "none", "status": "paid"])
        let sent = BSONValue.array(BSONArray(documents))
        try await FakeMongoServer.with { name, _ in
            name == "find" ? Self.page(sent, cursor: 99, isFirst: true) : .reply(["ok": .double(1)])
        } body: { server, configuration in
            try await MongoDatabase.with(configuration) { database in
                let orders = try database.collection("orders", of: Token.self)
                var read: [Int] = []
                let error = try await failure {
                    for try await order in orders.find() { read.append(order._id) }
                }
                #expect(read == Array(0..<140))
                #expect(error.code == .decoding)
                #expect(error.column == "_id")
                #expect(error.operation == "find")
                #expect(Token.count.withLock { $0 } == 0)
                var iterator = orders.find().makeAsyncIterator()
                #expect(try await iterator.next()?._id == 0)
                #expect(Token.count.withLock { $0 } > 0)
                iterator = orders.find().makeAsyncIterator()
                // Those that were ready, and nobody asked for, are gone with their iterator.
                #expect(Token.count.withLock { $0 } == 0)
                try await eventually("the clients are back") { database.statistics.acquired == 0 }
            }
        }
    }

    @Test("read a result in batches, each when it is needed")
    func cursor() async throws {
        try await FakeMongoServer.with { name, command in
            switch name {
            case "find": Self.page(Self.documents(0..<2), cursor: 99, isFirst: true)
            case "getMore":
                command["getMore"] == 99
                    ? Self.page(Self.documents(2..<3), cursor: 0, isFirst: false) : .cut
            default: .reply(["ok": .double(1)])
            }
        } body: { server, configuration in
            try await MongoDatabase.with(configuration) { database in
                let orders = try database.collection("orders", of: Order.self)
                let filter = Field<String>("status") == "paid"
                let cursor = orders.find(
                    filter, sort: .ascending("_id"), skip: 1, limit: 9, options: MongoFindOptions(batchSize: 2))
                #expect(server.commands.isEmpty)
                var iterator = cursor.makeAsyncIterator()
                #expect(try await iterator.next()?._id == 0)
                #expect(database.statistics.acquired == 1)
                #expect(try await iterator.next()?._id == 1)
                #expect(server.count(of: "getMore") == 0)
                #expect(try await iterator.next()?._id == 2)
                // The server has no more, so that nobody needs the client.
                try await eventually("the client is back") { database.statistics.acquired == 0 }
                #expect(try await iterator.next() == nil)
                #expect(try await iterator.next() == nil)
                let find = try #require(server.commands.first)
                #expect(find["filter"] == ["status": ["$eq": "paid"]])
                #expect(find["sort"] == ["_id": .int32(1)])
                #expect(find["skip"]?.int == 1)
                #expect(find["limit"]?.int == 9)
                #expect(find["batchSize"]?.int == 2)
            }
        }
    }

    @Test("close a cursor that is left early, and give its client back")
    func earlyExit() async throws {
        try await FakeMongoServer.with { name, _ in
            name == "find" ? Self.page(Self.documents(0..<2), cursor: 99, isFirst: true) : .reply(["ok": .double(1)])
        } body: { server, configuration in
            try await MongoDatabase.with(configuration) { database in
                let orders = try database.collection("orders", of: Order.self)
                for _ in 0..<10 {
                    for try await order in orders.find(options: MongoFindOptions(batchSize: 2)) where order._id == 0 {
                        break
                    }
                }
                try await eventually("the clients are back") { database.statistics.acquired == 0 }
                #expect(server.count(of: "killCursors") == 10)
            }
        }
    }

    @Test("end the wait of a cancelled task at once, and lend its client again")
    func cancellation() async throws {
        try await FakeMongoServer.with { name, _ in
            name == "find" ? .silence : .reply(["ok": .double(1)])
        } body: { server, configuration in
            var configuration = configuration
            configuration.pool.maximum = 1
            configuration.cancellationGrace = .milliseconds(20)
            configuration.retriesReads = false
            try await MongoDatabase.with(configuration) { database in
                let orders = try database.collection("orders", of: Order.self)
                let task = Task { try await orders.findOne() }
                try await eventually("the query is under way") { server.count(of: "find") == 1 }
                task.cancel()
                let error = try await failure { _ = try await task.value }
                #expect(error.code == .cancelled)
                #expect(error.operation == "find")
                // The only client serves the next caller, though the server never answers.
                try await database.ping()
                #expect(database.statistics.interruptedOperations == 1)
                #expect(database.statistics.interruptedConnections == 1)
                #expect(database.topology.hasWritableServer)
            }
        }
    }

    @Test("are given up at their deadline, wherever it strikes")
    func deadline() async throws {
        try await FakeMongoServer.with { name, _ in
            name == "insert" ? .silence : .reply(["ok": .double(1)])
        } body: { server, configuration in
            var configuration = configuration
            configuration.pool.maximum = 1
            configuration.cancellationGrace = .milliseconds(20)
            try await MongoDatabase.with(configuration) { database in
                let orders = try database.collection("orders", of: Order.self)
                let error = try await failure {
                    try await withDeadline(.milliseconds(200)) {
                        _ = try await orders.insertOne(Order(_id: 1, status: ""))
                    }
                }
                #expect(error.code == .timeout)
                #expect(error.timeout == .statement)
                // The server may have done it.
                #expect(error.retrySafety == .unknown)
                #expect((server.commands.first?["maxTimeMS"]?.int).map { (1...200).contains($0) } == true)
                let passed = try await failure {
                    try await withDeadline(.zero) { try await database.ping() }
                }
                #expect(passed.code == .timeout)
                try await database.ping()
            }
        }
    }

    @Test("wait for a client in order, with a time limit, and no longer than they want to")
    func pool() async throws {
        try await FakeMongoServer.with { name, _ in
            name == "find" ? Self.page(Self.documents(0..<2), cursor: 99, isFirst: true) : .reply(["ok": .double(1)])
        } body: { _, configuration in
            var configuration = configuration
            configuration.pool.maximum = 1
            configuration.pool.maximumWaiters = 1
            configuration.pool.acquireTimeout = .milliseconds(100)
            try await MongoDatabase.with(configuration) { database in
                let orders = try database.collection("orders", of: Order.self)
                var iterator: MongoCursor<Order>.AsyncIterator? =
                    orders.find(options: MongoFindOptions(batchSize: 2)).makeAsyncIterator()
                _ = try await iterator?.next()
                let late = try await failure { try await database.ping() }
                #expect(late.code == .timeout)
                #expect(late.timeout == .pool)
                #expect(late.retrySafety == .safe)
                let waiting = Task { try await withDeadline(.seconds(60)) { try await database.ping() } }
                try await eventually("somebody waits, or has given up") {
                    database.statistics.waiters == 1 || database.statistics.timedOutAcquires == 2
                }
                if database.statistics.waiters == 1 {
                    let refused = try await failure { try await database.ping() }
                    #expect([.poolExhausted, .timeout].contains(refused.code))
                }
                waiting.cancel()
                _ = await waiting.result
                iterator = nil
                try await eventually("the client is back") { database.statistics.acquired == 0 }
                try await database.ping()
            }
        }
    }

    @Test("are refused when the database is shut down")
    func shutdown() async throws {
        try await FakeMongoServer.with { _, _ in
            .reply(["ok": .double(1)])
        } body: { server, configuration in
            let database = try MongoDatabase(configuration: configuration)
            try await database.ping()
            #expect(await database.shutdown(within: .seconds(10)) == 0)
            let error = try await failure { try await database.ping() }
            #expect(error.code == .poolClosed)
            try await eventually("all connections are closed") { server.connectionCount == 0 }
            #expect(await database.shutdown(within: .zero) == 0)
        }
    }

    @Test("are cut off at shutdown when they take too long")
    func cutOff() async throws {
        try await FakeMongoServer.with { name, _ in
            name == "insert" ? .silence : .reply(["ok": .double(1)])
        } body: { server, configuration in
            var configuration = configuration
            configuration.retriesWrites = false
            let database = try MongoDatabase(configuration: configuration)
            let orders = try database.collection("orders", of: Order.self)
            let task = Task { try await orders.insertOne(Order(_id: 1, status: "")) }
            try await eventually("the insert is under way") { server.count(of: "insert") == 1 }
            #expect(await database.shutdown(within: .milliseconds(10)) == 1)
            let error = try await failure { _ = try await task.value }
            #expect(error.code == .connection)
            #expect(error.retrySafety == .unknown)
        }
    }

    @Test("refuse arguments that the server would misunderstand")
    func arguments() async throws {
        let database = try MongoDatabase(configuration: MongoConfiguration(database: "app"))
        for name in ["", "a$b", "a\0b", "system.users", ".a", "a.", String(repeating: "x", count: 232)] {
            let error = #expect(throws: PersistenceError.self) { try database.collection(name) }
            #expect(error?.code == .invalidArgument)
        }
        let orders = try database.collection("orders", of: Order.self)
        func refused(_ body: () async throws -> Void) async throws {
            let error = try await failure { try await body() }
            #expect(error.code == .invalidArgument)
        }
        try await refused { _ = try await orders.find(skip: -1).collect() }
        try await refused { _ = try await orders.find(limit: -1).collect() }
        try await refused { _ = try await orders.count(atMost: -1) }
        try await refused { try await orders.updateOne(.all, MongoUpdate()) }
        try await refused { try await orders.updateOne(.all, MongoUpdate(trusted: ["status": "x"])) }
        try await refused {
            try await database.collection("orders").replaceOne(.all, with: ["$set": ["status": "x"]])
        }
        try await refused { try await orders.createIndexes([MongoIndex(MongoSort())]) }
        try await refused { try await orders.dropIndex("*") }
        try await refused { _ = try await database.runCommand([:]) }
        let nul = try await failure {
            _ = try await orders.findOne(MongoFilter(trusted: ["a\0b": 1]))
        }
        #expect(nul.code == .encoding)
        #expect(try await orders.find(limit: 0).collect().isEmpty)
        #expect(try await orders.insertMany([]).isEmpty)
        #expect(try await orders.bulkWrite([]).insertedCount == 0)
        // Nothing of this went to a server: there is none.
        #expect(database.statistics.newConnections == 0)
    }
}
