import BSON
import Foundation
import PersistenceCore
import Testing

@Suite("Extended JSON")
struct ExtendedJSONTests {
    @Test("Canonical text gives the document back, here and in libbson", arguments: Corpus.documents)
    func canonical(document: Document) throws {
        for pretty in [false, true] {
            let text = document.extendedJSON(.canonical, pretty: pretty)
            #expect(try Document(extendedJSON: text) == document)
            #expect(Oracle.bytes(json: text) == document.byteArray)
            #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(text.utf8)) }
        }
        let theirs = try #require(Oracle.json(document.byteArray))
        #expect(try Document(extendedJSON: theirs) == document)
    }

    @Test("Relaxed text is read by libbson as it is read here", arguments: Corpus.documents)
    func relaxed(document: Document) throws {
        let text = document.extendedJSON(.relaxed)
        let read = try Document(extendedJSON: text)
        #expect(Oracle.bytes(json: text) == read.byteArray)
        #expect(read.keys == document.keys)
        #expect(read.extendedJSON(.relaxed) == text)
        // libbson 1.23 writes dates after the year 9999 as texts, against the specification.
        for case .date(let date) in document.values where date.millisecondsSince1970 > 253_402_300_799_999 { return }
        let theirs = try #require(Oracle.json(document.byteArray, canonical: false))
        #expect(try Document(extendedJSON: theirs) == read)
    }

