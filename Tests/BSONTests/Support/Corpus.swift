import BSON

/// Documents of every type, with their edges.
enum Corpus {
    static let objectID = ObjectID(bytes: [0x56, 0xE1, 0xFC, 0x72, 0xE0, 0xC9, 0x17, 0xE9, 0xC4, 0x71, 0x41, 0x61])

    static let values: [(name: String, value: BSONValue)] = {
        var values: [(String, BSONValue)] = [
            ("double", 1.5), ("double zero", .double(-0.0)), ("double infinity", .double(.infinity)),
            ("double minus infinity", .double(-.infinity)), ("double tiny", .double(.leastNonzeroMagnitude)),
            ("double huge", .double(.greatestFiniteMagnitude)), ("double tenth", 0.1), ("double whole", .double(1e20)),
            ("string empty", ""), ("string", "hello"), ("string NUL", "a\0b"), ("string wide", "é€𝄞\u{FFFD}"),
            ("string escapes", "\"\\/\u{8}\u{C}\n\r\t\u{1}\u{7F}"),
            ("document empty", [:]), ("document", ["a": 1, "": ["b": nil]]), ("document dollar", ["$a": 1, "b.c": 2]),
            ("array empty", []), ("array", [1, "two", [3, [:]], nil]),
            ("array of eleven", .array(BSONArray((0..<11).map { BSONValue.int32($0) }))),
            ("binary", .binary(BSONBinary(bytes: [0, 1, 255]))), ("binary empty", .binary(BSONBinary(bytes: []))),
            ("binary old", .binary(BSONBinary(subtype: .binaryOld, bytes: [7, 8, 9]))),
            ("binary UUID", .binary(BSONBinary(subtype: .uuid, bytes: Array(0..<16)))),
            ("binary own", .binary(BSONBinary(subtype: .userDefined, bytes: [1]))),
            ("undefined", .undefined), ("true", true), ("false", false), ("null", .null),
            ("date", .date(BSONDate(millisecondsSince1970: 1_356_351_330_501))),
            ("date whole second", .date(BSONDate(millisecondsSince1970: 1_356_351_330_000))),
            ("date before 1970", .date(BSONDate(millisecondsSince1970: -284_643_869_501))),
            ("date far", .date(BSONDate(millisecondsSince1970: 253_402_300_800_000))),
            ("date first", .date(BSONDate(millisecondsSince1970: .min))),
            ("date last", .date(BSONDate(millisecondsSince1970: .max))),
            ("regular expression", .regularExpression(BSONRegularExpression(pattern: "^a\"b/", options: "mi"))),
            ("regular expression empty", .regularExpression(BSONRegularExpression(pattern: ""))),
            ("JavaScript", .javascript("function() { return 1; }")), ("symbol", .symbol("sym")),
            ("JavaScript with scope", .javascriptWithScope(.init(code: "x", scope: ["x": 1, "y": [1]]))),
            ("int32", .int32(-1)), ("int32 max", .int32(.max)), ("int32 min", .int32(.min)),
            ("timestamp", .timestamp(BSONTimestamp(seconds: .max, increment: 42))),
            ("int64", 1), ("int64 max", .int64(.max)), ("int64 min", .int64(.min)),
            ("decimal", .decimal128(Decimal128(high: 0x3040_0000_0000_0000, low: 2))),
            ("decimal infinity", .decimal128(Decimal128(high: 0x7800_0000_0000_0000, low: 0))),
            ("minKey", .minKey), ("maxKey", .maxKey),
        ]
        if let objectID {
            values.append(("objectID", .objectID(objectID)))
            values.append(("dbPointer", .dbPointer(BSONDBPointer(namespace: "b.c", id: objectID))))
        }
        for text in ["0", "-0", "0E-6176", "9.999999999999999999999999999999999E+6144", "1E+3", "-12.340", "0.001"] {
            if let number = Decimal128(text) { values.append(("decimal \(text)", .decimal128(number))) }
        }
        return values
    }()

    /// One document for each value, and one with all of them.
    static let documents: [Document] =
        values.map { ["before": 1, "v": $0.value, "after": "x"] } + [Document(values.map { ($0.name, $0.value) })]
}
