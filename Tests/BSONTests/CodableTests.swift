import BSON
import Foundation
import PersistenceCore
import Testing

@Suite("Codable")
struct CodableTests {
    struct Line: Codable, Equatable {
        var sku: String
        var count: Int32
        var price: Decimal?
    }

    enum Status: String, Codable {
        case open, paid
    }

    enum Event: Codable, Equatable {
        case created
        case moved(from: Int, to: Int)
    }

    struct Order: Codable, Equatable {
        var _id: ObjectID
        var name: String
        var status: Status
        var placed: Date
        var customer: UUID
        var lines: [Line]
        var tags: Set<String>
        var payload: Data
        var ratio: Double
        var single: Float
        var small: Int8
        var large: UInt32
        var flag: Bool
        var note: String?
        var attributes: [String: Int]
        var raw: Document
        var any: BSONValue
        var link: URL
        var events: [Event]
        var words: [String]
        var numbers: [Int]
        var doubles: [Double]
        var matrix: [[Int]]
        var byNumber: [Int: String]
    }

    static func order() throws -> Order {
        Order(
            _id: try #require(Corpus.objectID), name: "é", status: .paid,
            placed: Date(timeIntervalSince1970: 1_753_705_096.789),
            customer: try #require(UUID(uuidString: "0F8FAD5B-D9CB-469F-A165-70867728950E")),
            lines: [Line(sku: "a", count: 1, price: Decimal(string: "12.50")), Line(sku: "b", count: -2)], tags: ["x"],
            payload: Data([1, 2, 3]), ratio: 0.1, single: 1.5, small: -8, large: .max, flag: true, note: nil,
            attributes: ["one": 1], raw: ["k": [1, nil]], any: .minKey,
            link: try #require(URL(string: "https://a.example/b")),
            events: [.created, .moved(from: 1, to: 2)], words: ["a", ""], numbers: [1, -1], doubles: [1, 0.5],
            matrix: [[1], [], [2, 3]], byNumber: [7: "seven"])
    }

    @Test("A struct of all kinds of fields goes to a document and back")
    func roundTrip() throws {
        let order = try Self.order()
        let document = try BSONEncoder().encode(order)
        try document.validateForStorage()
        #expect(Oracle.isValid(document.byteArray))
        #expect(document["_id"]?.type == .objectID)
        #expect(document["placed"] == .date(BSONDate(millisecondsSince1970: 1_753_705_096_789)))
        #expect(document["customer"]?.binary?.subtype == .uuid)
        #expect(document["payload"] == .binary(BSONBinary(bytes: [1, 2, 3])))
        #expect(document["small"] == .int32(-8) && document["large"] == .int64(Int64(UInt32.max)))
        #expect(document["lines"]?[0]?["price"]?.decimal128?.description == "12.5")
        #expect(document["note"] == nil && !document.contains(key: "note"))
        #expect(document["raw"] == ["k": [1, nil]] && document["any"] == .minKey)
        #expect(document["events"] == [["created": [:]], ["moved": ["from": 1, "to": 2]]])
        #expect(try BSONDecoder().decode(Order.self, from: document) == order)
    }

    @Test("Fields in any order, with others between them, are found")
    func order() throws {
        let order = try Self.order()
        let document = try BSONEncoder().encode(order)
        var random = SplitMix(state: 5)
        for _ in 0..<20 {
            var shuffled = Document()
            for (key, value) in document.map({ $0 }).shuffled(using: &random) {
                shuffled.append("unknown\(random.next() % 100)", ["name": "no"])
                shuffled.append(key, value)
            }
            #expect(try BSONDecoder().decode(Order.self, from: shuffled) == order)
        }
    }

    @Test("Strategies change how dates, UUIDs and data are stored")
    func options() throws {
        struct Values: Codable, Equatable {
            var date: Date
            var uuid: UUID
            var data: Data
            var dates: [Date]
        }
        let date = Date(timeIntervalSince1970: 1_753_705_096.5)
        let values = Values(date: date, uuid: UUID(), data: Data([255, 0]), dates: [date])
        let cases: [(BSONCodingOptions, BSONType, BSONType, BSONType)] = [
            (.init(dates: .millisecondsSince1970, uuids: .string, dataValues: .base64), .int64, .string, .string),
            (.init(dates: .secondsSince1970, dataValues: .deferred), .double, .binary, .array),
            (.init(dates: .iso8601), .string, .binary, .binary),
            (.init(dates: .deferred), .double, .binary, .binary),
            (
                .init(
                    dates: .custom(
                        encode: { ["t": .double($0.timeIntervalSince1970)] },
                        decode: { $0["t"]?.double.map(Date.init(timeIntervalSince1970:)) })),
                .document, .binary, .binary
            ),
        ]
        for (options, date, uuid, data) in cases {
            let document = try BSONEncoder(options: options).encode(values)
            #expect(document["date"]?.type == date && document["uuid"]?.type == uuid && document["data"]?.type == data)
            #expect(document["dates"]?[0]?.type == date)
            #expect(try BSONDecoder(options: options).decode(Values.self, from: document) == values)
        }
        #expect(try BSONEncoder(options: .init(dates: .iso8601)).encode(values)["date"] == "2025-07-28T12:18:16.500Z")
    }

