import BSON
import Foundation
import MongoEngine
import PersistenceCore
import Testing

@Suite("Options of queries and indexes", .mongoServer, .timeLimit(.minutes(10)))
struct QueryOptionTests {
    private let name = Field<String>("name")
    private let count = Field<Int>("count")

    @Test("an index that was asked for is used, and one that is not there is said")
    func hints() async throws {
        try await MongoTestServer.withCollection(of: Item.self) { _, items in
            try await items.insertMany((0..<20).map { Item($0, "n\($0 % 4)", count: $0) })
            try await items.createIndexes([MongoIndex(.ascending("name")), MongoIndex(.ascending("count"))])
            for hint in [MongoIndexHint.name("name_1"), .keys(.ascending("name"))] {
                let found = try await items.find(
                    name == "n1", sort: .ascending("_id"), options: MongoFindOptions(hint: hint)
                ).collect()
                #expect(found.map(\._id) == [1, 5, 9, 13, 17])
                #expect(try await items.count(name == "n1", hint: hint) == 5)
                let options = MongoUpdateOptions(hint: hint)
                #expect(
                    try await items.updateOne(name == "n2", .increment("count"), options: options).matchedCount == 1)
            }
            #expect(try await items.findOneAndDelete(name == "n1", sort: .ascending("_id"))?._id == 1)
            #expect(try await items.deleteMany(name == "n1") == 4)
            let plan = try await items.explain(name == "n2", options: MongoFindOptions(hint: .name("name_1")))
            #expect(!plan.isEmpty)
        }
    }

    @Test("a search finds words, and says how well they fit")
    func textSearch() async throws {
        try await MongoTestServer.withCollection(of: Item.self) { _, items in
            let declared = [MongoIndex(.text("name"), name: "words")]
            try await items.ensureIndexes(declared)
            try await items.insertMany([
                Item(1, "the quick brown fox"), Item(2, "a lazy dog"), Item(3, "the fox and the dog"),
            ])
            let foxes = try await items.find(.text("fox"), sort: .ascending("_id")).collect()
            #expect(foxes.map(\._id) == [1, 3])
            #expect(try await items.count(.text("dog -fox")) == 1)
            #expect(try await items.compareIndexes(with: declared).isMatch)
            let other = [MongoIndex(.text("other"), name: "words")]
            #expect(try await items.compareIndexes(with: other).different.map(\.properties) == [["text"]])
        }
    }

    @Test("every kind of index is made as it was declared, and found to be so")
    func kindsOfIndexes() async throws {
        try await MongoTestServer.withCollection(of: Item.self) { _, items in
            let declared = [
                MongoIndex(.hashed("name")), MongoIndex(.ascending("count").descending("name")),
                MongoIndex(.ascending("at"), expiresAfter: .seconds(3600)),
                MongoIndex(.ascending("count"), isUnique: true, partialFilter: count > 10),
                MongoIndex(.ascending("tags"), isSparse: true),
            ]
            #expect(try await items.ensureIndexes(declared).missing.count == 5)
            let comparison = try await items.compareIndexes(with: declared)
            #expect(comparison.isMatch, "\(comparison)")
            // The partial index is unique for what is in it alone.
            try await items.insertMany([Item(1, count: 5), Item(2, count: 5), Item(3, count: 11)])
            let error = try await failure { try await items.insertOne(Item(4, count: 11)) }
            #expect(error.code == .uniqueViolation)
            // What differs is reported, property by property, and stays.
            let others = [
                MongoIndex(.ascending("name"), name: "name_hashed"),
                MongoIndex(.ascending("count").ascending("name"), name: "count_1_name_-1"),
                MongoIndex(.ascending("at"), expiresAfter: .seconds(60)),
                MongoIndex(.ascending("count"), isUnique: true, partialFilter: count > 11),
                MongoIndex(.ascending("tags")),
            ]
            let report = try await items.ensureIndexes(others)
            #expect(
                report.different.map(\.properties)
                    == [["keys"], ["keys"], ["expiry"], ["partial filter"], ["sparse"]])
            #expect(try await items.compareIndexes(with: declared).isMatch)
        }
    }

    @Test("indexes that several make at once are there once")
    func concurrentIndexes() async throws {
        try await MongoTestServer.withCollection(of: Item.self) { _, items in
            let declared = [MongoIndex(.ascending("name")), MongoIndex(.ascending("count"))]
            try await items.insertOne(Item(1))
            await withTaskGroup(of: Void.self) { group in
                // Some may lose a race, and say so; what matters is what is there in the end.
                for _ in 0..<6 { group.addTask { _ = try? await items.ensureIndexes(declared) } }
            }
            try await items.ensureIndexes(declared)
            #expect(try await items.listIndexes().map(\.name).sorted() == ["_id_", "count_1", "name_1"])
        }
    }

    @Test("a validator can be put in place later, and taken away")
    func changedValidator() async throws {
        try await MongoTestServer.withCollection(of: Item.self) { _, items in
            try await items.insertOne(Item(1, count: -1))
            try await items.setValidator(count >= 0)
            let error = try await failure { try await items.insertOne(Item(2, count: -1)) }
            #expect(error.code == .checkViolation)
            try await items.setValidator(count >= 0, level: .off)
            try await items.insertOne(Item(3, count: -1))
        }
    }

    @Test("collections are joined, put together and written by pipelines")
    func pipelines() async throws {
        try await MongoTestServer.withCollection(of: Item.self) { database, items in
            let others = try database.collection(items.name + "_others", of: Item.self)
            let target = try database.collection(items.name + "_target", of: Document.self)
            try await items.insertMany((0..<6).map { Item($0, "n\($0 % 2)", count: $0 * 10, tags: ["a", "b"]) })
            try await others.insertMany([Item(0, "n0", count: 1), Item(1, "n1", count: 2)])
            func run(_ pipeline: MongoPipeline) async throws -> [Document] {
                try await items.aggregate(pipeline).collect()
            }
            let joined = try await run(
                MongoPipeline().match(.id(3)).lookup(from: others, localField: "name", foreignField: "name", as: "o"))
            #expect(joined.first?["o"]?[0]?["count"]?.int == 2)
            #expect(try await run(MongoPipeline().union(with: others)).count == 8)
            let words = try await run(MongoPipeline().unwind("tags").group(by: .field("tags"), ["n": .count]))
            #expect(words.map { $0["n"]?.int } == [6, 6])
            let buckets = try await run(MongoPipeline().bucket(by: .field("count"), boundaries: [0, 20, 60]))
            #expect(buckets.map { $0["count"]?.int } == [2, 4])
            let changed = try await run(
                MongoPipeline().set(["twice": .field("count") + .field("count")]).unset("tags").sort(.ascending("_id"))
                    .skip(1).limit(1))
            #expect(changed.first?["twice"]?.int == 20)
            #expect(changed.first?["tags"] == nil)
            let root = try await run(
                MongoPipeline().match(.id(3)).lookup(from: others, localField: "name", foreignField: "name", as: "o")
                    .replaceRoot(with: .operator("$arrayElemAt", .field("o"), .value(0))))
            #expect(root.first?["_id"]?.int == 1)
            #expect(try await run(MongoPipeline().sample(2)).count == 2)
            #expect(try await run(MongoPipeline().match(count > 20).count(as: "n")).first?["n"]?.int == 3)
            let plan = try await items.explain(MongoPipeline().match(count > 20))
            #expect(!plan.isEmpty)
            _ = try await run(MongoPipeline().match(count > 20).merge(into: target))
            #expect(try await target.count() == 3)
            _ = try await run(MongoPipeline().out(to: target))
            #expect(try await target.count() == 6)
            try await others.drop()
            try await target.drop()
        }
    }
}
