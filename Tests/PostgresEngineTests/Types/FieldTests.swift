import Foundation
import PersistenceCore
import Testing

@testable import PostgresEngine

@Suite("Fields of rows")
struct FieldTests {
    /// The field as a type writes it in one step, and as its length and its value.
    private func expectSame<T: PostgresEncodable>(
        _ value: T, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        var field = PostgresWriter()
        field.write(UInt8(7))
        try value.encodeField(into: &field)
        var steps = PostgresWriter()
        steps.write(UInt8(7))
        try steps.writeWithLength { writer throws(PersistenceError) in try value.encodeBinary(into: &writer) }
        #expect(field.bytes == steps.bytes, sourceLocation: sourceLocation)
    }

    @Test("a value that is written in one step is the same as its length and its bytes")
    func oneStep() throws {
        for number in [Int64.min, -1, 0, 1, Int64.max] {
            try expectSame(number)
            try expectSame(Int(number))
            try expectSame(Int32(truncatingIfNeeded: number))
            try expectSame(Int16(truncatingIfNeeded: number))
        }
        for number in [0, -0.0, 1.5, .infinity, .nan, .greatestFiniteMagnitude, .leastNonzeroMagnitude] as [Double] {
            try expectSame(number)
            try expectSame(Float(number))
        }
        try expectSame(true)
        try expectSame(false)
        try expectSame(UUID())
        try expectSame(Date(timeIntervalSince1970: 1_700_000_000.123456))
        try expectSame(Date.distantPast)
        for count in [0, 1, 15, 16, 127, 128, 70_000] { try expectSame(String(repeating: "ü", count: count)) }
        try expectSame(PostgresNumeric(12345))
        try expectSame([1, 2, 3] as [Int32])
    }

    @Test("what cannot be a field is refused")
    func refusals() {
        var writer = PostgresWriter()
        #expect(failure { () throws(PersistenceError) in try "a\0b".encodeField(into: &writer) }?.code == .encoding)
        #expect(
            failure { () throws(PersistenceError) in
                try Date(timeIntervalSinceReferenceDate: .infinity).encodeField(into: &writer)
            }?.code == .encoding)
        #expect(failure { () throws(PersistenceError) in try UInt64.max.encodeField(into: &writer) }?.code == .encoding)
    }

    @Test("the first bytes can be forgotten, and the rest stays")
    func removeFirst() {
        var writer = PostgresWriter()
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
        writer.write(bytes: bytes)
        writer.removeFirst(0)
        #expect(writer.bytes == bytes)
        writer.removeFirst(3)
        #expect(writer.bytes == Array(bytes[3...]))
        writer.write(UInt8(9))
        writer.removeFirst(996)
        #expect(writer.bytes == [bytes[999], 9])
        writer.removeFirst(2)
        #expect(writer.bytes.isEmpty)
        var empty = PostgresWriter()
        empty.removeFirst(0)
        #expect(empty.bytes.isEmpty)
    }
}
