import BSON
import PersistenceCore
import Testing

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

private struct Line: Codable, Equatable {
    var sku: String
    var count: Int32
    var price: Double
    var note: String?
}

extension Line: DocumentCodable {
    init(reading fields: inout DocumentReader) throws(PersistenceError) {
        sku = try fields.read("sku")
        count = try fields.read("count")
        price = try fields.read("price")
        note = try fields.readIfPresent("note")
    }

    func write(to fields: inout DocumentWriter) throws(PersistenceError) {
        try fields.write("sku", sku)
        try fields.write("count", count)
        try fields.write("price", price)
        try fields.writeIfPresent("note", note)
    }
}

/// Every kind of field, with a type that is `Codable` alone among them.
private struct Order: Codable, Equatable {
    struct Address: Codable, Equatable {
        var city: String
        var lines: [String]
    }

    var _id: ObjectID
    var name: String
    var total: Int
    var visits: Int64
    var isPaid: Bool
    var placed: Date
    var tenant: UUID
    var payload: Data
    var raw: BSONValue
    var extra: Document
    var amount: Decimal128?
    var lines: [Line]
    var numbers: [Int]
    var gaps: [Int?]
    var address: Address
    var other: Address?

    static let example = Order(
        _id: ObjectID("56e1fc72e0c917e9c4714161") ?? ObjectID(), name: "Ünïcode 🙂 and more than fifteen bytes",
        total: -7, visits: 1 << 40, isPaid: true,
        placed: Date(timeIntervalSince1970: 1_753_705_096.789), tenant: UUID(), payload: Data([0, 1, 255]),
        raw: .regularExpression(BSONRegularExpression(pattern: "^a", options: "i")), extra: ["x": [1, 2, ["y": "z"]]],
        amount: Decimal128("12.50"),
        lines: [
            Line(sku: "A-1", count: 2, price: 12.5, note: nil), Line(sku: "B", count: 0, price: -0.0, note: "gift"),
        ],
        numbers: [1, 2, 3], gaps: [1, nil, 3], address: Address(city: "Berlin", lines: ["a", "b"]), other: nil)
}

extension Order: DocumentCodable {
    init(reading fields: inout DocumentReader) throws(PersistenceError) {
        _id = try fields.read("_id")
        name = try fields.read("name")
        total = try fields.read("total")
        visits = try fields.read("visits")
        isPaid = try fields.read("isPaid")
        placed = try fields.read("placed")
        tenant = try fields.read("tenant")
        payload = try fields.read("payload")
        raw = try fields.read("raw")
        extra = try fields.read("extra")
        amount = try fields.readIfPresent("amount")
        lines = try fields.read("lines")
        numbers = try fields.read("numbers")
        gaps = try fields.read("gaps")
        address = try fields.decode("address")
        other = try fields.decodeIfPresent("other")
    }

    func write(to fields: inout DocumentWriter) throws(PersistenceError) {
        try fields.write("_id", _id)
        try fields.write("name", name)
        try fields.write("total", total)
        try fields.write("visits", visits)
        try fields.write("isPaid", isPaid)
        try fields.write("placed", placed)
        try fields.write("tenant", tenant)
        try fields.write("payload", payload)
        try fields.write("raw", raw)
        try fields.write("extra", extra)
        try fields.writeIfPresent("amount", amount)
        try fields.write("lines", lines)
        try fields.write("numbers", numbers)
        try fields.write("gaps", gaps)
        try fields.encode("address", address)
        if let other { try fields.encode("other", other) }
    }
}

/// The same coding as `Codable` does it, because this type does not say that it codes itself.
private struct Coded<Value: Codable>: Codable {
    var value: Value

    init(_ value: Value) {
        self.value = value
    }

    init(from decoder: any Decoder) throws {
        value = try Value(from: decoder)
    }

    func encode(to encoder: any Encoder) throws {
        try value.encode(to: encoder)
    }
}

/// A document within itself, as deep as one likes.
private struct Chain: Codable, DocumentCodable {
    final class Box: Codable, Sendable {
        let chain: Chain

        init(_ chain: Chain) {
            self.chain = chain
        }
    }

    var next: Box?

    init(depth: Int) {
        next = nil
        for _ in 1..<depth { next = Box(Chain(next: next)) }
    }

