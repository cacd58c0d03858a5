import BSON
import PersistenceCore
import Testing

@Suite("Document")
struct DocumentTests {
    @Test("A literal keeps its fields in order")
    func literal() {
        let document: Document = ["b": 1, "a": "x", "c": [1, nil, 2.5], "d": ["e": true], "a": 2]
        #expect(document.keys == ["b", "a", "c", "d", "a"])
        #expect(document.count == 5)
        #expect(document["b"] == .int64(1))
        #expect(document["a"] == "x")
        #expect(document["c"]?[2] == 2.5)
        #expect(document["c"]?[1] == .null)
        #expect(document["c"]?[3] == nil)
        #expect(document["d"]?["e"] == true)
        #expect(document["missing"] == nil)
    }
}