    @Test("Numbers decode into every type that holds them exactly, and into no other")
    func numbers() throws {
        func decode<Value: Decodable & Equatable>(_ value: BSONValue, _ type: Value.Type) -> Value? {
            try? BSONDecoder().decode([String: Value].self, from: ["v": value])["v"]
        }
        #expect(decode(.int32(5), Int.self) == 5 && decode(.int64(5), Int8.self) == 5 && decode(5.0, UInt.self) == 5)
        #expect(
            decode(.int64(300), UInt8.self) == nil && decode(-1, UInt64.self) == nil && decode(1.5, Int.self) == nil)
        #expect(decode(.double(.nan), Int.self) == nil && decode(.double(1e300), Int.self) == nil)
        #expect(
            decode(.int64(.max), Double.self) == nil && decode(.int64(1 << 53), Double.self) == 9_007_199_254_740_992)
        #expect(decode(1e300, Float.self) == nil && decode(.double(.infinity), Float.self) == .infinity)
        #expect(decode(0.1, Float.self) == 0.1 && decode(.int32(1), Bool.self) == nil && decode("1", Int.self) == nil)
        #expect(decode(.int64(.max), Int64.self) == .max && decode(.int64(.max), UInt64.self) == UInt64(Int64.max))
        #expect(decode(.int32(3), Decimal.self) == 3 && decode("3", Decimal.self) == nil)
        #expect(throws: PersistenceError.self) { try BSONEncoder().encode(["v": UInt64.max]) }
        #expect(throws: PersistenceError.self) { try BSONEncoder().encode(["v": [UInt.max]]) }
        #expect(try BSONEncoder().encode(["v": UInt64(7)]) == ["v": 7])
    }

    @Test("Values that are no documents can be coded, too")
    func fragments() throws {
        #expect(try BSONEncoder().encodeValue("x") == "x")
        #expect(try BSONEncoder().encodeValue([1, 2]) == [1, 2])
        #expect(try BSONEncoder().encodeValue(Status.paid) == "paid")
        #expect(try BSONEncoder().encodeValue(Optional<Int>.none) == .null)
        #expect(try BSONEncoder().encodeValue(UUID?.some(UUID())).binary?.subtype == .uuid)
        #expect(try BSONEncoder().encodeValue(Line(sku: "a", count: 1)) == ["sku": "a", "count": .int32(1)])
        #expect(try BSONDecoder().decodeValue(String.self, from: "x") == "x")
        #expect(try BSONDecoder().decodeValue([Status].self, from: ["paid", "open"]) == [.paid, .open])
        #expect(try BSONDecoder().decodeValue(Int?.self, from: .null) == nil)
        #expect(throws: PersistenceError.self) { try BSONEncoder().encode([1, 2]) }
        #expect(throws: PersistenceError.self) { try BSONEncoder().encode(5) }
        #expect(throws: PersistenceError.self) { try BSONEncoder().encode(Date()) }
        #expect(try BSONEncoder().encode(["a": 1] as Document) == ["a": 1])
        #expect(try BSONDecoder().decode(Document.self, from: ["a": 1] as Document) == ["a": 1])
    }

    @Test("Errors name the field and the types, and no value")
    func errors() throws {
        var document = try BSONEncoder().encode(Self.order())
        document["lines"] = [["sku": "secret", "count": "secret"]]
        do {
            _ = try BSONDecoder().decode(Order.self, from: document)
            Issue.record("a string was taken for a number")
        } catch {
            #expect(error.code == .decoding && error.column == "lines.0.count")
            #expect(error.description == "decoding: field lines.0.count: Int32 was expected, found string")
            #expect(!error.debugDescription.contains("secret"))
            #expect(error.underlying is DecodingError)
        }
        document["lines"] = [["count": 1]]
        do {
            _ = try BSONDecoder().decode(Order.self, from: document)
            Issue.record("a missing field was not missed")
        } catch {
            #expect(error.column == "lines.0.sku" && error.summary == "field lines.0.sku: there is no such field")
        }
        document["lines"] = nil
        document["words"] = ["a", 1]
        #expect(throws: PersistenceError.self) { try BSONDecoder().decode(Order.self, from: document) }
        do {
            _ = try BSONDecoder().decode([String: [String]].self, from: ["words": ["a", nil]])
            Issue.record("a null was taken for a string")
        } catch {
            #expect(error.column == "words.1" && error.summary.contains("there is no value"))
        }
        do {
            _ = try BSONEncoder().encode(["a": ["b": [1, UInt64.max]]])
            Issue.record("a number beyond 64 bits was taken")
        } catch {
            #expect(error.code == .encoding && error.column?.hasPrefix("a.b") == true)
        }
        #expect(throws: PersistenceError.self) { try BSONEncoder().encode(["a\0b": 1]) }
        #expect(throws: PersistenceError.self) { try BSONEncoder().encode(["a": ["b\0": ["c": 1]]]) }
    }

    @Test("A document beyond the limits is not encoded")
    func limits() throws {
        struct Box: Encodable {
            var content: [Box]
        }
        var box = Box(content: [])
        for _ in 0..<60 { box = Box(content: [box]) }
        do {
            _ = try BSONEncoder().encode(box)
            Issue.record("121 levels were encoded")
        } catch {
            #expect(error.code == .tooLarge)
        }
        #expect(try BSONEncoder(limits: .none).encode(box).byteCount > 500)
        do {
            _ = try BSONEncoder().encode(["data": Data(count: 16_777_216)])
            Issue.record("more than 16 MiB were encoded")
        } catch {
            #expect(error.code == .tooLarge)
        }
        #expect(throws: PersistenceError.self) {
            try BSONEncoder(limits: .init(byteCount: 10)).encode(["a": 1])
        }
    }

    @Test("Malformed text in a string is an error, not another text")
    func malformedText() {
        var bytes = Document(["v": "abcd"]).byteArray
        bytes[12] = 0xFF
        let document = Document(unchecked: bytes)
        #expect(document["v"] == "a\u{FFFD}cd")
        #expect(throws: PersistenceError.self) { try BSONDecoder().decode([String: String].self, from: document) }
    }
}
