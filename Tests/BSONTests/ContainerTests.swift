import BSON
import Foundation
import PersistenceCore
import Synchronization
import Testing

/// What hand-written conformances do with containers.
@Suite("Containers of Codable")
struct ContainerTests {
    enum Key: String, CodingKey {
        case a, b, c, d, inner, list
    }

    struct OutOfTurn: Codable, Equatable {
        var values = [1, 2, 3, 4]

        init() {}

        func encode(to encoder: any Encoder) throws {
            var outer = encoder.container(keyedBy: Key.self)
            var inner = outer.nestedContainer(keyedBy: Key.self, forKey: .inner)
            try outer.encode(values[0], forKey: .a)
            var list = outer.nestedUnkeyedContainer(forKey: .list)
            try inner.encode(values[1], forKey: .b)
            try list.encode(values[2])
            var deepest = list.nestedContainer(keyedBy: Key.self)
            var empty = list.nestedUnkeyedContainer()
            try empty.encodeNil()
            try outer.encode(values[3], forKey: .d)
            try list.encode("last")
            try deepest.encode(true, forKey: .c)
            try inner.encodeNil(forKey: .d)
        }

        init(from decoder: any Decoder) throws {
            let outer = try decoder.container(keyedBy: Key.self)
            let inner = try outer.nestedContainer(keyedBy: Key.self, forKey: .inner)
            var list = try outer.nestedUnkeyedContainer(forKey: .list)
            values = [
                try outer.decode(Int.self, forKey: .a), try inner.decode(Int.self, forKey: .b),
                try list.decode(Int.self), try outer.decode(Int.self, forKey: .d),
            ]
            let isTrue = try list.nestedContainer(keyedBy: Key.self).decode(Bool.self, forKey: .c)
            #expect(isTrue)
            var empty = try list.nestedUnkeyedContainer()
            let isNull = try empty.decodeNil()
            #expect(isNull && empty.isAtEnd && empty.count == 1)
            do {
                _ = try empty.decode(Int.self)
                Issue.record("an element was decoded that is not there")
            } catch is DecodingError {}
            let isNextNull = try list.decodeNil()
            let last = try list.decode(String.self)
            #expect(!isNextNull && last == "last" && list.isAtEnd && list.currentIndex == 4 && list.count == 4)
            #expect(try inner.decodeNil(forKey: .d) && !outer.contains(.c) && outer.allKeys == [.inner, .a, .list, .d])
            #expect(throws: DecodingError.self) { try outer.decodeNil(forKey: .c) }
        }
    }