    private init(next: Box?) {
        self.next = next
    }

    init(reading fields: inout DocumentReader) throws(PersistenceError) {
        next = try fields.readIfPresent("next", as: Chain.self).map(Box.init)
    }

    func write(to fields: inout DocumentWriter) throws(PersistenceError) {
        if let next { try fields.write("next", next.chain) }
    }
}

@Suite("Types that code themselves")
struct DirectCodingTests {
    @Test("write the bytes that Codable writes, and read what Codable reads")
    func agreement() throws {
        let order = Order.example
        let document = try BSONEncoder().encode(order)
        let coded = try BSONEncoder().encode(Coded(order))
        for (key, value) in coded where key != "gaps" { #expect(document[key] == value, "\(key)") }
        try document.validate()
        #expect(document["gaps"]?.array?.count == 3)
        #expect(try BSONDecoder().decode(Order.self, from: document) == order)
        #expect(try BSONDecoder().decode(Order.self, from: coded) == order)
        let line = try BSONEncoder().encode(order.lines[1])
        #expect(try BSONDecoder().decode(Coded<Line>.self, from: line).value == order.lines[1])
    }

    @Test("follow the options for dates, UUIDs and data")
    func options() throws {
        var options = BSONCodingOptions()
        options.dates = .iso8601
        options.uuids = .string
        options.dataValues = .base64
        let order = Order.example
        let document = try BSONEncoder(options: options).encode(order)
        #expect(document["placed"]?.type == .string)
        #expect(document["tenant"] == .string(order.tenant.uuidString))
        #expect(document["payload"] == "AAH/")
        #expect(try BSONDecoder(options: options).decode(Order.self, from: document) == order)
    }

    @Test("find fields in any order, and read a document within a larger buffer")
    func order() throws {
        let document = try BSONEncoder().encode(Order.example)
        var reversed = Document()
        for (key, value) in document.map({ $0 }).reversed() { reversed.append(key, value) }
        #expect(try BSONDecoder().decode(Order.self, from: reversed) == Order.example)
        let outer: Document = ["before": 1, "order": .document(reversed), "after": 2]
        let inner = try #require(outer["order"]?.document)
        #expect(try BSONDecoder().decode(Order.self, from: inner) == Order.example)
    }

    @Test("name the field that does not fit")
    func errors() throws {
        func error(_ change: (inout Document) -> Void) throws -> PersistenceError {
            var document = try BSONEncoder().encode(Order.example)
            change(&document)
            return try #require(throws: PersistenceError.self) {
                try BSONDecoder().decode(Order.self, from: document)
            }
        }
        let missing = try error { $0["name"] = nil }
        #expect(missing.code == .decoding)
        #expect(missing.column == "name")
        #expect(missing.summary == "field name: there is no such field")
        let mistyped = try error { $0["total"] = "secret" }
        #expect(mistyped.column == "total")
        #expect(mistyped.summary == "field total: Int was expected, found string")
        let nested = try error { $0["lines"] = [["sku": "a", "count": 1, "price": 1.0], ["sku": 3]] }
        #expect(nested.column == "lines.1.sku")
        let overflow = try error { $0["lines"] = [["sku": "a", "count": .int64(1 << 40), "price": 1.0]] }
        #expect(overflow.column == "lines.0.count")
        #expect(overflow.summary == "field lines.0.count: the number does not fit into Int32")
        let coded = try error { $0["address"] = ["city": "x", "lines": [1]] }
        #expect(coded.column == "address.lines.0")
        let null = try error { $0["isPaid"] = .null }
        #expect(null.column == "isPaid")
        #expect(!"\(mistyped)".contains("secret"))
    }

    @Test("refuse text that is not UTF-8, and bytes that end too early, without crashing")
    func malformed() throws {
        let bytes = try BSONEncoder().encode(Order.example).byteArray
        var broken = bytes
        let name = try #require(broken.firstIndex(of: 0xC3))
        broken[name] = 0xFF
        let error = try #require(throws: PersistenceError.self) {
            try BSONDecoder().decode(Order.self, from: Document(unchecked: broken))
        }
        #expect(error.column == "name")
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            var hostile = bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                hostile[Int.random(in: 4..<hostile.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            _ = try? BSONDecoder().decode(Order.self, from: Document(unchecked: hostile))
            hostile.removeLast(Int.random(in: 0..<hostile.count, using: &random))
            _ = try? BSONDecoder().decode(Order.self, from: Document(unchecked: hostile))
        }
    }

