import BSON
import Foundation
import MongoEngine
import PersistenceCore
import Testing

struct Item: Codable, Sendable, Equatable {
    var _id: Int
    var name: String
    var count: Int
    var tags: [String]?
    var at: Date?

    init(_ id: Int, _ name: String = "item", count: Int = 0, tags: [String]? = nil, at: Date? = nil) {
        _id = id
        self.name = name
        self.count = count
        self.tags = tags
        self.at = at
    }
}

@Suite("A collection on an endpoint", .mongoServer, .timeLimit(.minutes(5)))
struct CollectionTests {
    private let name = Field<String>("name")
    private let count = Field<Int>("count")
    private let tags = Field<[String]>("tags")

    @Test("keeps documents and gives them back as they were")
    func roundTrip() async throws {
        try await MongoTestServer.withCollection(of: Item.self) { database, items in
            let item = Item(1, "größe $gt", count: 7, tags: ["a", "b"], at: Date(timeIntervalSince1970: 1_700_000_000))
            #expect(try await items.insertOne(item) == 1)
            #expect(try await items.findOne(.id(1)) == item)
            #expect(try await items.findOne(.id(2)) == nil)
            let ids = try await items.insertMany((2...50).map { Item($0, "n\($0)", count: $0) })
            #expect(ids.count == 49)
            #expect(try await items.count() == 50)
            #expect(try await items.count(count >= 40) == 11)
            #expect(try await items.count(atMost: 5) == 5)
            // The stand-in for MongoDB answers from statistics, which are made whenever it finds the time.
            let exactly = await MongoTestServer.isReal
            let estimate = try await items.estimatedCount()
            #expect((exactly ? 50...50 : 0...50).contains(estimate))
            let names = try await items.distinct("name", count > 47, as: String.self)
            #expect(names.sorted() == ["n48", "n49", "n50"])
            try await database.ping()
        }
    }

    @Test("finds by filters, in an order, with a projection")
    func finding() async throws {
        struct Name: Decodable, Equatable { var name: String }
        try await MongoTestServer.withCollection(of: Item.self) { _, items in
            try await items.insertMany(
                (0..<20).map { Item($0, $0 < 10 ? "a.\($0)" : "b*\($0)", count: $0, tags: ["t\($0 % 3)"]) })
            func ids(_ filter: MongoFilter) async throws -> [Int] {
                try await items.find(filter, sort: .ascending("_id")).collect().map(\._id)
            }
            #expect(try await ids(count < 3) == [0, 1, 2])
            #expect(try await ids(count.in([3, 5, 99])) == [3, 5])
            #expect(try await ids(name.hasPrefix("a.") && count > 7) == [8, 9])
            #expect(try await ids(name.contains("B*1", ignoringCase: true) && count >= 18) == [18, 19])
            #expect(try await ids(name == "a.1" || name == "b*11") == [1, 11])
            #expect(try await ids(!(count > 1)) == [0, 1])
            #expect(try await ids(tags.contains("t1") && count < 8) == [1, 4, 7])
            #expect(try await ids(.none) == [])
            #expect(try await ids(Field<Date>("at").exists()) == [])
            let page = try await items.find(sort: .descending("count"), skip: 2, limit: 3).collect()
            #expect(page.map(\._id) == [17, 16, 15])
            let projected = try await items.find(
                .id(4), as: Name.self, options: MongoFindOptions(projection: .including("name").withoutID())
            ).collect()
            #expect(projected == [Name(name: "a.4")])
            let plan = try await items.explain(count < 3)
            #expect(!plan.isEmpty)
        }
    }

    @Test("takes what a user sends for a value")
    func injection() async throws {
        try await MongoTestServer.withCollection(of: Document.self) { _, users in
            try await users.insertOne(["_id": 1, "password": "x"])
            let hostile: Document = ["$gt": ""]
            #expect(try await users.findOne(Field<Document>("password") == hostile) == nil)
            #expect(try await users.findOne(.id(hostile)) == nil)
            #expect(try await users.findOne(Field<String>("password") == "$password") == nil)
            #expect(try await users.findOne(Field<String>("password").hasPrefix(".*")) == nil)
        }
    }

