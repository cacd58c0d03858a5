import BSON
import Foundation

extension FuzzSeeds {
    /// First inputs for the targets that read documents by type, change them, or compute with their numbers.
    static func documents() -> [Seed] { readers() + changes() + decimals() }

    private static func readers() -> [Seed] {
        let uuid = UUID(uuid: (1, 2, 3, 4, 5, 6, 0x70, 8, 0x80, 10, 11, 12, 13, 14, 15, 16))
        let id = ObjectID("56e1fc72e0c917e9c4714161") ?? ObjectID()
        let fields: Document = [
            "a": "häß", "b": true, "c": 1.5, "d": .int64(7), "e": 8, "f": .int64(1 << 40), "g": .objectID(id),
            "h": .date(BSONDate(millisecondsSince1970: 1_753_705_096_789)), "i": .binary(BSONBinary(uuid)),
            "j": .binary(BSONBinary(subtype: .generic, bytes: [0, 1, 255])), "k": ["x": .minKey],
            "l": ["x": [1, ["y": "z"]]],
            "m": [1, "2", .null],
            "n": .binary(BSONBinary(subtype: .binaryOld, bytes: [1, 2])),
            "o": .date(BSONDate(millisecondsSince1970: -1)),
            "p": .timestamp(BSONTimestamp(rawValue: 9)),
            "q": .regularExpression(BSONRegularExpression(pattern: "^a", options: "i")),
            "r": .decimal128(Decimal128(-125)),
        ]
        let chain: Document = ["a": 1, "n": ["a": 2, "n": ["n": ["a": .int64(3)]]]]
        func required(_ when: BSONValue, _ id: BSONValue, _ data: BSONValue) -> Document {
            [
                "a": "text", "b": 2.0, "fieldOfSome": 3, "when": when, "id": id, "data": data,
                "place": ["city": "Berlin", "lines": ["x", "y"]], "other": .null,
            ]
        }
        let lists: Document = [
            "a": [["a": "x", "b": 1], ["a": "y"]], "b": [1, .null, .int64(3)], "c": [["a"], [], ["b", "c"]],
            "d": [1.5, 2], "e": [.binary(BSONBinary(uuid))], "f": [.maxKey, .undefined, ["a": .null]],
        ]
        func seed(_ choice: UInt8, _ name: String, _ document: Document) -> Seed {
            Seed(target: .readers, name: name, bytes: [choice] + document.byteArray)
        }
        var reversed = Document()
        for (key, value) in fields.map({ $0 }).reversed() { reversed.append(key, value) }
        let date = BSONValue.date(BSONDate(millisecondsSince1970: 1000))
        return [
            seed(0, "fields", fields), seed(0, "reversed", reversed), seed(1, "chain", chain),
            seed(
                2, "required",
                required(date, .binary(BSONBinary(uuid)), .binary(BSONBinary(subtype: .generic, bytes: [1])))),
            seed(
                0x66, "texts",
                required("2026-07-28T12:34:56.789Z", .string(uuid.uuidString), "AAH/")),
            seed(0x8A, "numbers", required(.int64(1000), .binary(BSONBinary(uuid)), [1, 2, 255])),
            seed(
                0x12, "deferred",
                required(1.25, .binary(BSONBinary(uuid)), .binary(BSONBinary(subtype: .generic, bytes: [])))),
            seed(3, "lists", lists), seed(3, "raw", ["long key": 1, "b": .null, "a": ["x": 1]]),
        ]
    }

    private static func changes() -> [Seed] {
        func seed(_ name: String, _ bytes: [UInt8]) -> Seed { Seed(target: .changes, name: name, bytes: bytes) }
        return [
            seed("set", [0x00, 0x30, 0x11, 0x54, 0x40, 0xC3, 0x00, 0x43, 0x13, 0x03]),
            seed("copies", [0x04, 0x30, 0x07, 0x04, 0x31, 0x07, 0x00, 0xF3, 0x0E, 0x06, 0x0E]),
            seed("nested", [0x00, 0x58, 0x08, 0x08, 0x07, 0x09, 0x10, 0x33, 0x09, 0x0A, 0x0B, 0x20, 0x32]),
            seed("arrays", [0x0D, 0x33, 0x0D, 0x58, 0x0D, 0x17, 0x0C, 0x0D, 0x2C, 0x1F]),
        ]
    }

    private static func decimals() -> [Seed] {
        func seed(_ name: String, _ bytes: [UInt8]) -> Seed { Seed(target: .decimals, name: name, bytes: bytes) }
        let texts = ["12.50", "-0", "1E+6111", "NaN", "-Infinity", "9999999999999999999999999999999999", "0.000001"]
        return texts.enumerated().map { seed("text-\($0)", [0] + $1.utf8) } + [
            seed("bits", [1, 0x0C, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x3E, 0x30]),
            seed(
                "large",
                [1, 255, 255, 255, 255, 0x63, 0x8E, 0x8D, 0x37, 0xC0, 0x87, 0xAD, 0xBE, 0x09, 0xED, 0xFF, 0x5F]),
        ]
    }
}
