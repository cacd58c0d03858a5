import Foundation
import PersistenceCore
import Testing

@testable import PostgresEngine

private let extensionType = PostgresType(oid: 16_400)

@Suite("Text, bytes, JSON, addresses")
struct TextAndBytesTests {
    @Test("text is read from text types, from types of extensions, and from anything that comes as text")
    func text() throws {
        let wire = bytes(hex: "68c3a4c39fe282acf09f9880")
        for type in [.text, .varchar, .bpchar, .name, .xml, .unknown, extensionType] as [PostgresType] {
            #expect(try decode(wire, type, as: String.self) == "häß€😀")
        }
        #expect(try decode(Array("12".utf8), .int4, as: String.self, format: .text) == "12")
        #expect(try decode(Array("{1}".utf8), .int4Array, as: String.self, format: .text) == "{1}")
        #expect(try decode([], .text, as: String.self).isEmpty)
        #expect(try decode([0], .char, as: String.self).isEmpty)
        #expect(try decode([0x78], .char, as: String.self) == "x")
        for type in [.int4, .bytea, .json, .jsonb, .uuid, .textArray, .numeric, .tsvector] as [PostgresType] {
            let error = failure { () throws(PersistenceError) in try decode(wire, type, as: String.self) }
            #expect(error?.summary == "expected String, found \(type.name)")
        }
    }