    @Test("are limited in depth and size as others are")
    func limits() throws {
        #expect(try BSONDecoder().decode(Chain.self, from: BSONEncoder().encode(Chain(depth: 100))).next != nil)
        let deep = try #require(throws: PersistenceError.self) { try BSONEncoder().encode(Chain(depth: 101)) }
        #expect(deep.code == .tooLarge)
        let limitless = BSONEncoder(limits: .none)
        let unreadable = try #require(throws: PersistenceError.self) {
            try BSONDecoder().decode(Chain.self, from: limitless.encode(Chain(depth: 300)))
        }
        #expect(unreadable.code == .tooLarge)
        let large = Line(sku: String(repeating: "x", count: 20_000_000), count: 1, price: 1, note: nil)
        let tooLarge = try #require(throws: PersistenceError.self) { try BSONEncoder().encode(large) }
        #expect(tooLarge.code == .tooLarge)
        #expect(try limitless.encode(large).byteCount > 20_000_000)
    }

    /// Decodes documents that stand one after the other, some at a time, and gives what came before the first failure.
    private func decodeAll<Value: Decodable>(
        _ type: Value.Type, _ documents: [[UInt8]]
    ) -> (values: [Value], error: PersistenceError?) {
        var sequence = DocumentSequence()
        for document in documents { document.withUnsafeBytes { sequence.append(copying: $0) } }
        let decode = DocumentDecoding(BSONDecoder(), type)
        let memory = UnsafeMutablePointer<Value>.allocate(capacity: 3)
        defer { memory.deallocate() }
        var values: [Value] = []
        while sequence.count > 0 {
            let (count, error) = decode(&sequence, limit: 3, into: memory)
            values += (0..<count).map { (memory + $0).move() }
            if let error { return (values, error) }
        }
        return (values, nil)
    }

    /// Reads one field, and keeps its decoder.
    private struct Keeper: Decodable {
        enum Key: CodingKey { case sku, count }
        let sku: String
        let decoder: any Decoder

        init(from decoder: any Decoder) throws {
            sku = try decoder.container(keyedBy: Key.self).decode(String.self, forKey: .sku)
            self.decoder = decoder
        }
    }

    @Test("documents that stand one after the other are decoded like each alone, up to the first that fails")
    func sequences() throws {
        let lines = (0..<7).map { Line(sku: "\($0)", count: $0, price: 1, note: $0 == 3 ? "here" : nil) }
        let documents = try lines.map { try BSONEncoder().encode($0) }
        let bytes = documents.map(\.byteArray)
        let direct = decodeAll(Line.self, bytes)
        #expect(direct.values == lines && direct.error == nil)
        #expect(decodeAll(Document.self, bytes).values == documents)
        #expect(decodeAll([String: BSONValue].self, bytes).values.map { $0["count"] } == lines.map { .int32($0.count) })
        let keepers = decodeAll(Keeper.self, bytes).values
        #expect(keepers.map(\.sku) == lines.map(\.sku))
        let counts = try keepers.map {
            try $0.decoder.container(keyedBy: Keeper.Key.self).decode(Int32.self, forKey: .count)
        }
        #expect(counts == lines.map(\.count))

        let wrong = try BSONEncoder().encode(["sku": 1]).byteArray
        let malformed: [[UInt8]] = [[3, 0, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0x7F, 0], [9]]
        for broken in [wrong] + malformed {
            let codable = decodeAll(Keeper.self, Array(bytes[..<4]) + [broken])
            #expect(codable.values.map(\.sku) == ["0", "1", "2", "3"])
            #expect(codable.error?.column == "sku")
            let direct = decodeAll(Line.self, Array(bytes[..<4]) + [broken])
            #expect(direct.values == Array(lines[..<4]))
            #expect(direct.error?.column == "sku")
        }
        #expect(decodeAll(Int.self, bytes).error?.code == .decoding)
    }
}
