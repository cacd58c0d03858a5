import BSON
import MongoEngine
import PersistenceCore
import Synchronization
import Testing

/// What the server is told, which no answer of a server would show.
@Suite("Commands", .timeLimit(.minutes(5)))
struct CommandTests {
    private struct Item: Codable, Sendable, Equatable {
        var _id: Int
        var name: String
    }

    private static func page(
        _ documents: [Document], in batch: String = "firstBatch", cursor: Int64 = 0, token: Document? = nil
    ) -> Document {
        var inner: Document = [
            batch: .array(BSONArray(documents.map { .document($0) })), "id": .int64(cursor), "ns": "app.items",
        ]
        if let token { inner.append("postBatchResumeToken", .document(token)) }
        return ["cursor": .document(inner), "ok": 1.0]
    }

    @Test("have the index and the collation that they were given")
    func hintsAndCollations() async throws {
        try await FakeMongoServer.with { name, _ in
            switch name {
            case "find": .reply(Self.page([]))
            case "aggregate": .reply(Self.page([["n": 3]]))
            case "distinct": .reply(["values": ["a"], "ok": 1.0])
            case "findAndModify": .reply(["value": .null, "ok": 1.0])
            default: .reply(["n": 1, "nModified": 1, "ok": 1.0])
            }
        } body: { server, configuration in
            try await MongoDatabase.with(configuration) { database in
                let items = try database.collection("items", of: Item.self)
                let filter = Field<String>("name") == "A"
                let hint = MongoIndexHint.name("name_1")
                let collation = MongoCollation(locale: "de", strength: 1, comparesNumbers: true)
                let update = MongoUpdateOptions(hint: hint, collation: collation)
                let find = MongoFindOptions(hint: hint, collation: collation)
                _ = try await items.find(filter, options: find).collect()
                _ = try await items.findOne(filter, options: find)
                #expect(try await items.count(filter, hint: hint, collation: collation) == 3)
                _ = try await items.aggregate(
                    MongoPipeline().match(filter), options: MongoAggregateOptions(hint: hint, collation: collation)
                ).collect()
                try await items.updateOne(filter, .set("name", to: "b"), options: update)
                try await items.updateMany(filter, .set("name", to: "b"), options: update)
                try await items.replaceOne(filter, with: Item(_id: 1, name: "b"), options: update)
                try await items.deleteOne(filter, hint: hint, collation: collation)
                try await items.deleteMany(filter, hint: hint, collation: collation)
                try await items.bulkWrite([
                    .deleteOne(filter, hint: hint, collation: collation),
                    .deleteMany(filter, hint: hint, collation: collation),
                    .updateOne(filter, .set("name", to: "b"), options: update),
                ])
                _ = try await items.findOneAndUpdate(filter, .set("name", to: "b"), options: update)
                _ = try await items.findOneAndReplace(filter, with: Item(_id: 1, name: "b"), options: update)
                _ = try await items.findOneAndDelete(filter, hint: hint, collation: collation)
                #expect(try await items.distinct("name", filter, as: String.self, collation: collation) == ["a"])
                #expect(try await items.distinct("name", filter, collation: collation) == ["a"])

                let sent: Document = ["locale": "de", "strength": .int64(1), "numericOrdering": true]
                for command in server.commands {
                    let name = command.keys.first ?? ""
                    let parts = ["updates", "deletes"].compactMap { command[$0]?.array }.flatMap { Array($0) }
                    for part in parts.isEmpty ? [.document(command)] : parts {
                        #expect(part["collation"]?.document == sent, "the collation of \(name)")
                        if name != "distinct" { #expect(part["hint"] == "name_1", "the index of \(name)") }
                    }
                }
                #expect(server.count(of: "delete") == 3)
                #expect(server.count(of: "update") == 4)
                #expect(server.count(of: "findAndModify") == 3)
            }
        }
    }

    @Test("of a causally consistent session ask for what the session has seen, those of others do not")
    func causalConsistency() async throws {
        let time = BSONValue.timestamp(BSONTimestamp(seconds: 1_700_000_000, increment: 7))
        try await FakeMongoServer.with { name, _ in
            var reply = name == "find" ? Self.page([]) : ["n": 1, "ok": 1.0]
            reply.append("operationTime", time)
            return .reply(reply)
        } body: { server, configuration in
            try await MongoDatabase.with(configuration) { database in
                let items = try database.collection("items", of: Item.self)
                for isCausal in [true, false] {
                    try await database.withSession(MongoSessionOptions(isCausallyConsistent: isCausal)) { session in
                        let mine = try items.bound(to: session)
                        try await mine.insertOne(Item(_id: 1, name: "a"))
                        _ = try await mine.findOne(.id(1))
                    }
                }
                _ = try await items.findOne(.id(1))
                let times = server.commands.filter { $0.keys.first == "find" }.map {
                    $0["readConcern"]?["afterClusterTime"]
                }
                #expect(times == [time, nil, nil])
                let sessions = server.commands.map { $0["lsid"]?["id"]?.uuid }
                #expect(sessions[0] == sessions[1] && sessions[0] != nil)
            }
        }
    }

    @Test("go on with a change stream where it was cut, and start one where they are told to")
    func changeStream() async throws {
        @Sendable func token(_ number: Int) -> Document { ["_data": .string("t\(number)")] }
        @Sendable func event(_ number: Int) -> Document {
            [
                "_id": .document(token(number)), "operationType": "insert", "documentKey": ["_id": BSONValue(number)],
                "fullDocument": ["_id": BSONValue(number), "name": "a"],
            ]
        }
        let fetches = Mutex(0)
        try await FakeMongoServer.with { name, _ in
            switch name {
            case "aggregate": return .reply(Self.page([], cursor: 9))
            case "getMore":
                let count = fetches.withLock { count in
                    count += 1
                    return count
                }
                if count == 2 { return .cut }
                return .reply(Self.page([event(count)], in: "nextBatch", cursor: 9, token: token(count)))
            default: return .reply(["ok": 1.0])
            }
        } body: { server, configuration in
            try await MongoDatabase.with(configuration) { database in
                let items = try database.collection("items", of: Item.self)
                var options = MongoChangeStreamOptions(resumeToken: token(0))
                options.maximumWait = .milliseconds(100)
                do {
                    var changes = items.changes(options).makeAsyncIterator()
                    let first = try #require(try await changes.next())
                    #expect(first.document == Item(_id: 1, name: "a"))
                    #expect(first.resumeToken == token(1))
                    // The connection is cut here.
                    #expect(try await changes.next()?.document?._id == 3)
                }
                let opened = server.commands.filter { $0.keys.first == "aggregate" }
                let places = opened.map { $0["pipeline"]?[0]?["$changeStream"] }
                #expect(
                    places.map { $0?["resumeAfter"]?.document ?? $0?["startAfter"]?.document } == [token(0), token(1)])
                try await eventually("the client is back") { database.statistics.acquired == 0 }
            }
        }
    }

    @Test("that would make an impossible collection are refused")
    func collectionOptions() async throws {
        let database = try MongoDatabase(configuration: MongoConfiguration(database: "app"))
        let items = try database.collection("items")
        for change: @Sendable (inout MongoCollectionOptions) -> Void in [
            { $0.cappedBytes = 0 }, { $0.cappedBytes = -1 }, { $0.expiresAfter = .milliseconds(-1) },
            { $0.expiresAfter = .seconds(Int64.max) },
        ] {
            var options = MongoCollectionOptions()
            change(&options)
            let error = try await failure { try await items.create(options) }
            #expect(error.code == .invalidArgument)
        }
        #expect(database.statistics.newConnections == 0)
    }
}
