import BSON
import PersistenceCore
import Testing

@testable import MongoEngine

@Suite("Indexes")
struct MongoIndexTests {
    @Test("are declared with all their properties")
    func declaration() throws {
        var index = MongoIndex(
            .ascending("email").descending("at"), isUnique: true, isSparse: true,
            partialFilter: Field<Int>("age") > 18, expiresAfter: .seconds(60), collation: .caseInsensitive)
        index.isHidden = true
        let document = try index.document()
        #expect(document["name"] == "email_1_at_-1")
        #expect(document["key"] == ["email": .int32(1), "at": .int32(-1)])
        #expect(document["unique"] == true)
        #expect(document["sparse"] == true)
        #expect(document["hidden"] == true)
        #expect(document["expireAfterSeconds"] == 60)
        #expect(document["partialFilterExpression"] == ["age": ["$gt": 18]])
        #expect(document["collation"]?["strength"] == 2)
        #expect(try MongoIndex(.hashed("a")).document()["key"] == ["a": "hashed"])
        #expect(try MongoIndex(.text("a").text("b"), name: "search").document()["name"] == "search")
        #expect(MongoIndex(.text("a")).name == "a_text")
    }

    @Test("are refused without keys or with an impossible time")
    func refused() throws {
        for index in [
            MongoIndex(MongoSort()), MongoIndex(.ascending("a"), name: ""),
            MongoIndex(.ascending("a"), expiresAfter: .seconds(-1)),
            MongoIndex(.ascending("a"), expiresAfter: .seconds(3_000_000_000)),
        ] {
            let error = #expect(throws: PersistenceError.self) { _ = try index.document() }
            #expect(error?.code == .invalidArgument)
        }
    }

    @Test("are compared with what there is, whatever number types the server answers with")
    func comparison() {
        let declared = [
            MongoIndex(.ascending("a")), MongoIndex(.ascending("b"), isUnique: true),
            MongoIndex(.ascending("c"), expiresAfter: .seconds(60)), MongoIndex(.ascending("d")),
        ]
        let existing = [
            MongoIndexInfo(["v": 2, "key": ["_id": 1], "name": "_id_"]),
            MongoIndexInfo(["v": 2, "key": ["a": .double(1)], "name": "a_1"]),
            MongoIndexInfo(["v": 2, "key": ["b": 1], "name": "b_1"]),
            MongoIndexInfo(["v": 2, "key": ["c": 1], "name": "c_1", "expireAfterSeconds": .double(60)]),
            MongoIndexInfo(["v": 2, "key": ["x": 1], "name": "x_1"]),
        ]
        let comparison = MongoIndexComparison(declared: declared, existing: existing)
        #expect(comparison.missing.map(\.name) == ["d_1"])
        #expect(comparison.extra.map(\.name) == ["x_1"])
        #expect(comparison.different.map(\.name) == ["b_1"])
        #expect(comparison.different.first?.properties == ["unique"])
        #expect(!comparison.isMatch)
    }

    @Test("differ when their collation, their language or the fields of their texts do")
    func details() {
        func differences(_ index: MongoIndex, _ existing: Document) -> [String] {
            let info = MongoIndexInfo(existing)
            return MongoIndexComparison(declared: [index], existing: [info]).different.flatMap(\.properties)
        }
        let insensitive = MongoIndex(.ascending("a"), collation: .caseInsensitive)
        func collated(_ strength: BSONValue) -> Document {
            [
                "key": ["a": 1], "name": "a_1",
                "collation": ["locale": "en", "strength": strength, "numericOrdering": false, "caseLevel": false],
            ]
        }
        #expect(differences(insensitive, collated(.double(2))) == [])
        #expect(differences(insensitive, collated(3)) == ["collation"])
        #expect(differences(MongoIndex(.ascending("a")), collated(2)) == ["collation"])
        #expect(differences(MongoIndex(.ascending("a"), collation: MongoCollation(locale: "en")), collated(3)) == [])

        // As MongoDB keeps a text index, and as it was declared.
        var text = MongoIndex(.ascending("b").text("a"), name: "search")
        func texts(_ weights: Document, _ language: String = "english") -> Document {
            [
                "key": ["b": 1, "_fts": "text", "_ftsx": 1], "name": "search", "weights": .document(weights),
                "default_language": .string(language),
            ]
        }
        #expect(differences(text, texts(["a": 1])) == [])
        #expect(differences(text, texts(["c": 1])) == ["text"])
        #expect(differences(text, texts(["a": 2])) == ["text"])
        #expect(differences(text, texts(["a": 1], "german")) == ["language"])
        #expect(differences(text, ["key": ["b": 1, "a": "text"], "name": "search"]) == [])
        #expect(differences(text, ["key": ["b": -1, "a": "text"], "name": "search"]) == ["keys"])
        text.weights = ["a": 2, "c": 3]
        text.defaultLanguage = "german"
        #expect(differences(text, texts(["a": .double(2), "c": 3], "german")) == [])
        #expect(differences(MongoIndex(.ascending("a"), name: "search"), texts(["a": 1])) == ["keys", "text"])
        #expect(differences(MongoIndex(.hashed("a")), ["key": ["a": "hashed"], "name": "a_hashed"]) == [])
    }

    @Test("expire in whole seconds, never too early")
    func expiry() throws {
        func seconds(_ time: Duration) throws -> Int? {
            try MongoIndex(.ascending("a"), expiresAfter: time).document()["expireAfterSeconds"]?.int
        }
        #expect(try seconds(.zero) == 0)
        #expect(try seconds(.milliseconds(1)) == 1)
        #expect(try seconds(.milliseconds(1500)) == 2)
        #expect(try seconds(.seconds(Int64(Int32.max))) == Int(Int32.max))
        for time in [Duration.milliseconds(-1), .seconds(Int64(Int32.max)) + .nanoseconds(1), .seconds(Int64.max)] {
            #expect(throws: PersistenceError.self) { _ = try seconds(time) }
        }
    }
}
