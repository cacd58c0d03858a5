import BSON
import Foundation
import MongoEngine
import PersistenceCore
import Testing

@Suite("Filters, updates and pipelines")
struct MongoFilterTests {
    private enum Status: String, Codable, MongoValue {
        case paid
        case open
    }

    private let status = Field<Status>("status")
    private let total = Field<Int>("total")
    private let name = Field<String>("name")
    private let tags = Field<[String]>("tags")

    @Test("compare a field with a value, and never understand it")
    func comparisons() {
        #expect((status == .paid).document == ["status": ["$eq": "paid"]])
        #expect((total != 3).document == ["total": ["$ne": 3]])
        #expect((total < 3).document == ["total": ["$lt": 3]])
        #expect((total <= 3).document == ["total": ["$lte": 3]])
        #expect((total > 3).document == ["total": ["$gt": 3]])
        #expect((total >= 3).document == ["total": ["$gte": 3]])
        #expect(status.in([.paid, .open]).document == ["status": ["$in": ["paid", "open"]]])
        #expect(total.notIn([1]).document == ["total": ["$nin": [1]]])
        #expect(total.exists().document == ["total": ["$exists": true]])
        #expect(total.isNull.document == ["total": ["$eq": nil]])
        #expect(total.has(type: .int64).document == ["total": ["$type": "long"]])
        #expect((Field<Int?>("total") == nil).document == ["total": ["$eq": nil]])

        // What a user has sent is a value, operators and field paths included.
        let hostile: Document = ["$gt": ""]
        #expect((Field<Document>("name") == hostile).document == ["name": ["$eq": ["$gt": ""]]])
        #expect((name == "$password").document == ["name": ["$eq": "$password"]])
        #expect(MongoFilter.id(hostile).document == ["_id": ["$eq": ["$gt": ""]]])
        #expect(Field<[Document]>("tags").contains(hostile).document == ["tags": ["$elemMatch": ["$eq": ["$gt": ""]]]])
        #expect(
            Field<[Document]>("tags").containsAll([hostile]).document
                == ["tags": ["$all": [["$elemMatch": ["$eq": ["$gt": ""]]]]]])
    }

    @Test("combine in every way, and stay flat")
    func combinations() {
        let a = status == .paid
        let b = total > 1
        let c = name == "x"
        #expect(
            (a && b && c).document == ["$and": [.document(a.document), .document(b.document), .document(c.document)]])
        #expect(
            (a || b || c).document == ["$or": [.document(a.document), .document(b.document), .document(c.document)]])
        #expect((!a).document == ["$nor": [.document(a.document)]])
        #expect((a && (b || c)).document["$and"]?[1]?["$or"] != nil)
        #expect(MongoFilter.and([]) == .all)
        #expect(MongoFilter.or([]) == .none)
        #expect((a && .all) == a)
        #expect(MongoFilter.none.document == ["$nor": [[:]]])
        // Two conditions on one field don't overwrite each other.
        #expect((total > 1 && total < 9).document["$and"]?.array?.count == 2)
    }

    @Test("look for a text as it is")
    func texts() throws {
        let pattern = try #require(name.hasPrefix("a.b*(c)$\\ \0é").document["name"]?["$regex"])
        guard case .regularExpression(let expression) = pattern else {
            Issue.record("not a regular expression")
            return
        }
        #expect(expression.pattern == "^a\\.b\\*\\(c\\)\\$\\\\\\ \\x00é")
        #expect(expression.options == "")
        guard
            case .regularExpression(let contained) = name.contains("A+", ignoringCase: true).document["name"]?["$regex"]
        else {
            Issue.record("not a regular expression")
            return
        }
        #expect(contained.pattern == "A\\+")
        #expect(contained.options == "i")
        #expect(MongoFilter.text("\"a b\" -c", language: "en").document["$text"]?["$search"] == "\"a b\" -c")
        #expect(try name.hasPrefix("\0").document.requireWellFormed() == ())
    }

    @Test("take paths from the source, and others only when they are checked")
    func paths() throws {
        #expect(try FieldPath(validating: "a.b.0").text == "a.b.0")
        #expect(try FieldPath(validating: "größe").appending("x").text == "größe.x")
        for hostile in ["", ".", "a.", ".a", "a..b", "$where", "a.$b", "a\0b", "$"] {
            let error = #expect(throws: PersistenceError.self) { try FieldPath(validating: hostile) }
            #expect(error?.code == .invalidArgument)
            #expect(error.map { !"\($0)".contains("where") } == true)
        }
    }

    @Test("describe their shape without values")
    func descriptions() {
        let filter = name == "hunter2" && tags.contains("hunter2")
        #expect(!"\(filter)".contains("hunter2"))
        #expect("\(filter)".contains("name: {$eq: ?}"))
        #expect(!"\(MongoUpdate.set("name", to: "hunter2"))".contains("hunter2"))
    }

    @Test("change fields, and store values whatever they look like")
    func updates() {
        let hostile: Document = ["$position": 0, "$each": [1]]
        let update = MongoUpdate.set("a", to: 1).set(status, to: .open).increment("n").increment("m", by: -2)
            .unset("b").rename("c", to: "d").minimum("low", 1).maximum("high", 9).multiply("f", by: 2.5)
            .currentDate("at").setOnInsert("created", to: true).push("list", hostile).push(
                "last", [1, 2], keepingLast: 5
            )
            .addToSet("set", ["x"]).pull("gone", hostile).pull("old", where: total < 3).pop("queue", fromEnd: false)
        let document = update.document
        #expect(document["$set"] == ["a": 1, "status": "open"])
        #expect(document["$inc"] == ["n": 1, "m": -2])
        #expect(document["$unset"] == ["b": ""])
        #expect(document["$rename"] == ["c": "d"])
        #expect(document["$min"] == ["low": 1])
        #expect(document["$max"] == ["high": 9])
        #expect(document["$mul"] == ["f": 2.5])
        #expect(document["$currentDate"] == ["at": true])
        #expect(document["$setOnInsert"] == ["created": true])
        #expect(
            document["$push"] == ["list": ["$each": [.document(hostile)]], "last": ["$each": [1, 2], "$slice": -5]])
        #expect(document["$addToSet"] == ["set": ["$each": ["x"]]])
        #expect(document["$pull"] == ["gone": ["$in": [.document(hostile)]], "old": ["total": ["$lt": 3]]])
        #expect(document["$pop"] == ["queue": .int32(-1)])
        #expect(MongoUpdate().isEmpty)
    }

    @Test("make orders and projections")
    func orders() {
        #expect(MongoSort.descending("at").ascending("_id").document == ["at": .int32(-1), "_id": .int32(1)])
        #expect(
            MongoProjection.including("a", "b.c").withoutID().document
                == ["a": .int32(1), "b.c": .int32(1), "_id": .int32(0)])
        #expect(MongoProjection.excluding("a").document == ["a": .int32(0)])
    }

    @Test("make pipelines of stages, with values that name no field")
    func pipelines() throws {
        let database = try MongoDatabase(configuration: MongoConfiguration(database: "app"))
        let others = try database.collection("others")
        let pipeline = MongoPipeline()
            .match(status == .paid)
            .set(["sum": .field("a") + .value("$password")])
            .unwind("lines", keepingEmpty: true)
            .group(
                by: .field("outcome"),
                ["count": .count, "mean": .average(.field("ms")), "p": .percentiles([0.5], of: .field("ms"))]
            )
            .bucket(by: .field("ms"), boundaries: [0, 10], default: "other")
            .facet(["top": MongoPipeline().sort(.descending("count")).limit(3)])
            .lookup(from: others, localField: "a", foreignField: "_id", as: "b")
            .count(as: "n")
        #expect(pipeline.stages[0] == ["$match": ["status": ["$eq": "paid"]]])
        #expect(pipeline.stages[1] == ["$set": ["sum": ["$add": ["$a", ["$literal": "$password"]]]]])
        #expect(pipeline.stages[2] == ["$unwind": ["path": "$lines", "preserveNullAndEmptyArrays": true]])
        #expect(pipeline.stages[3]["$group"]?["_id"] == "$outcome")
        #expect(pipeline.stages[3]["$group"]?["count"] == ["$sum": .int32(1)])
        #expect(pipeline.stages[4]["$bucket"]?["default"] == "other")
        #expect(pipeline.stages[5]["$facet"]?["top"]?[1] == ["$limit": 3])
        #expect(pipeline.stages[6]["$lookup"]?["from"] == "others")
        #expect(pipeline.stages[7] == ["$count": "n"])
    }
}