    @Test("streams more than one batch, and gives the client back")
    func streaming() async throws {
        try await MongoTestServer.withCollection(of: Item.self) { database, items in
            try await items.insertMany((0..<2500).map { Item($0) })
            var sum = 0
            for try await item in items.find(options: MongoFindOptions(batchSize: 100)) { sum += item._id }
            #expect(sum == 2500 * 2499 / 2)
            try await eventually("the client is back") { database.statistics.acquired == 0 }
            // Left early, more often than there are clients.
            for _ in 0..<8 {
                for try await _ in items.find(options: MongoFindOptions(batchSize: 10)) { break }
            }
            try await eventually("the clients are back") { database.statistics.acquired == 0 }
            let error = try await failure { _ = try await items.find().collect(atMost: 10) }
            #expect(error.code == .tooManyRows)
        }
    }

    @Test("changes and deletes documents")
    func changing() async throws {
        try await MongoTestServer.withCollection(of: Item.self) { _, items in
            try await items.insertMany((0..<5).map { Item($0, count: $0, tags: ["a", "b"]) })
            let one = try await items.updateOne(.id(1), .increment("count", by: 10).set("name", to: "new"))
            #expect(one.matchedCount == 1)
            #expect(one.modifiedCount == 1)
            #expect(try await items.findOne(.id(1)) == Item(1, "new", count: 11, tags: ["a", "b"]))
            let many = try await items.updateMany(Field<Int>("_id") >= 3, MongoUpdate().push("tags", "c"))
            #expect(many.matchedCount == 2)
            try await items.updateMany(.all, MongoUpdate().pull("tags", "a"))
            #expect(try await items.find(sort: .ascending("_id")).collect().last?.tags == ["b", "c"])
        }
    }

    @Test("replaces, inserts where nothing matches, and changes elements of arrays")
    func upserting() async throws {
        try await MongoTestServer.withCollection(of: Item.self) { _, items in
            let inserted = try await items.updateOne(
                .id(7), .set("name", to: "x").setOnInsert("count", to: 1), options: .upsert)
            #expect(inserted.upsertedID == 7)
            #expect(inserted.matchedCount == 0)
            #expect(try await items.findOne(.id(7)) == Item(7, "x", count: 1))
            let replaced = try await items.replaceOne(.id(7), with: Item(7, "y", count: 2, tags: ["p", "q", "p"]))
            #expect(replaced.modifiedCount == 1)
            try await items.updateOne(
                .id(7), .set("tags.$[t]", to: "P"),
                options: MongoUpdateOptions(arrayFilters: [MongoFilter(trusted: ["t": ["$eq": "p"]])]))
            #expect(try await items.findOne(.id(7))?.tags == ["P", "q", "P"])
            #expect(try await items.deleteOne(.id(7)))
            #expect(try await !items.deleteOne(.id(7)))
            try await items.insertMany((0..<5).map { Item($0) })
            #expect(try await items.deleteMany(.all) == 5)
        }
    }

    @Test("changes a document and returns it in one step")
    func findAndModify() async throws {
        try await MongoTestServer.withCollection(of: Item.self) { _, items in
            try await items.insertMany((0..<3).map { Item($0, count: $0) })
            let after = try await items.findOneAndUpdate(.all, .increment("count", by: 100), sort: .descending("count"))
            #expect(after == Item(2, count: 102))
            let before = try await items.findOneAndUpdate(.id(0), .set("name", to: "z"), returning: .before)
            #expect(before == Item(0))
            #expect(try await items.findOneAndUpdate(.id(9), .set("name", to: "z")) == nil)
            let upserted = try await items.findOneAndReplace(.id(9), with: Item(9, "new"), options: .upsert)
            #expect(upserted == Item(9, "new"))
            #expect(try await items.findOneAndDelete(.id(9)) == Item(9, "new"))
            #expect(try await items.findOneAndDelete(.id(9)) == nil)
        }
    }

