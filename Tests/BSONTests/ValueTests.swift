import BSON
import Foundation
import PersistenceCore
import Testing

@Suite("BSON values")
struct ValueTests {
    @Test("New object identifiers are all different, hold the time, and grow within a second")
    func objectIDs() async throws {
        let before = UInt32(Date().timeIntervalSince1970) &- 1
        let sets = await withTaskGroup(of: [ObjectID].self) { group in
            for _ in 0..<4 { group.addTask { (0..<5000).map { _ in ObjectID() } } }
            return await group.reduce(into: [[ObjectID]]()) { $0.append($1) }
        }
        let all = Set(sets.joined())
        #expect(all.count == 20_000)
        #expect(all.allSatisfy { $0.secondsSince1970 >= before && $0.secondsSince1970 < before + 3600 })
        // The random five bytes are the process's.
        #expect(Set(all.map { Array($0.bytes[4..<9]) }).count == 1)
        let first = ObjectID(seconds: 7)
        let second = ObjectID(seconds: 8)
        #expect(first < second && first.secondsSince1970 == 7)
    }

    @Test("Object identifiers are read from text and bytes, or refused")
    func objectIDText() throws {
        let id = try #require(ObjectID("56E1fc72e0c917e9c4714161"))
        #expect(id.description == "56e1fc72e0c917e9c4714161" && id.secondsSince1970 == 0x56E1_FC72)
        #expect(ObjectID(bytes: id.bytes) == id && id.bytes.count == 12)
        #expect(Oracle.json(Document(["a": .objectID(id)]).byteArray)?.contains(id.description) == true)
        for text in ["", "56e1fc72e0c917e9c471416", "56e1fc72e0c917e9c47141611", "56e1fc72e0c917e9c471416g", "é"] {
            #expect(ObjectID(text) == nil)
        }
        #expect(ObjectID(bytes: [UInt8](repeating: 0, count: 11)) == nil && ObjectID(bytes: []) == nil)
    }

    @Test(
        "Decimal numbers are read and written as the specification says",
        arguments: [
            ("0", "0"), ("-0", "-0"), ("1.50", "1.50"), ("1E3", "1E+3"), ("0.000001", "0.000001"), ("1e-7", "1E-7"),
            ("inf", "Infinity"), ("-Infinity", "-Infinity"), ("nan", "NaN"),
            ("9999999999999999999999999999999999", "9999999999999999999999999999999999"),
            ("12345678901234567E6111", "1.2345678901234567E+6127"), ("0E-6176", "0E-6176"),
        ])
    func decimals(text: String, expected: String) throws {
        let number = try #require(Decimal128(text))
        #expect(number.description == expected)
        #expect(number.isNaN == (expected == "NaN") && number.isInfinite == expected.contains("Infinity"))
    }

    @Test("Bits with more than 34 digits are a zero, whose text is read again")
    func tooManyDigits() {
        let bits: [(UInt64, UInt64, String)] = [
            (0x3041_ED09_BEAD_87C0, 0x378D_8E63_FFFF_FFFF, String(repeating: "9", count: 34)),
            (0x3041_ED09_BEAD_87C0, 0x378D_8E64_0000_0000, "0"),
            (0xB041_FFFF_FFFF_FFFF, .max, "-0"), (0x00FF_FFFF_FFFF_FFFF, .max, "0E-6049"),
            // As the number may be written that has an even higher first digit.
            (0x6C10_0000_0000_0000, 1, "0"),
        ]
        for (high, low, text) in bits {
            let number = Decimal128(high: high, low: low)
            #expect(number.description == text)
            #expect(Decimal128(number.description)?.description == text)
        }
    }

    @Test("What is no decimal number, or none of 34 digits, is refused")
    func wrongDecimals() {
        for text in ["", "x", "1x", "1e", "--1", "1.2.3", "1\0", "12345678901234567890123456789012345", "1E6145", " 1"]
        {
            #expect(Decimal128(text) == nil, "\(text)")
        }
        #expect(Decimal128(String(repeating: "1", count: 100_000)) == nil)
        #expect(Decimal128(Int64.min).description == "-9223372036854775808" && Decimal128(0).description == "0")
    }

    @Test("Dates keep their milliseconds, also those that Date cannot hold")
    func dates() {
        for milliseconds in [0, 1, -1, 1_753_705_096_789, -62_135_596_800_000] as [Int64] {
            let date = BSONDate(millisecondsSince1970: milliseconds)
            #expect(BSONDate(date.date) == date)
        }
        #expect(BSONDate(Date(timeIntervalSince1970: 1e300)).millisecondsSince1970 == .max)
        #expect(BSONDate(Date(timeIntervalSince1970: -1e300)).millisecondsSince1970 == .min)
        #expect(BSONDate(Date(timeIntervalSince1970: .nan)).millisecondsSince1970 == 0)
        #expect(BSONDate(millisecondsSince1970: 1) < BSONDate(millisecondsSince1970: 2))
        #expect(BSONTimestamp(seconds: 1, increment: 9) < BSONTimestamp(seconds: 2, increment: 0))
        #expect(BSONTimestamp(rawValue: 0x1_0000_0002) == BSONTimestamp(seconds: 1, increment: 2))
    }