    @Test("Containers filled out of turn stand where they were asked for")
    func outOfTurn() throws {
        let document = try BSONEncoder().encode(OutOfTurn())
        #expect(
            document == [
                "inner": ["b": 2, "d": nil], "a": 1, "list": [3, ["c": true], [nil], "last"], "d": 4,
            ])
        try document.validate()
        #expect(try BSONDecoder().decode(OutOfTurn.self, from: document) == OutOfTurn())
        let nested = try BSONEncoder().encode(["x": [OutOfTurn(), OutOfTurn()]])
        #expect(try BSONDecoder().decode([String: [OutOfTurn]].self, from: nested)["x"]?.count == 2)
    }

    class Base: Codable {
        var a = 1
    }

    final class Derived: Base {
        var b = "two"

        override init() { super.init() }

        required init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            b = try container.decode(String.self, forKey: .b)
            try super.init(from: container.superDecoder())
        }

        override func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            try super.encode(to: container.superEncoder())
            try container.encode(b, forKey: .b)
        }
    }

    @Test("Classes keep what their superclasses encode")
    func superclasses() throws {
        let value = Derived()
        value.a = 5
        let document = try BSONEncoder().encode(value)
        #expect(document == ["super": ["a": 5], "b": "two"])
        let read = try BSONDecoder().decode(Derived.self, from: document)
        #expect(read.a == 5 && read.b == "two")
    }

    struct Closure: Encodable {
        let body: (any Encoder) throws -> Void
        func encode(to encoder: any Encoder) throws { try body(encoder) }
    }

    @Test("What cannot be a document is an error")
    func misuse() {
        let wrong: [Closure] = [
            Closure { encoder in
                _ = encoder.container(keyedBy: Key.self)
                _ = encoder.unkeyedContainer()
            },
            Closure { encoder in
                var single = encoder.singleValueContainer()
                try single.encode(1)
                try single.encode(2)
            },
            Closure { encoder in
                var outer = encoder.container(keyedBy: Key.self)
                try outer.encode(
                    Closure { [outer] encoder in
                        var copy = outer
                        try copy.encode(1, forKey: .a)
                    }, forKey: .b)
            },
            Closure { encoder in
                var outer = encoder.container(keyedBy: Key.self)
                _ = encoder.container(keyedBy: Key.self)
                try outer.encode(1, forKey: .a)
                var single = encoder.singleValueContainer()
                try single.encode(2)
            },
        ]
        for value in wrong {
            #expect(throws: PersistenceError.self) { try BSONEncoder().encode(value) }
            #expect(throws: PersistenceError.self) { try BSONEncoder().encode(["in": value]) }
        }
    }

    @Test("A field whose encoding failed is left out when the type goes on without it")
    func caught() throws {
        let value = Closure { encoder in
            var container = encoder.container(keyedBy: Key.self)
            try container.encode("before", forKey: .a)
            try? container.encode(
                Closure { encoder in
                    var inner = encoder.container(keyedBy: Key.self)
                    try inner.encode("lost", forKey: .a)
                    throw CancellationError()
                }, forKey: .b)
            try container.encode("after", forKey: .c)
        }
        #expect(try BSONEncoder().encode(value) == ["a": "before", "c": "after"])
        #expect(try BSONEncoder().encode(Closure { _ in }) == [:])
        #expect(try BSONEncoder().encode(["a": Closure { _ in }]) == ["a": [:]])
    }

    struct Unit: Codable, Equatable {
        static let infoKey = CodingUserInfoKey(rawValue: "unit")
        var name: String

        init(name: String) { self.name = name }

        init(from decoder: any Decoder) throws {
            name = Self.infoKey.flatMap { decoder.userInfo[$0] as? String } ?? "none"
        }
    }

    @Test("A type finds the user's information in its coder")
    func userInfo() throws {
        let key = try #require(Unit.infoKey)
        let options = BSONCodingOptions(userInfo: [key: "kg"])
        #expect(
            try BSONDecoder(options: options).decode([String: Unit].self, from: ["u": [:]]) == ["u": Unit(name: "kg")])
    }

    @Test("A decoder that outlives its call still reads")
    func escaping() throws {
        struct Keeper: Decodable {
            let decoder: any Decoder
            init(from decoder: any Decoder) throws { self.decoder = decoder }
        }
        let keeper = try BSONDecoder().decode([String: Keeper].self, from: ["k": ["a": 1]])["k"]
        let container = try #require(try keeper?.decoder.container(keyedBy: Key.self))
        #expect(try container.decode(Int.self, forKey: .a) == 1)
        #expect(container.codingPath.map(\.stringValue) == ["k"])
    }

    @Test("Decoders of an array's elements that outlive their call still read, each its own element")
    func escapingElements() throws {
        struct Keeper: Decodable {
            let decoder: any Decoder
            let isKept: Bool
            init(from decoder: any Decoder) throws {
                isKept = try decoder.container(keyedBy: Key.self).decode(Bool.self, forKey: .b)
                self.decoder = decoder
            }
        }
        struct Holder: Decodable {
            let container: KeyedDecodingContainer<Key>
            init(from decoder: any Decoder) throws { container = try decoder.container(keyedBy: Key.self) }
        }
        let array: BSONValue = .array(BSONArray((0..<5).map { ["a": BSONValue($0), "b": .bool($0 > 1)] }))
        let keepers = try BSONDecoder().decode([String: [Keeper]].self, from: ["k": array])["k"] ?? []
        let read = try keepers.map { try $0.decoder.container(keyedBy: Key.self).decode(Int.self, forKey: .a) }
        #expect(read == [0, 1, 2, 3, 4])
        #expect(keepers.map { $0.decoder.codingPath.map(\.stringValue) } == (0..<5).map { ["k", "\($0)"] })
        #expect(keepers.map(\.isKept) == [false, false, true, true, true])
        let holders = try BSONDecoder().decode([String: [Holder]].self, from: ["k": array])["k"] ?? []
        #expect(try holders.map { try $0.container.decode(Int.self, forKey: .a) } == [0, 1, 2, 3, 4])
    }

    @Test("An element that cannot be decoded is named by its index, and those before it are let go of")
    func failingElement() {
        struct Line: Decodable { var sku: Token }
        final class Token: Decodable, Sendable {
            static let count = Mutex(0)
            init(from decoder: any Decoder) throws {
                Self.count.withLock { $0 += 1 }
                _ = try decoder.singleValueContainer().decode(String.self)
            }
            deinit { Self.count.withLock { $0 -= 1 } }
        }
        let lines: BSONValue = [["sku": "a"], ["sku": "b"], ["sku": 3]]
        let error = #expect(throws: PersistenceError.self) {
            try BSONDecoder().decode([String: [Line]].self, from: ["lines": lines])
        }
        #expect(error?.column == "lines.2.sku")
        #expect(Token.count.withLock { $0 } == 0)
        let mixed = #expect(throws: PersistenceError.self) {
            try BSONDecoder().decode([String: [String]].self, from: ["tags": ["a", 1]])
        }
        #expect(mixed?.column == "tags.1")
        let ids = #expect(throws: PersistenceError.self) {
            try BSONDecoder().decode([String: [ObjectID]].self, from: ["ids": [.objectID(ObjectID()), 1]])
        }
        #expect(ids?.column == "ids.1")
    }

    @Test("Arrays of every kind of element, and in each other")
    func arrays() throws {
        struct Point: Codable, Equatable { var x: Int32 }
        struct Arrays: Codable, Equatable {
            var none: [Point] = []
            var points = [Point(x: 1), Point(x: -1)]
            var gaps: [Point?] = [nil, Point(x: 2)]
            var rows: [[Point]] = [[], [Point(x: 3)], [Point(x: 4), Point(x: 5)]]
            var dates = [Date(timeIntervalSince1970: 1), Date(timeIntervalSince1970: -2.5)]
            var flags = [true, false]
            var small: [UInt8] = [0, 255]
            var texts = ["", "a", "more than fifteen bytes of text", "é🙂"]
            var numbers = Array(-3..<12)
            var doubles = [0.5, -.infinity]
            var values: [BSONValue] = [1, "x", nil]
            var byKey = ["k": [Point(x: 6)]]
        }
        let document = try BSONEncoder().encode(Arrays())
        try document.validate()
        #expect(try BSONDecoder().decode(Arrays.self, from: document) == Arrays())
        #expect(document["numbers"] == .array(BSONArray((-3..<12).map { .int64($0) })))
        #expect(document["texts"]?[3] == "é🙂")
        // An array whose elements have an array's own options.
        let deferred = BSONCodingOptions(dates: .deferred, dataValues: .deferred)
        let other = try BSONEncoder(options: deferred).encode(Arrays())
        #expect(try BSONDecoder(options: deferred).decode(Arrays.self, from: other) == Arrays())
    }

    @Test("Encoders of an array's elements that outlive their call write nothing into the others")
    func escapingEncoders() throws {
        final class Kept {
            var encoders: [any Encoder] = []
        }
        let kept = Kept()
        let elements = (0..<4).map { number in
            Closure { encoder in
                if number % 2 == 0 { kept.encoders.append(encoder) }
                var container = encoder.container(keyedBy: Key.self)
                try container.encode(number, forKey: .a)
                for earlier in kept.encoders.dropLast() {
                    var stale = earlier.container(keyedBy: Key.self)
                    #expect(throws: (any Error).self) { try stale.encode("late", forKey: .b) }
                }
            }
        }
        #expect(try BSONEncoder().encode(["k": elements])["k"] == [["a": 0], ["a": 1], ["a": 2], ["a": 3]])
    }

    @Test("Keys of every length are found, and told from keys that differ in one byte")
    func keys() throws {
        struct Name: CodingKey {
            var stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }
        struct Fields: Codable {
            var names: [String]
            init(_ names: [String]) { self.names = names }
            init(from decoder: any Decoder) throws {
                let container = try decoder.container(keyedBy: Name.self)
                names = container.allKeys.map(\.stringValue)
                for (index, name) in names.enumerated() {
                    #expect(try container.decode(Int.self, forKey: Name(stringValue: name)) == index)
                    for position in name.utf8.indices {
                        var other = Array(name.utf8)
                        other[name.utf8.distance(from: name.startIndex, to: position)] = UInt8(ascii: "_")
                        #expect(!container.contains(Name(stringValue: String(decoding: other, as: UTF8.self))))
                        other[name.utf8.distance(from: name.startIndex, to: position)] = 0
                        #expect(!container.contains(Name(stringValue: String(decoding: other, as: UTF8.self))))
                    }
                }
            }
            func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: Name.self)
                for (index, name) in names.enumerated() { try container.encode(index, forKey: Name(stringValue: name)) }
            }
        }
        let names = (0...33).map { String("abcdefghijklmnopqrstuvwxyzABCDEFGH".prefix($0)) }
        for names in [names, names.reversed()] {
            let document = try BSONEncoder().encode(Fields(names))
            #expect(document.keys == names)
            #expect(try BSONDecoder().decode(Fields.self, from: document).names == names)
        }
        for name in names where !name.isEmpty {
            for position in 0..<name.utf8.count {
                var other = Array(name.utf8)
                other[position] = 0
                let error = #expect(throws: PersistenceError.self) {
                    try BSONEncoder().encode(Fields([String(decoding: other, as: UTF8.self)]))
                }
                #expect(error?.code == .encoding)
            }
        }
    }

    @Test("Text is checked for UTF-8 at every length and place")
    func text() throws {
        for length in 0...20 {
            let text = String(repeating: "x", count: length)
            let document: Document = ["a": .string(text)]
            #expect(try BSONDecoder().decode([String: String].self, from: document) == ["a": text])
            #expect(try BSONDecoder().decode([String: [String]].self, from: ["a": [.string(text)]]) == ["a": [text]])
            for place in 0..<length {
                var bytes = document.byteArray
                bytes[11 + place] = 0xE9
                let broken = Document(unchecked: bytes)
                #expect(throws: PersistenceError.self) { try BSONDecoder().decode([String: String].self, from: broken) }
                guard place + 1 < length else { continue }
                (bytes[11 + place], bytes[12 + place]) = (0xC3, 0xA9)
                let read = try BSONDecoder().decode([String: String].self, from: Document(unchecked: bytes))
                #expect(read["a"]?.contains("é") == true)
                #expect(read["a"]?.utf8.count == length)
            }
        }
    }
}
