import Foundation
import Persistence
import PersistenceCore
import Testing

@Suite("Payloads")
struct PayloadTests {
    @Test("A payload reads as it is written")
    func literals() {
        let payload: Payload = [
            "model": "m-1", "tokens": 812, "cost": 0.5, "ok": true, "none": nil, "tags": ["a", 1],
            "in": ["b": ["c": 2]],
        ]
        #expect(payload["model"]?.textValue == "m-1")
        #expect(payload["tokens"]?.integerValue == 812)
        #expect(payload["tokens"]?.doubleValue == 812)
        #expect(payload["cost"]?.doubleValue == 0.5)
        #expect(payload["cost"]?.integerValue == nil)
        #expect(payload["ok"]?.boolValue == true)
        #expect(payload["none"] == .null)
        #expect(payload["missing"] == nil)
        #expect(payload["tags"]?.arrayValue == ["a", 1])
        #expect(payload["in"]?["b"]?["c"] == 2)
        #expect(payload[["in", "b", "c"]] == 2)
        #expect(payload[["in", "x", "c"]] == nil)
        #expect(payload[["model", "c"]] == nil)
        let twice: Payload = ["a": 1, "a": 2]
        #expect(twice == ["a": 2])
    }

    @Test("Descriptions and mirrors hold no names and no values")
    func secrecy() {
        let payload: Payload = ["password": "hunter2", "list": ["hunter2"], "in": ["password": "hunter2"]]
        for text in [
            "\(payload)", String(reflecting: payload), "\(payload["password"] ?? nil)", "\(payload["in"] ?? nil)",
        ] {
            #expect(!text.contains("hunter2"))
            #expect(!text.contains("password"))
        }
        var dumped = ""
        dump(payload, to: &dumped)
        #expect(!dumped.contains("hunter2"))
    }

    @Test("JSON is read and written without loss of what JSON can tell")
    func json() throws {
        let text = """
            {"a":[1,2.5,"x",null,true,{"b":{}}],"large":9223372036854775807,"larger":9223372036854775808,"z":"\\u0000é"}
            """
        let payload = try Payload(json: Array(text.utf8))
        #expect(payload["a"] == [1, 2.5, "x", nil, true, ["b": [:]]])
        #expect(payload["large"] == .integer(.max))
        #expect(payload["larger"] == .double(9_223_372_036_854_775_808))
        #expect(payload["z"] == "\u{0}é")
        #expect(try Payload(json: payload.json()) == payload)
        let ordered: Payload = ["b": 1, "a": ["d": 2, "c": .bytes([1])], "e": .date(Date(timeIntervalSince1970: 0))]
        #expect(
            try String(decoding: ordered.json(), as: UTF8.self)
                == #"{"a":{"c":"AQ==","d":2},"b":1,"e":"1970-01-01T00:00:00Z"}"#)
    }

    @Test(
        "What is not one JSON object is refused without being quoted",
        arguments: ["", "1", "[]", "null", "{", "{\"secret\":}", "{} {}", "{\"a\":1e999}", "\u{FEFF}x", "{\"a\":01}"])
    func malformed(text: String) {
        let error = #expect(throws: PersistenceError.self) { try Payload(json: Array(text.utf8)) }
        #expect(error?.code == .invalidData)
        #expect(error?.description.contains("secret") == false)
    }

    @Test("JSON that is nested without end is refused")
    func deepJSON() {
        let text = String(repeating: "{\"a\":", count: 100_000) + "1" + String(repeating: "}", count: 100_000)
        #expect(throws: PersistenceError.self) { try Payload(json: Array(text.utf8)) }
    }

    @Test("The size is that of BSON")
    func size() {
        #expect(Payload().encodedSize == 5)
        // The document {"a": 1} of bsonspec.org's kind: 4 length, 1 type, 2 name, 8 value, 1 end.
        #expect((["a": 1] as Payload).encodedSize == 16)
        #expect((["hello": "world"] as Payload).encodedSize == 22)
        #expect((["BSON": ["awesome", 5.05, 1986]] as Payload).encodedSize == 53)
        let long = Payload(["a": .array(Array(repeating: nil, count: 1001))])
        // Indexes are names: 10 of one digit, 90 of two, 900 of three, 1 of four.
        #expect(long.encodedSize == 5 + 3 + 5 + 10 * 3 + 90 * 4 + 900 * 5 + 6)
    }

    @Test("A payload is checked to its last corner")
    func check() throws {
        let sound: Payload = ["": "", "a.b": 1, "a$": [["x": .bytes([])]], "d": .date(.distantFuture)]
        try sound.check()
        let unsound: [Payload] = [
            ["$a": 1], ["a": ["$b": 1]], ["a": [["$b": 1]]], ["a\u{0}": 1], ["a": .double(.nan)],
            ["a": [.double(-.infinity)]], ["a": .date(Date(timeIntervalSince1970: .infinity))],
        ]
        for payload in unsound {
            let error = #expect(throws: PersistenceError.self) { try payload.check(operation: "Test") }
            #expect(error?.code == .invalidData)
            #expect(error?.operation == "Test")
        }
    }

    @Test(
        "A path names fields, and nothing else",
        arguments: [[], [""], ["$a"], ["a", "$b"], ["a.b"], ["a\u{0}"], Array(repeating: "a", count: 65)])
    func paths(names: [String]) {
        let error = #expect(throws: PersistenceError.self) { try PayloadPath(names).check() }
        #expect(error?.code == .invalidArgument)
        #expect(throws: Never.self) { try PayloadPath(["a", "b c", "ü"]).check() }
    }
}