    @Test("does many writes at once, and says which failed")
    func bulk() async throws {
        try await MongoTestServer.withCollection(of: Item.self) { _, items in
            let result = try await items.bulkWrite([
                .insert(Item(1)), .insert(Item(2)), .updateOne(.id(1), .set("name", to: "x")),
                .updateMany(.all, .increment("count")), .replaceOne(.id(5), Item(5), options: .upsert),
                .deleteOne(.id(2)),
            ])
            #expect(result.insertedCount == 2)
            #expect(result.modifiedCount == 3)
            #expect(result.deletedCount == 1)
            #expect(result.upsertedIDs == [4: 5])
            let unordered = try await failure {
                try await items.insertMany([Item(1), Item(10), Item(5), Item(11)], isOrdered: false)
            }
            #expect(unordered.code == .uniqueViolation)
            #expect(unordered.bulkWriteFailure?.errors.map(\.index) == [0, 2])
            #expect(unordered.bulkWriteFailure?.errors.map(\.constraint) == ["_id_", "_id_"])
            #expect(unordered.bulkWriteFailure?.result.insertedCount == 2)
            let ordered = try await failure { try await items.insertMany([Item(20), Item(1), Item(21)]) }
            #expect(ordered.bulkWriteFailure?.errors.map(\.index) == [1])
            #expect(try await items.findOne(.id(21)) == nil)
            #expect(try await items.findOne(.id(20)) != nil)
        }
    }

    @Test("aggregates into types")
    func aggregating() async throws {
        struct Group: Decodable, Equatable {
            var _id: String
            var n: Int
            var total: Int
        }
        try await MongoTestServer.withCollection(of: Item.self) { _, items in
            try await items.insertMany((0..<10).map { Item($0, $0 % 2 == 0 ? "even" : "odd", count: $0) })
            let pipeline = MongoPipeline().match(count > 1)
                .group(by: .field("name"), ["n": .count, "total": .sum(.field("count"))]).sort(.ascending("_id"))
            let groups = try await items.aggregate(pipeline, as: Group.self).collect()
            #expect(groups == [Group(_id: "even", n: 4, total: 20), Group(_id: "odd", n: 4, total: 24)])
            let facets = try await items.aggregate(
                MongoPipeline().facet(["all": MongoPipeline().count(as: "n"), "two": MongoPipeline().limit(2)])
            ).collect()
            #expect(facets.first?["all"]?[0]?["n"]?.int == 10)
            #expect(facets.first?["two"]?.array?.count == 2)
        }
    }

    @Test("creates declared indexes, and compares them")
    func indexes() async throws {
        try await MongoTestServer.withCollection(of: Item.self) { _, items in
            #expect(try await items.listIndexes().isEmpty)
            let declared = [
                MongoIndex(.ascending("name"), isUnique: true), MongoIndex(.ascending("count").descending("at")),
                MongoIndex(.ascending("at"), expiresAfter: .seconds(3600)),
            ]
            let before = try await items.ensureIndexes(declared)
            #expect(before.missing.count == 3)
            #expect(try await items.compareIndexes(with: declared).isMatch)
            #expect(try await items.ensureIndexes(declared).isMatch)
            let other = [MongoIndex(.ascending("name"))]
            let comparison = try await items.compareIndexes(with: other)
            #expect(comparison.different.first?.properties == ["unique"])
            #expect(comparison.extra.count == 2)
            try await items.insertOne(Item(1, "same"))
            let error = try await failure { try await items.insertOne(Item(2, "same")) }
            #expect(error.code == .uniqueViolation)
            #expect(error.constraint == "name_1")
            try await items.dropIndex("name_1")
            try await items.insertOne(Item(2, "same"))
            let missing = try await failure { try await items.dropIndex("name_1") }
            #expect(missing.code == .invalidStatement)
        }
    }

    @Test("is created with a validator, which refuses documents")
    func validator() async throws {
        try await MongoTestServer.withCollection(of: Item.self) { database, items in
            var options = MongoCollectionOptions()
            options.validator = MongoFilter(
                trusted: [
                    "$jsonSchema": ["bsonType": "object", "properties": ["count": ["bsonType": "long", "minimum": 1]]]
                ])
            try await items.create(options)
            let listed = try await database.listCollections(Field<String>("name") == items.name)
            #expect(listed.map(\.name) == [items.name])
            try await items.insertOne(Item(1, count: 1))
            let error = try await failure { try await items.insertOne(Item(2, count: 0)) }
            #expect(error.code == .checkViolation)
            #expect(error.serverCode == "121")
            let again = try await failure { try await items.create() }
            #expect(again.serverCode == "48")
            try await items.drop()
            try await items.drop()
        }
    }
}
