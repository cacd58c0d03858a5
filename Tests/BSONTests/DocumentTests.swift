import BSON
import PersistenceCore
import Testing

@Suite("Document")
struct DocumentTests {
    @Test("A literal keeps its fields in order, and a key that occurs twice")
    func literal() {
        let document: Document = ["b": 1, "a": "x", "c": [1, nil, 2.5], "d": ["e": true], "a": 2]
        #expect(document.keys == ["b", "a", "c", "d", "a"])
        #expect(document.count == 5)
        #expect(document["b"] == .int64(1))
        #expect(document["a"] == "x")
        #expect(document["c"]?[2] == 2.5)
        #expect(document["c"]?[1] == .null)
        #expect(document["c"]?[3] == nil)
        #expect(document["c"]?[-1] == nil)
        #expect(document["d"]?["e"] == true)
        #expect(document["missing"] == nil)
        #expect(document[""] == nil)
        #expect(document["b", default: 7] == 1)
        #expect(document["z", default: 7] == 7)
        #expect(!document.contains(key: "z"))
        #expect(Document().isEmpty && Document().byteCount == 5 && Document().keys.isEmpty)
    }

    @Test("What libbson writes for a document is what is written here", arguments: Corpus.documents)
    func bytes(document: Document) throws {
        #expect(Oracle.isValid(document.byteArray))
        try document.validate()
        let json = try #require(Oracle.json(document.byteArray))
        // libbson writes numbers that it reads back as they were, but for old binary.
        let again = try #require(Oracle.bytes(json: json))
        #expect(again == document.byteArray)
    }

    @Test("Every value is read as it was written", arguments: Corpus.values.map(\.value))
    func values(value: BSONValue) throws {
        let document: Document = ["before": 1, "v": value, "after": "x"]
        #expect(document["v"] == value)
        #expect(document["after"] == "x")
        #expect(document["v"]?.type == value.type)
        let read = try Document(validating: document.byteArray)
        #expect(read == document && read.hashValue == document.hashValue)
        #expect(read.map(\.value) == [1, value, "x"])
        #expect(Document(["v": value].map { ($0.key, $0.value) })["v"] == value)
    }

    @Test("Setting replaces at the field's place, appends, and removes every field of the key")
    func changing() {
        var document: Document = ["a": 1, "b": ["c": 2], "a": 3, "z": "end"]
        document["b"] = "a much longer value than the one before, so that what follows moves"
        #expect(document.keys == ["a", "b", "a", "z"])
        #expect(document["z"] == "end")
        document["b"] = true
        #expect(document.map(\.value) == [1, true, 3, "end"])
        document["new"] = 5
        #expect(document.keys.last == "new")
        #expect(document.removeValue(forKey: "a") == 1)
        #expect(document.keys == ["b", "z", "new"])
        #expect(document.removeValue(forKey: "a") == nil)
        document["z"] = nil
        document["b"] = nil
        document["new"] = nil
        #expect(document == Document() && document.isEmpty)
    }

    @Test("A copy is not changed with the original, and a part is not changed with the whole")
    func values() throws {
        let whole: Document = ["a": ["x": 1], "b": [1, 2]]
        var copy = whole
        copy["a"] = 0
        #expect(whole["a"] == ["x": 1])
        var part = try #require(whole["a"]?.document)
        part["y"] = 2
        #expect(part == ["x": 1, "y": 2])
        #expect(whole == ["a": ["x": 1], "b": [1, 2]])
        var array = try #require(whole["b"]?.array)
        array.append(3)
        #expect(Array(array) == [1, 2, 3] && array.count == 3)
        #expect(whole["b"] == [1, 2])
        #expect(part.detached() == part)
    }

