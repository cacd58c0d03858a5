import BSON
import Foundation
import MongoEngine
import PersistenceCore
import Testing

/// What the local engine refuses; these run against the real image alone.
@Suite("MongoDB itself", .mongoServer, .realMongoServer, .timeLimit(.minutes(5)))
struct RealServerTests {
    @Test("tells of changes, and goes on where one has stopped")
    func changes() async throws {
        try await MongoTestServer.withCollection(of: Item.self) { database, items in
            try await items.create()
            let started = AsyncStream<Void>.makeStream()
            let reader = Task {
                var changes: [MongoChange<Item>] = []
                // Everything from the first insert on, whenever the stream has really been opened.
                var iterator = items.changes(MongoChangeStreamOptions(maximumWait: .milliseconds(100)))
                    .makeAsyncIterator()
                started.continuation.yield()
                while changes.count < 2, let change = try await iterator.next() {
                    if change.document?._id ?? 1 >= 1 { changes.append(change) }
                }
                return changes
            }
            for await _ in started.stream { break }
            let writer = Task {
                var id = 0
                while !Task.isCancelled {
                    id += 1
                    try await items.insertOne(Item(id))
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
            let changes = try await reader.value
            writer.cancel()
            _ = await writer.result
            #expect(changes.map(\.kind) == [.insert, .insert])
            let first = try #require(changes.first)
            var resumed = items.changes(MongoChangeStreamOptions(resumeToken: first.resumeToken)).makeAsyncIterator()
            #expect(try await resumed.next()?.document == changes.last?.document)
        }
    }

    @Test("keeps time series")
    func timeSeries() async throws {
        try await MongoTestServer.withCollection(of: Document.self) { database, points in
            var options = MongoCollectionOptions()
            options.timeSeries = .init(timeField: "at", metaField: "source", granularity: .seconds)
            options.expiresAfter = .seconds(3600)
            try await points.create(options)
            try await points.insertMany(
                (0..<10).map { ["at": BSONValue(Date.now), "source": "a", "n": BSONValue($0)] })
            #expect(try await points.count() == 10)
            let info = try await database.listCollections(Field<String>("name") == points.name)
            #expect(info.first?.kind == "timeseries")
        }
    }

    @Test("reads one moment in a snapshot session")
    func snapshot() async throws {
        try await MongoTestServer.withCollection(of: Item.self) { database, items in
            try await items.insertOne(Item(1))
            try await database.withSession(MongoSessionOptions(isSnapshot: true)) { session in
                let mine = try items.bound(to: session)
                #expect(try await mine.count() == 1)
                try await items.insertOne(Item(2))
                #expect(try await mine.count() == 1)
            }
        }
    }

    @Test("compares texts by the rules of a language, in every operation that does")
    func collations() async throws {
        try await MongoTestServer.withCollection(of: Item.self) { _, items in
            try await items.insertMany([Item(1, "Straße"), Item(2, "strasse"), Item(3, "STRASSE"), Item(4, "other")])
            let name = Field<String>("name") == "strasse"
            let german = MongoCollation(locale: "de", strength: 1)
            #expect(try await items.count(name) == 1)
            #expect(try await items.count(name, collation: german) == 3)
            let found = try await items.find(
                name, sort: .ascending("_id"), options: MongoFindOptions(collation: german)
            ).collect()
            #expect(found.map(\._id) == [1, 2, 3])
            #expect(try await items.distinct("name", name, as: String.self, collation: german).count == 1)
            let update = MongoUpdateOptions(collation: german)
            #expect(try await items.updateMany(name, .increment("count"), options: update).matchedCount == 3)
            let changed = try await items.findOneAndUpdate(
                name, .increment("count"), sort: .descending("_id"), options: update)
            #expect(changed?._id == 3)
            let removed = try await items.findOneAndDelete(name, sort: .ascending("_id"), collation: german)
            #expect(removed?._id == 1)
            #expect(try await items.deleteOne(name, collation: german))
            let rest = try await items.bulkWrite([.deleteMany(name, collation: german)])
            #expect(rest.deletedCount == 1)
            #expect(try await items.count() == 1)
        }
    }

    @Test("makes unique indexes and collections that follow a language")
    func collatedIndexes() async throws {
        try await MongoTestServer.withCollection(of: Item.self) { _, items in
            var options = MongoCollectionOptions()
            options.collation = .caseInsensitive
            try await items.create(options)
            let declared = [MongoIndex(.ascending("name"), isUnique: true, collation: .caseInsensitive)]
            try await items.ensureIndexes(declared)
            #expect(try await items.compareIndexes(with: declared).isMatch)
            let exact = [MongoIndex(.ascending("name"), isUnique: true, collation: MongoCollation(locale: "en"))]
            #expect(try await items.compareIndexes(with: exact).different.map(\.properties) == [["collation"]])
            try await items.insertOne(Item(1, "Same"))
            let error = try await failure { try await items.insertOne(Item(2, "SAME")) }
            #expect(error.code == .uniqueViolation)
        }
    }

    @Test("keeps collections of a bounded size, and schemas of every kind")
    func boundedCollections() async throws {
        try await MongoTestServer.withCollection(of: Document.self) { database, items in
            var options = MongoCollectionOptions()
            options.cappedBytes = 4096
            options.validator = MongoFilter(
                trusted: ["$jsonSchema": ["anyOf": [["required": ["a"]], ["required": ["b"]]]]])
            try await items.create(options)
            let error = try await failure { try await items.insertOne(["c": 1]) }
            #expect(error.code == .checkViolation)
            let text = BSONValue.string(String(repeating: "x", count: 500))
            for index in 0..<50 { try await items.insertOne(["_id": BSONValue(index), "a": text]) }
            let count = try await items.count()
            #expect((1..<20).contains(count))
            #expect(try await items.findOne(.id(49)) != nil)
        }
    }
}

@Suite("What the local engine lacks", .mongoServer, .timeLimit(.minutes(5)))
struct UnsupportedTests {
    @Test("is refused with an error that says so")
    func refused() async throws {
        guard await !MongoTestServer.isReal else { return }
        try await MongoTestServer.withCollection(of: Item.self) { _, items in
            try await items.insertOne(Item(1))
            let error = try await failure {
                for try await _ in items.changes() { break }
            }
            #expect(error.code == .unsupported)
        }
    }

    @Test("is refused when a collection is to be made with it, and none is made")
    func collections() async throws {
        guard await !MongoTestServer.isReal else { return }
        try await MongoTestServer.withCollection(of: Document.self) { database, items in
            var series = MongoCollectionOptions()
            series.timeSeries = .init(timeField: "at")
            var bounded = MongoCollectionOptions()
            bounded.cappedBytes = 4096
            for options in [series, bounded] {
                let error = try await failure { try await items.create(options) }
                #expect(error.code == .unsupported)
            }
            #expect(try await database.listCollections(Field<String>("name") == items.name).isEmpty)
        }
    }

    @Test("is refused in a session, too")
    func snapshots() async throws {
        guard await !MongoTestServer.isReal else { return }
        try await MongoTestServer.withCollection(of: Item.self) { database, items in
            try await items.insertOne(Item(1))
            let error = try await failure {
                try await database.withSession(MongoSessionOptions(isSnapshot: true)) { session in
                    _ = try await items.bound(to: session).findOne(.id(1))
                }
            }
            #expect(error.code == .unsupported)
        }
    }
}