    @Test("Each type has the form of the specification")
    func forms() throws {
        let id = try #require(Corpus.objectID)
        let cases: [(BSONValue, canonical: String, relaxed: String?)] = [
            (1, #"{"$numberLong":"1"}"#, "1"), (.int32(1), #"{"$numberInt":"1"}"#, "1"),
            (1.5, #"{"$numberDouble":"1.5"}"#, "1.5"), (0.1, #"{"$numberDouble":"0.1"}"#, "0.1"),
            (.double(.nan), #"{"$numberDouble":"NaN"}"#, nil),
            (.double(-.infinity), #"{"$numberDouble":"-Infinity"}"#, nil),
            (.objectID(id), #"{"$oid":"56e1fc72e0c917e9c4714161"}"#, nil),
            ("a\"\n", #""a\"\n""#, nil), (true, "true", nil), (nil, "null", nil), (["a": []], #"{"a":[]}"#, nil),
            (.binary(BSONBinary(bytes: [1, 2])), #"{"$binary":{"base64":"AQI=","subType":"00"}}"#, nil),
            (.timestamp(.init(seconds: 1, increment: 2)), #"{"$timestamp":{"t":1,"i":2}}"#, nil),
            (
                .regularExpression(.init(pattern: "a", options: "i")),
                #"{"$regularExpression":{"pattern":"a","options":"i"}}"#, nil
            ),
            (
                .date(.init(millisecondsSince1970: 1_356_351_330_501)), #"{"$date":{"$numberLong":"1356351330501"}}"#,
                #"{"$date":"2012-12-24T12:15:30.501Z"}"#
            ),
            (
                .date(.init(millisecondsSince1970: -1)), #"{"$date":{"$numberLong":"-1"}}"#,
                #"{"$date":{"$numberLong":"-1"}}"#
            ),
            (.javascript("x"), #"{"$code":"x"}"#, nil), (.symbol("x"), #"{"$symbol":"x"}"#, nil),
            (
                .javascriptWithScope(.init(code: "x", scope: ["n": 1])),
                #"{"$code":"x","$scope":{"n":{"$numberLong":"1"}}}"#, #"{"$code":"x","$scope":{"n":1}}"#
            ),
            (
                .dbPointer(.init(namespace: "b", id: id)),
                #"{"$dbPointer":{"$ref":"b","$id":{"$oid":"56e1fc72e0c917e9c4714161"}}}"#, nil
            ),
            (.undefined, #"{"$undefined":true}"#, nil), (.minKey, #"{"$minKey":1}"#, nil),
            (.maxKey, #"{"$maxKey":1}"#, nil),
        ]
        for (value, canonical, relaxed) in cases {
            #expect(value.extendedJSON(.canonical) == canonical)
            #expect(value.extendedJSON(.relaxed) == relaxed ?? canonical)
        }
        let document: Document = ["a": ["b": []], "c": [1, [:]]]
        #expect(
            document.extendedJSON(pretty: true)
                == "{\n  \"a\": {\n    \"b\": []\n  },\n  \"c\": [\n    1,\n    {}\n  ]\n}")
        #expect("\(document)" == #"{"a":{"b":[]},"c":[1,{}]}"#)
    }

    @Test("Other forms that are read")
    func otherForms() throws {
        func read(_ text: String) -> BSONValue? { try? BSONValue(extendedJSON: text) }
        #expect(read("2147483647") == .int32(.max) && read("2147483648") == .int64(2_147_483_648))
        #expect(read("9223372036854775808") == .double(9.223372036854775808e18) && read("-0") == .double(-0.0))
        #expect(read("1e2") == 100.0 && read("-1.5E-1") == -0.15)
        #expect(
            read(#"{"$date":"2012-12-24T12:15:30.5+01:00"}"#) == .date(.init(millisecondsSince1970: 1_356_347_730_500)))
        #expect(read(#"{"$date":"1969-12-31T23:59:59.999Z"}"#) == .date(.init(millisecondsSince1970: -1)))
        #expect(read(#"{"$date":"2000-02-29T00:00:00Z"}"#) == .date(.init(millisecondsSince1970: 951_782_400_000)))
        #expect(read(#"{"$uuid":"0F8FAD5B-D9CB-469F-A165-70867728950E"}"#)?.uuid != nil)
        #expect(read(#"{"$binary":"AQI=","$type":"80"}"#)?.binary?.subtype == .userDefined)
        #expect(read(#"{"$regex":"a","$options":"i"}"#) == ["$regex": "a", "$options": "i"])
        #expect(read(#"{"$gt":{"$numberInt":"5"}}"#) == ["$gt": .int32(5)])
        #expect(read(#"{"$ref":"c","$id":{"$oid":"56e1fc72e0c917e9c4714161"},"$db":"d"}"#)?.document?.count == 3)
        #expect(read(#" [ "\u00e9\ud834\udd1e\u0000" , { } ] "#) == ["é𝄞\0", [:]])
        #expect(read(#"{"a":1,"a":2}"#)?.document?.count == 2)
    }

    @Test(
        "What is no extended JSON is refused with its place",
        arguments: [
            "", " ", "{", "}", "[", "{]", "[}", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{'a':1}",
            "{\"a\":1} x", "nul", "True", "01", "-", "+1", "1.", ".5", "1e", "1e999", "NaN", "Infinity", "0x10", "\"",
            "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"\n\"", "// c\n1",
            "{\"a\\u0000\":1}", #"{"$oid":"56e1fc72e0c917e9c471416"}"#, #"{"$oid":5}"#, #"{"$oid":""}"#,
            #"{"$oid":"56e1fc72e0c917e9c4714161","a":1}"#,
            #"{"$numberInt":"2147483648"}"#, #"{"$numberInt":1}"#, #"{"$numberLong":"1.5"}"#, #"{"$numberLong":""}"#,
            #"{"$numberDouble":"inf"}"#, #"{"$numberDouble":"0x1p3"}"#, #"{"$numberDecimal":"x"}"#,
            #"{"$date":"yesterday"}"#, #"{"$date":"2012-13-01T00:00:00Z"}"#, #"{"$date":"2011-02-29T00:00:00Z"}"#,
            #"{"$date":"2012-12-24T12:15:30"}"#, #"{"$date":{"$numberInt":"x"}}"#, #"{"$date":true}"#,
            #"{"$binary":{"base64":"A","subType":"00"}}"#, #"{"$binary":{"base64":"AA==","subType":"+1"}}"#,
            #"{"$binary":{"base64":"AA=="}}"#, #"{"$timestamp":{"t":-1,"i":0}}"#, #"{"$timestamp":{"t":1}}"#,
            #"{"$timestamp":{"t":4294967296,"i":0}}"#, #"{"$minKey":2}"#, #"{"$undefined":false}"#,
            #"{"$code":1}"#, #"{"$code":"x","$scope":1}"#, #"{"$code":"x","other":1}"#, #"{"$uuid":"x"}"#,
            #"{"$regularExpression":{"pattern":"a\u0000","options":""}}"#, #"{"$dbPointer":{"$ref":"a","$id":1}}"#,
        ])
    func refused(text: String) {
        do {
            let value = try BSONValue(extendedJSON: text)
            Issue.record("\(value) was read")
        } catch {
            #expect(error.code == .decoding)
        }
    }

    @Test("Depth and size are limited, and no depth harms")
    func limits() throws {
        let deep = String(repeating: "[", count: 200_000)
        #expect(throws: PersistenceError.self) { try BSONValue(extendedJSON: deep) }
        #expect(throws: PersistenceError.self) { try BSONValue(extendedJSON: deep, limits: .none) }
        let nested = String(repeating: #"{"a":"#, count: 100) + "{}" + String(repeating: "}", count: 100)
        #expect(throws: PersistenceError.self) { try Document(extendedJSON: nested) }
        let allowed =
            String(repeating: #"{"a":"#, count: 99) + #"{"$numberInt":"1"}"# + String(repeating: "}", count: 99)
        #expect(try Document(extendedJSON: allowed).byteCount > 99)
        do {
            _ = try Document(extendedJSON: #"{"a":"0123456789"}"#, limits: .init(byteCount: 20))
            Issue.record("a document beyond the limit was read")
        } catch {
            #expect(error.code == .tooLarge)
        }
        #expect(throws: PersistenceError.self) { try Document(extendedJSON: "[]") }
        do {
            _ = try Document(extendedJSON: #"{"secret": tru}"#)
            Issue.record("half a word was read")
        } catch {
            #expect(error.location == "byte 11" && !error.debugDescription.contains("secret"))
        }
    }

    @Test("Random damage to a text never makes reading fail", arguments: [1, 2] as [UInt64])
    func damage(seed: UInt64) {
        var random = SplitMix(state: seed)
        let texts = Corpus.documents.dropLast().map { Array($0.extendedJSON(.canonical).utf8) }
        let pieces = Array("{}[]\":,\\u0$9eE.-tfn\u{0} ".utf8)
        var read = 0
        for _ in 0..<4000 {
            var text = texts[Int(random.next() % UInt64(texts.count))]
            for _ in 0...random.next() % 3 {
                let index = Int(random.next() % UInt64(text.count))
                if random.next() % 2 == 0 {
                    text[index] = pieces[Int(random.next() % UInt64(pieces.count))]
                } else if text.count > 1 {
                    text.remove(at: index)
                }
            }
            guard let document = try? Document(extendedJSON: String(decoding: text, as: UTF8.self)) else { continue }
            read += 1
            #expect(throws: Never.self) { try Document(validating: document.byteArray) }
        }
        #expect(read > 100)
    }
}