    @Test("bytes that are not UTF-8 are an error, not replaced")
    func invalidUTF8() {
        for wire in ["ff", "c3", "c080", "eda080", "f4908080", "61ff62"] {
            #expect(
                failure { () throws(PersistenceError) in try decode(bytes(hex: wire), .text, as: String.self) }?.summary
                    == "the text value is malformed: it is not UTF-8")
        }
    }

    @Test("a NUL is refused wherever text is sent, and leaves nothing behind")
    func nul() {
        var writer = PostgresWriter()
        writer.write(UInt8(7))
        let error = failure { () throws(PersistenceError) in try "a\0b".encode(into: &writer) }
        #expect(error?.code == .encoding)
        #expect(error?.description.contains("a\0b") == false)
        #expect(writer.bytes == [7])
        #expect(failure { () throws(PersistenceError) in try encode(["ok", "\0"]) }?.code == .encoding)
        #expect(failure { () throws(PersistenceError) in try encode(PostgresHstore(["k\0": nil])) }?.code == .encoding)
        #expect(
            failure { () throws(PersistenceError) in try encode(PostgresJSONText(rawValue: "\"\0\"")) }?.code
                == .encoding)
    }

    @Test("strings are sent as text of a type that the server infers")
    func parameters() throws {
        var parameters = PostgresParameters()
        try parameters.append("é")
        try parameters.append(7 as Int32)
        try parameters.append(nil as String?)
        try parameters.append(["a"])
        #expect(parameters.count == 4)
        #expect(parameters.items.map(\.type) == [.unspecified, .int4, .unspecified, .unspecified])
        #expect(parameters.items.map(\.format) == [.text, .binary, .text, .text])
        #expect(parameters.items.map(\.length) == [2, 4, -1, 5])
        #expect(parameters.writer.bytes == [0xc3, 0xa9, 0, 0, 0, 0, 7] + Array("{\"a\"}".utf8) + [0])
    }

    @Test("bytes, both as Data and as an array")
    func data() throws {
        var generator = SeededGenerator(seed: 8)
        for count in [0, 1, 15, 4096] {
            let content = generator.bytes(count)
            #expect(try roundTrip(content) == content)
            #expect(try roundTrip(Data(content)) == Data(content))
            #expect(try encode(content) == content)
        }
        #expect([UInt8].postgresType == .bytea)
        #expect([[UInt8]].postgresType == .byteaArray)
        #expect([Data].postgresType == .byteaArray)
        let nested: [[UInt8]] = [[1, 2], []]
        #expect(try roundTrip(nested) == nested)
        #expect(
            failure { () throws(PersistenceError) in try decode([1], .text, as: [UInt8].self) }?.summary
                == "expected Array<UInt8>, found text")
        #expect(failure { () throws(PersistenceError) in try decode([1], .text, as: Data.self) }?.code == .decoding)
    }

    @Test("identifiers keep their order of bytes")
    func uuid() throws {
        let uuid = try #require(UUID(uuidString: "00112233-4455-6677-8899-AABBCCDDEEFF"))
        #expect(hex(try encode(uuid)) == "00112233445566778899aabbccddeeff")
        #expect(try roundTrip(uuid) == uuid)
        #expect(failure { () throws(PersistenceError) in try decode([1], .uuid, as: UUID.self) }?.code == .decoding)
    }

    struct Document: Codable, Equatable {
        var name: String
        var tags: [String]
    }

    @Test("JSON goes through Codable, or stays text")
    func json() throws {
        let document = Document(name: "ö", tags: ["a", "b"])
        let wire = try encode(PostgresJSON(document))
        #expect(wire.first == 1)
        #expect(try roundTrip(PostgresJSON(document)).value == document)
        #expect(try decode(Array(wire.dropFirst()), .json, as: PostgresJSON<Document>.self).value == document)
        #expect(
            try decode(Array(wire.dropFirst()), .jsonb, as: PostgresJSON<Document>.self, format: .text).value
                == document)
        let text: PostgresJSONText = try decode(bytes(hex: "017b2261223a205b312c20325d7d"), .jsonb)
        #expect(text.rawValue == #"{"a": [1, 2]}"#)
        #expect(
            try decode(bytes(hex: "7b2261223a2020317d"), .json, as: PostgresJSONText.self).rawValue == #"{"a":  1}"#)
        #expect(try encode(text) == Array(text.rawValue.utf8))
        #expect(try decode(encode(PostgresJSON(nil as Int?)), .jsonb, as: PostgresJSON<Int?>.self).value == nil)

        for wire in [[], [2, 0x31], [1], [1, 0x7b]] as [[UInt8]] {
            let error = failure { () throws(PersistenceError) in
                try decode(wire, .jsonb, as: PostgresJSON<Document>.self)
            }
            #expect(error?.code == .decoding)
        }
        let secret = failure { () throws(PersistenceError) in
            try decode(Array(#"{"name": "geheim"}"#.utf8), .json, as: PostgresJSON<[Int]>.self)
        }
        #expect(secret?.description.contains("geheim") == false)
        #expect(secret?.debugDescription.contains("geheim") == false)
        #expect(failure { () throws(PersistenceError) in try encode(PostgresJSON(Double.nan)) }?.code == .encoding)
    }

    @Test(
        "addresses match the server's bytes and text",
        arguments: [("192.0.2.7/24", "02180004c0000207"), ("2001:db8::1", "0380001020010db8000000000000000000000001")])
    func inet(text: String, wire: String) throws {
        let address = try #require(PostgresInet(text))
        #expect(hex(try encode(address)) == wire)
        #expect(try decode(bytes(hex: wire), .inet, as: PostgresInet.self) == address)
        #expect(address.description == text)
    }

    @Test("networks and interfaces match the server's bytes and text")
    func networks() throws {
        for (text, wire) in [
            ("10.0.0.0/8", "020801040a000000"), ("2001:db8::/32", "0320011020010db8000000000000000000000000"),
        ] {
            let network = try #require(PostgresCIDR(text))
            #expect(hex(try encode(network)) == wire)
            #expect(try decode(bytes(hex: wire), .cidr, as: PostgresCIDR.self) == network)
            #expect(network.description == text)
            #expect(try decode(bytes(hex: wire), .cidr, as: PostgresInet.self) == network.network)
        }
        #expect(PostgresCIDR("10.0.0.1/8") == nil)
        #expect(PostgresCIDR("0.0.0.0/0")?.description == "0.0.0.0/0")
        #expect(PostgresCIDR("::1/0") == nil)
        let interface = try #require(PostgresMACAddress("08:00:2b:01:02:03"))
        #expect(hex(try encode(interface)) == "08002b010203")
        #expect(try roundTrip(interface).description == "08:00:2b:01:02:03")
        #expect(PostgresMACAddress("08-00-2B-01-02-03") == interface)
        for text in ["", "08:00:2b:01:02", "08:00:2b:01:02:0g", "8:00:2b:01:02:03", "+8:00:2b:01:02:03"] {
            #expect(PostgresMACAddress(text) == nil)
        }
        #expect(PostgresMACAddress(rawValue: 1 << 48) == nil)
    }

    @Test("what is no address is refused")
    func impossibleAddresses() {
        for text in [
            "", "/", "1.2.3", "1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/+1", "1.2.3.4/", "::/129", "g::", "1.2.3.4/8/8",
        ] {
            #expect(PostgresInet(text) == nil)
        }
        #expect(PostgresInet(.v4, address: 1 << 32) == nil)
        for wire in [
            "", "04200004c0000207", "02210004c0000207", "02200003c00002", "02200010c0000207", "02200204c0000207",
            "02200004c000020700", "0320000 4c0000207",
        ] {
            #expect(
                failure { () throws(PersistenceError) in
                    try decode(bytes(hex: wire.filter { $0 != " " }), .inet, as: PostgresInet.self)
                }?.code == .decoding)
        }
        #expect(
            failure { () throws(PersistenceError) in
                try decode(bytes(hex: "020801040a000001"), .cidr, as: PostgresCIDR.self)
            }?.code == .decoding)
    }

    enum Mood: String, PostgresEnum { case happy, sad }
    struct UserID: RawRepresentable, PostgresElement, Equatable { var rawValue: UUID }

    @Test("enums and wrapped values need only a declaration")
    func enums() throws {
        #expect(try encode(Mood.sad) == Array("sad".utf8))
        #expect(Mood.postgresType == .unspecified)
        #expect(try decode(Array("happy".utf8), extensionType, as: Mood.self) == .happy)
        #expect(try decode(Array("happy".utf8), .text, as: Mood.self) == .happy)
        let error = failure { () throws(PersistenceError) in
            try decode(Array("angry".utf8), extensionType, as: Mood.self)
        }
        #expect(error?.code == .decoding)
        #expect(error?.summary == "Mood has no case for the label that was found")
        #expect(
            failure { () throws(PersistenceError) in try decode([0, 0, 0, 1], .int4, as: Mood.self) }?.summary
                == "expected Mood, found int4")
        #expect(try encode([Mood.sad, .happy]) == Array(#"{"sad","happy"}"#.utf8))
        let id = UserID(rawValue: UUID())
        #expect(try roundTrip(id) == id)
        #expect(UserID.postgresType == .uuid)
        #expect(try roundTrip([id, id]) == [id, id])
    }

    @Test("hstore matches the server's bytes")
    func hstore() throws {
        let value: PostgresHstore = ["a": "1", "b": nil]
        let wire = bytes(hex: "00000002000000016100000001310000000162ffffffff")
        #expect(try decode(wire, extensionType, as: PostgresHstore.self) == value)
        #expect(try roundTrip(value, type: extensionType) == value)
        #expect(try roundTrip(PostgresHstore(), type: extensionType) == PostgresHstore())
        for malformed in [
            "", "ffffffff", "7fffffff", "0000000100000001", "00000002000000016100000001310000000161ffffffff",
            "00000001ffffffffffffffff", "000000010000000161fffffffe", "0000000000",
        ] {
            #expect(
                failure { () throws(PersistenceError) in
                    try decode(bytes(hex: malformed), extensionType, as: PostgresHstore.self)
                }?.code == .decoding)
        }
        #expect(
            failure { () throws(PersistenceError) in try decode(wire, .text, as: PostgresHstore.self) }?.code
                == .decoding)
    }

    @Test("tsvector matches the server's bytes and text")
    func tsvector() throws {
        let vector = PostgresTSVector([
            "fat": [.init(11), .init(2, weight: .a)], "cat": [.init(3)], "it's": [.init(4, weight: .c)],
        ])
        let wire = "000000036361740000010003666174000002c002000b697427730000014004"
        #expect(hex(try encode(vector)) == wire)
        let decoded: PostgresTSVector = try decode(bytes(hex: wire), .tsvector)
        #expect(decoded.description == "'cat':3 'fat':2A,11 'it''s':4C")
        #expect(try roundTrip(decoded) == decoded)
        #expect(
            try decode(bytes(hex: "000000026100000062000000"), .tsvector, as: PostgresTSVector.self).description
                == "'a' 'b'")
        #expect(PostgresTSVector(["a\\b": []]).description == #"'a\\b'"#)
        for lexemes in [
            ["": []], ["a": [.init(0)]], ["a": [.init(16_384)]], ["a": [.init(1), .init(1)]], ["a\0": []],
            [String(repeating: "a", count: 2048): []], ["a": (1...257).map { .init($0) }],
        ] as [[String: [PostgresTSVector.Position]]] {
            #expect(failure { () throws(PersistenceError) in try encode(PostgresTSVector(lexemes)) }?.code == .encoding)
        }
        for malformed in [
            "", "ffffffff", "7fffffff", "0000000161", "000000016100", "0000000161000005", "00000002610000006100000000",
        ] {
            #expect(
                failure { () throws(PersistenceError) in
                    try decode(bytes(hex: malformed), .tsvector, as: PostgresTSVector.self)
                }?.code == .decoding)
        }
    }

    @Test("a tsvector that could not be sent back is not read: no position 0, none out of order, no empty lexeme")
    func impossibleTSVectors() throws {
        for malformed in [
            "0000000161000001" + "0000", "0000000161000002" + "00020001", "0000000161000002" + "00010001",
            "00000001" + "00" + "0000",
        ] {
            #expect(
                failure { () throws(PersistenceError) in
                    try decode(bytes(hex: malformed), .tsvector, as: PostgresTSVector.self)
                }?.code == .decoding)
        }
        // As many positions as the server keeps.
        let full = PostgresTSVector(["a": (1...256).map { .init($0) }])
        #expect(try roundTrip(full) == full)
    }

    @Test("keys that Swift's strings cannot tell apart are refused, and the error says so")
    func equivalentKeys() throws {
        // "é" as one character, and as "e" with an accent.
        let composed = "00000002c3a9"
        let decomposed = "0000000365cc81"
        let error = failure { () throws(PersistenceError) in
            try decode(
                bytes(hex: "00000002" + composed + "ffffffff" + decomposed + "ffffffff"), extensionType,
                as: PostgresHstore.self)
        }
        #expect(error?.summary.contains("Swift's strings") == true)
        let lexemes = "00000002" + "65cc81000000" + "c3a9000000"
        let other = failure { () throws(PersistenceError) in
            try decode(bytes(hex: lexemes), .tsvector, as: PostgresTSVector.self)
        }
        #expect(other?.summary.contains("Swift's strings") == true)
    }
}