    @Test("A thousand appended fields are all there")
    func many() throws {
        var document = Document()
        for index in 0..<1000 { document.append("k\(index)", .int64(Int64(index))) }
        #expect(document.count == 1000)
        #expect(document["k999"] == 999)
        try document.validate()
        var array = BSONArray()
        for index in 0..<1000 { array.append(.int64(Int64(index))) }
        #expect(array.count == 1000 && array.element(at: 999) == 999 && array.element(at: 1000) == nil)
        #expect(array.asDocument.keys == (0..<1000).map(String.init))
        var both: Document = ["first": 1]
        both.append(contentsOf: document)
        #expect(both.count == 1001 && both["k500"] == 500)
        try both.validate()
    }

    @Test("Documents of a batch are read in place")
    func batch() throws {
        let documents: [Document] = [["a": 1], [:], ["b": "two"]]
        let bytes = documents.flatMap(\.byteArray)
        var offset = 0
        var read: [Document] = []
        while offset < bytes.count {
            let document = try Document(validating: bytes, at: offset)
            read.append(document)
            offset += document.byteCount
        }
        #expect(read == documents)
        read[0]["c"] = 1
        #expect(read[0] == ["a": 1, "c": 1] && read[2] == ["b": "two"])
        for offset in [-1, bytes.count - 4, bytes.count, Int.max, Int.min] {
            #expect(throws: PersistenceError.self) { try Document(validating: bytes, at: offset) }
        }
    }

    @Test("Fields can be looked at without decoding them, and passed on as they are")
    func fields() {
        let document: Document = ["insert": "things", "documents": [[:], [:]], "n": .int32(3)]
        var passed = Document()
        for field in document.fields where !field.hasKey("documents") { passed.append(field) }
        #expect(passed == ["insert": "things", "n": .int32(3)])
        #expect(document.fields.map(\.type) == [.string, .array, .int32])
        #expect(document.fields.map(\.valueByteCount) == [11, 5 + 2 * 8, 4])
        let first = document.fields.first { $0.hasKey("n") }?.withUnsafeValueBytes { Array($0) }
        #expect(first == [3, 0, 0, 0])
        #expect(document.fields.first { $0.hasKey("insert2") || $0.hasKey("inser") || $0.hasKey("") } == nil)
    }

    @Test("A NUL in a key cannot end it early, and is told")
    func containsNUL() throws {
        var filter: Document = ["tenant": 1]
        try filter.requireWellFormed()
        filter["name\0x"] = "v"
        #expect(filter.count == 2)
        #expect(filter["name"] == nil)
        #expect(filter["name\0x"] == "v")
        let error = #expect(throws: PersistenceError.self) { try filter.requireWellFormed() }
        #expect(error?.code == .encoding)
        #expect(throws: PersistenceError.self) { try filter.validate() }
        #expect(throws: PersistenceError.self) { try filter.validateForStorage() }
        // Whoever holds it, knows.
        let outer: Document = ["inner": .document(filter)]
        #expect(throws: PersistenceError.self) { try outer.requireWellFormed() }
        let array: Document = ["inner": [.document(filter)]]
        #expect(throws: PersistenceError.self) { try array.requireWellFormed() }
        let scope: Document = ["c": .javascriptWithScope(.init(code: "", scope: filter))]
        #expect(throws: PersistenceError.self) { try scope.requireWellFormed() }
        var appended = Document()
        appended.append(contentsOf: filter)
        #expect(throws: PersistenceError.self) { try appended.requireWellFormed() }
        // Also after the bytes have been taken elsewhere: they are no UTF-8.
        #expect(throws: PersistenceError.self) { try Document(validating: filter.byteArray) }
        for expression in [BSONRegularExpression(pattern: "a\0b"), BSONRegularExpression(pattern: "a", options: "i\0")]
        {
            let document: Document = ["r": .regularExpression(expression)]
            #expect(document.count == 1)
            #expect(throws: PersistenceError.self) { try document.requireWellFormed() }
        }
    }

    @Test("Text that looks like an operator stays text")
    func literals() throws {
        let expression = BSONRegularExpression.literal("a.b*c$ (d)\n_é", atStart: true)
        #expect(expression.pattern == "^a\\.b\\*c\\$\\ \\(d\\)\n_é")
        #expect(BSONRegularExpression(pattern: "a", options: "xmi").options == "imx")
    }
}
