import PersistenceCore
import Testing

@testable import PostgresEngine

@Suite("Arrays, ranges and records")
struct ContainerTests {
    @Test("arrays match the server's bytes")
    func arrays() throws {
        let wire = "00000001000000010000001700000003000000010000000400000001ffffffff0000000400000003"
        #expect(try decode(bytes(hex: wire), .int4Array, as: [Int32?].self) == [1, nil, 3])
        #expect(hex(try encode([1, nil, 3] as [Int32?])) == wire)
        #expect(try decode(bytes(hex: wire), .int4Array, as: [Int?].self) == [1, nil, 3])
        #expect(
            failure { () throws(PersistenceError) in try decode(bytes(hex: wire), .int4Array, as: [Int32].self) }?
                .summary
                == "expected Int32, found NULL")
        let empty = "000000000000000000000017"
        #expect(try decode(bytes(hex: empty), .int4Array, as: [Int32].self).isEmpty)
        #expect(hex(try encode([] as [Int32])) == empty)
        let bounded = "0000000100000000000000150000000200000002000000020007000000020008"
        #expect(try decode(bytes(hex: bounded), .int2Array, as: [Int16].self) == [7, 8])
        #expect(
            try decode(bytes(hex: bounded), .int2Array, as: PostgresArray<Int16>.self)
                == PostgresArray(elements: [7, 8], dimensions: [.init(count: 2, lowerBound: 2)]))
        let vector = "0000000100000000000000150000000200000000000000020001000000020002"
        #expect(try decode(bytes(hex: vector), .int2Vector, as: [Int].self) == [1, 2])
    }

    @Test("arrays of several dimensions")
    func dimensions() throws {
        let wire =
            "0000000200000001000000190000000200000001000000020000000100000001610000000162ffffffff00000000"
        let array: PostgresArray<String> = try decode(bytes(hex: wire), .textArray)
        #expect(array == (try PostgresArray(rows: [["a", "b"], [nil, ""]])))
        #expect(hex(try encodeBinary(array)) == wire)
        #expect(try encode(array) == Array(#"{{"a","b"},{NULL,""}}"#.utf8))
        #expect(array[1, 2] == "b")
        #expect(array[2, 2]?.isEmpty == true)
        #expect(array[2, 1] == nil)
        #expect(array[0, 1] == nil && array[3, 1] == nil && array[1] == nil && array[1, .min] == nil)
        let error = failure { () throws(PersistenceError) in
            try decode(bytes(hex: wire), .textArray, as: [String?].self)
        }
        #expect(error?.summary.contains("2 dimensions") == true)
        let bounded = try PostgresArray(elements: ["a"], dimensions: [.init(count: 1, lowerBound: -2)])
        #expect(try encode(bounded) == Array(#"[-2:-2]={"a"}"#.utf8))
        #expect(try encode(PostgresArray<String>([])) == Array("{}".utf8))
        #expect(try roundTrip(PostgresArray<Int>([])) == PostgresArray([]))
        let cube = try PostgresArray(
            elements: Array(0..<24), dimensions: [.init(count: 2), .init(count: 3, lowerBound: 0), .init(count: 4)])
        #expect(try roundTrip(cube) == cube)
        #expect(cube[2, 2, 4] == 23)
    }

    @Test("dimensions that make no array are refused")
    func impossibleDimensions() {
        let attempts: [(elements: Int, dimensions: [PostgresArrayDimension])] = [
            (1, []), (0, [.init(count: 0)]), (2, [.init(count: 1)]), (1, [.init(count: -1), .init(count: -1)]),
            (1, Array(repeating: .init(count: 1), count: 7)), (2, [.init(count: 2, lowerBound: .max)]),
            (0, Array(repeating: .init(count: .max), count: 3)),
        ]
        for (count, dimensions) in attempts {
            let error = failure { () throws(PersistenceError) in
                try PostgresArray(elements: Array(repeating: 1, count: count), dimensions: dimensions)
            }
            #expect(error?.code == .invalidArgument)
        }
        #expect(
            failure { () throws(PersistenceError) in try PostgresArray(rows: [[1], [1, 2]]) }?.code == .invalidArgument)
    }

    @Test("the literal of an array of text is what the server parses")
    func literals() throws {
        #expect(try encode(["a", "b c", "NULL", "\"\\", "{,}"]) == Array(#"{"a","b c","NULL","\"\\","{,}"}"#.utf8))
        #expect(try encode(["a", nil] as [String?]) == Array(#"{"a",NULL}"#.utf8))
        #expect(try encode([] as [String]) == Array("{}".utf8))
        #expect(try encode([""]) == Array(#"{""}"#.utf8))
        var generator = SeededGenerator(seed: 9)
        for _ in 0..<200 {
            let array = (0..<Int.random(in: 0...5, using: &generator)).map { _ in
                Bool.random(using: &generator) ? generator.text() : nil
            }
            #expect(try roundTrip(array) == array)
        }
    }

    @Test("an array of another type is refused even when it is empty")
    func emptyMismatch() {
        let wire = bytes(hex: "000000000000000000000019")
        #expect(
            failure { () throws(PersistenceError) in try decode(wire, .textArray, as: [Int].self) }?.summary
                == "expected Array<Int>, found text[]")
        // An unknown array's elements are known from its header only.
        #expect(
            failure { () throws(PersistenceError) in try decode(wire, PostgresType(oid: 20_000), as: [Int].self) }?.code
                == .decoding)
        #expect(
            failure { () throws(PersistenceError) in try decode(wire, .text, as: [String].self) }?.code == .decoding)
    }

    @Test(
        "headers that lie are errors",
        arguments: [
            "", "00000001", "000000000000000200000017", "ffffffff0000000000000017", "000000070000000000000017",
            "0000000100000000000000177fffffff00000001", "000000010000000000000017ffffffff00000001",
            "0000000100000000000000170000000200000001" + "0000000400000001",
            "00000001000000000000001700000001" + "7fffffff" + "0000000400000001",
            "0000000100000000000000170000000100000001" + "fffffffe",
            "0000000100000000000000170000000100000001" + "00000004000000",
            "000000000000000000000017" + "00",
            "000000060000000000000017" + String(repeating: "7fffffff00000000", count: 6),
        ])
    func malformedArrays(wire: String) {
        for error in [
            failure { () throws(PersistenceError) in try decode(bytes(hex: wire), .int4Array, as: [Int32?].self) },
            failure { () throws(PersistenceError) in
                try decode(bytes(hex: wire), .int4Array, as: PostgresArray<Int32>.self)
            },
        ] {
            #expect(error?.code == .decoding)
        }
    }

    @Test("ranges match the server's bytes")
    func ranges() throws {
        let wire = "0200000004000000010000000400000005"
        let range = PostgresRange(1..<5 as Range<Int32>)
        #expect(hex(try encode(range)) == wire)
        #expect(try decode(bytes(hex: wire), .int4Range, as: PostgresRange<Int32>.self) == range)
        #expect(try decode(bytes(hex: wire), .int4Range, as: PostgresRange<Int>.self) == PostgresRange(1..<5))
        #expect(try decode([1], .int4Range, as: PostgresRange<Int32>.self) == .empty)
        #expect(try decode([0x18], .int4Range, as: PostgresRange<Int32>.self) == .unbounded)
        let numbers: PostgresRange<PostgresNumeric> = try decode(
            bytes(hex: "040000000c0002000000000001000113880000000a00010000000000000002"), .numRange)
        #expect(
            numbers == (try PostgresRange(lower: .exclusive(PostgresNumeric(parsing: "1.5")), upper: .inclusive(2))))
        let dates: PostgresRange<PostgresDate> = try decode(bytes(hex: "12000000040000223e"), .dateRange)
        let first = try #require(PostgresDate(year: 2024, month: 1, day: 1))
        #expect(dates == PostgresRange(first...))
        #expect(hex(try encode(dates)) == "12000000040000223e")
        #expect(PostgresRange<Int>.postgresType == .int8Range)
        #expect(
            failure { () throws(PersistenceError) in
                try decode(bytes(hex: wire), .int4Range, as: PostgresRange<PostgresDate>.self)
            }?.summary == "expected PostgresRange<PostgresDate>, found int4range")
        let array = [range, .empty, .unbounded]
        #expect(try roundTrip(array) == array)
    }

    @Test("a range knows its values")
    func contains() throws {
        #expect(PostgresRange(1..<5).contains(1) && !PostgresRange(1..<5).contains(5))
        #expect(PostgresRange(1...5).contains(5) && !PostgresRange(1...5).contains(6))
        #expect(
            PostgresRange(1...).contains(.max) && PostgresRange(...5).contains(5) && !PostgresRange(..<5).contains(5))
        #expect(!PostgresRange<Int>.empty.contains(0) && PostgresRange<Int>.unbounded.contains(0))
        #expect(PostgresRange(3..<3).isEmpty)
        #expect(try PostgresRange(lower: .exclusive(3), upper: .inclusive(3)).isEmpty)
        #expect(try !PostgresRange(lower: .exclusive(3), upper: .inclusive(4)).contains(3))
        #expect(PostgresRange(3...4).lowerBound == 3 && PostgresRange(3...4).upperBound == 4)
        #expect(PostgresRange(3...4).hashValue == PostgresRange(3...4).hashValue)
        let reversed = failure { () throws(PersistenceError) in
            try PostgresRange(lower: .inclusive(2), upper: .inclusive(1))
        }
        #expect(reversed?.code == .invalidArgument)
    }

    @Test("multiranges match the server's bytes")
    func multiranges() throws {
        let wire =
            "00000002000000110200000004000000010000000400000003000000110200000004000000050000000400000008"
        let value = PostgresMultirange<Int32>([PostgresRange(1..<3), PostgresRange(5..<8)])
        #expect(hex(try encode(value)) == wire)
        #expect(try decode(bytes(hex: wire), .int4Multirange, as: PostgresMultirange<Int32>.self) == value)
        #expect(try decode(bytes(hex: "00000000"), .int8Multirange, as: PostgresMultirange<Int>.self).ranges.isEmpty)
        for malformed in ["", "ffffffff", "7fffffff", "0000000100000000", "00000001ffffffff00", "0000000100000001e0"] {
            #expect(
                failure { () throws(PersistenceError) in
                    try decode(bytes(hex: malformed), .int4Multirange, as: PostgresMultirange<Int32>.self)
                }?.code == .decoding)
        }
        // A multirange is no range, nor the other way round.
        #expect(!PostgresRange<Int32>.canDecode(.int4Multirange))
        #expect(!PostgresMultirange<Int32>.canDecode(.int4Range))
        for malformed in ["", "20", "00", "0200000004", "02ffffffff0000000400000005", "01000000", "020000000400000001"]
        {
            #expect(
                failure { () throws(PersistenceError) in
                    try decode(bytes(hex: malformed), .int4Range, as: PostgresRange<Int32>.self)
                }?.code == .decoding)
        }
    }

    struct Item: PostgresComposite, Equatable {
        var id: Int32
        var name: String
        var total: Int64?

        init(id: Int32, name: String, total: Int64?) {
            (self.id, self.name, self.total) = (id, name, total)
        }

        init(record: inout PostgresRecordReader) throws(PersistenceError) {
            id = try record.read()
            name = try record.read()
            total = try record.read()
        }

        func encode(to record: inout PostgresRecordWriter) throws(PersistenceError) {
            try record.append(id)
            try record.append(name)
            try record.append(total)
        }
    }

    @Test("records match the server's bytes")
    func records() throws {
        let wire = "0000000300000017000000040000000100000019000000016100000014ffffffff"
        let item = Item(id: 1, name: "a", total: nil)
        #expect(hex(try encode(item)) == wire)
        #expect(try decode(bytes(hex: wire), .record, as: Item.self) == item)
        #expect(try decode(bytes(hex: wire), PostgresType(oid: 20_000), as: Item.self) == item)
        let fields = try decode(bytes(hex: wire), .record, as: PostgresRecord<Int, String, Int?>.self).fields
        #expect(fields == (1, "a", nil))
        let items = [item, Item(id: 2, name: "", total: 9)]
        var writer = PostgresWriter()
        writer.write(UInt8(9))
        try items.encode(into: &writer)
        #expect(try decode(Array(writer.bytes.dropFirst()), PostgresType(oid: 20_001), as: [Item].self) == items)
    }

    @Test("a record with other fields is an error that names the field")
    func otherFields() {
        let wire = bytes(hex: "0000000300000017000000040000000100000019000000016100000014ffffffff")
        let type = failure { () throws(PersistenceError) in
            try decode(wire, .record, as: PostgresRecord<Int, Int, Int?>.self)
        }
        #expect(type?.summary == "field 2: expected Int, found text")
        let null = failure { () throws(PersistenceError) in
            try decode(wire, .record, as: PostgresRecord<Int, String, Int>.self)
        }
        #expect(null?.summary == "field 3: expected Int, found NULL")
        let few = failure { () throws(PersistenceError) in
            try decode(wire, .record, as: PostgresRecord<Int, String>.self)
        }
        #expect(few?.summary == "the record has 3 fields, of which 2 were read")
        let many = failure { () throws(PersistenceError) in
            try decode(wire, .record, as: PostgresRecord<Int, String, Int?, Int>.self)
        }
        #expect(many?.summary == "the record has 3 fields, of which one more was asked for")
        for malformed in ["", "ffffffff", "7fffffff", "0000000100000017", "0000000100000017fffffffe", "0000000000"] {
            #expect(
                failure { () throws(PersistenceError) in
                    try decode(bytes(hex: malformed), .record, as: PostgresRecord<Int>.self)
                }?.code == .decoding)
        }
        #expect(failure { () throws(PersistenceError) in try decode(wire, .text, as: Item.self) }?.code == .decoding)
    }

    @Test("a value that fails inside a record leaves the writer usable")
    func failingField() throws {
        var writer = PostgresWriter()
        let item = Item(id: 1, name: "\0", total: nil)
        #expect(failure { () throws(PersistenceError) in try item.encode(into: &writer) }?.code == .encoding)
        writer.removeAll()
        try Item(id: 1, name: "a", total: nil).encode(into: &writer)
        #expect(writer.count == 33)
    }
}