    @Test("Binaries know UUIDs, and only those of subtype 4")
    func binaries() {
        let uuid = UUID()
        #expect(BSONBinary(uuid).uuid == uuid && BSONBinary(uuid).count == 16)
        #expect(BSONBinary(subtype: .uuidOld, bytes: BSONBinary(uuid).bytes).uuid == nil)
        #expect(BSONBinary(subtype: .uuid, bytes: [1]).uuid == nil)
        #expect(BSONBinary(Data([1, 2])).data == Data([1, 2]))
        #expect("\(BSONBinary(bytes: [1, 2, 3]))" == "binary(subtype: 0, 3 bytes)")
        let read = Document(["a": .binary(BSONBinary(bytes: [9, 8]))])["a"]?.binary
        #expect(read == BSONBinary(bytes: [9, 8]) && read?.hashValue == BSONBinary(bytes: [9, 8]).hashValue)
    }

    @Test("A value gives what it is, and nothing that it is not")
    func access() {
        #expect((5.0 as BSONValue).int == 5 && (5.5 as BSONValue).int == nil && BSONValue.int32(5).double == 5)
        #expect(("x" as BSONValue).int == nil && (1 as BSONValue).string == nil && (1 as BSONValue).bool == nil)
        #expect(BSONValue.double(.nan).int == nil && BSONValue.double(1e300).int == nil)
        #expect(BSONValue.symbol("s").string == "s" && BSONValue.null.isNull && !BSONValue.undefined.isNull)
        #expect((1 as BSONValue)["a"] == nil && (1 as BSONValue)[0] == nil && (["a"] as BSONValue)["0"] == nil)
    }

    @Test("Swift types represent values both ways")
    func representable() {
        func check<Value: BSONRepresentable & Equatable>(_ value: Value, _ expected: BSONValue) {
            #expect(value.bsonValue == expected)
            #expect(Value(bsonValue: expected) == value)
            #expect(Value(bsonValue: .maxKey) == nil)
        }
        check("$where", "$where")
        check(5, 5)
        check(5 as Int32, .int32(5))
        check(5 as Int64, 5)
        check(1.5, 1.5)
        check(true, true)
        check(["a", "b"], ["a", "b"])
        check([1, nil], [1, nil])
        check(["a": 1] as Document, ["a": 1])
        check(Date(timeIntervalSince1970: 5), .date(BSONDate(millisecondsSince1970: 5000)))
        check(BSONDate(millisecondsSince1970: 5), .date(BSONDate(millisecondsSince1970: 5)))
        let uuid = UUID()
        check(uuid, BSONValue(uuid))
        #expect(Int32(bsonValue: .int64(.max)) == nil)
        #expect(Optional<Int>(bsonValue: .null) == .some(.none))
    }

    @Test("Other coders get and give relaxed extended JSON", arguments: Corpus.documents)
    func otherCoders(document: Document) throws {
        // JSON has no order of keys with Foundation's coder, and no type for whole doubles.
        let text = try JSONEncoder().encode(["d": document])
        let read = try JSONDecoder().decode([String: Document].self, from: text)["d"]
        let expected = try Document(extendedJSON: document.extendedJSON(.relaxed))
        #expect(Set(read?.keys ?? []) == Set(expected.keys))
        for (key, value) in expected {
            if let number = value.double { #expect(read?[key]?.double == number, "\(key)") }
            guard value.double == nil, value.document == nil, value.array == nil else { continue }
            if case .javascriptWithScope(let code) = value {
                guard case .javascriptWithScope(let other) = read?[key] else {
                    Issue.record("\(key) is no JavaScript with scope")
                    continue
                }
                // The keys of the scope come in any order, too.
                #expect(other.code == code.code && Set(other.scope.keys) == Set(code.scope.keys))
                continue
            }
            #expect(read?[key] == value, "\(key)")
        }
    }

    @Test("Values of their own types go through other coders")
    func ownTypes() throws {
        struct Values: Codable, Equatable {
            var id = ObjectID()
            var decimal = Decimal128(5)
            var date = BSONDate(millisecondsSince1970: 1)
            var binary = BSONBinary(bytes: [1])
            var timestamp = BSONTimestamp(seconds: 1, increment: 2)
            var expression = BSONRegularExpression(pattern: "a", options: "i")
            var array: BSONArray = [1.5, "x"]
        }
        let values = Values()
        #expect(try JSONDecoder().decode(Values.self, from: JSONEncoder().encode(values)) == values)
        #expect(try BSONDecoder().decode(Values.self, from: BSONEncoder().encode(values)) == values)
        #expect(throws: (any Error).self) { try JSONDecoder().decode([ObjectID].self, from: Data("[5]".utf8)) }
        #expect(throws: (any Error).self) {
            try JSONDecoder().decode([ObjectID].self, from: Data(#"[{"$oid":"x"}]"#.utf8))
        }
    }
}
