import BSON
import PersistenceCore
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
}
