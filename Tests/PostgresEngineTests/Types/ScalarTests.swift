import PersistenceCore
import Testing

@testable import PostgresEngine

@Suite("Integers, booleans and floating point")
struct ScalarTests {
    @Test("integers come back from every type that holds them")
    func roundTrips() throws {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<500 {
            let (small, medium, large) = (
                generator.integer(Int16.self), generator.integer(Int32.self), generator.integer(Int64.self)
            )
            #expect(try roundTrip(small) == small)
            #expect(try roundTrip(medium) == medium)
            #expect(try roundTrip(large) == large)
            #expect(try roundTrip(Int(large)) == Int(large))
            let unsigned = generator.integer(UInt32.self)
            #expect(try roundTrip(unsigned) == unsigned)
            #expect(try roundTrip(UInt16(truncatingIfNeeded: unsigned)) == UInt16(truncatingIfNeeded: unsigned))
            #expect(try roundTrip(UInt8(truncatingIfNeeded: unsigned)) == UInt8(truncatingIfNeeded: unsigned))
            #expect(try decode(encode(small), .int2, as: Int.self) == Int(small))
            #expect(try decode(encode(medium), .int4, as: Int64.self) == Int64(medium))
            #expect(try decode(encode(PostgresNumeric(large)), .numeric, as: Int64.self) == large)
        }
    }

    @Test("a value outside of the Swift type is an error, not a wrapped number")
    func ranges() throws {
        for (value, fits) in [(Int64(Int16.max), true), (Int64(Int16.max) + 1, false), (Int64(Int16.min) - 1, false)] {
            #expect(
                (failure { () throws(PersistenceError) in try decode(encode(value), .int8, as: Int16.self) } == nil)
                    == fits)
        }
        let cases: [PersistenceError?] = [
            failure { () throws(PersistenceError) in try decode(encode(Int64(-1)), .int8, as: UInt64.self) },
            failure { () throws(PersistenceError) in try decode(encode(Int32(-1)), .int4, as: UInt32.self) },
            failure { () throws(PersistenceError) in try decode(encode(Int16(256)), .int2, as: UInt8.self) },
            failure { () throws(PersistenceError) in try decode(encode(Int64.max), .int8, as: Int32.self) },
            failure { () throws(PersistenceError) in try decode(bytes(hex: "ffffffff"), .oid, as: Int32.self) },
            failure { () throws(PersistenceError) in
                try decode(encode(PostgresNumeric(parsing: "1.5")), .numeric, as: Int.self)
            },
            failure { () throws(PersistenceError) in
                try decode(encode(PostgresNumeric(UInt64.max)), .numeric, as: Int.self)
            },
            failure { () throws(PersistenceError) in try decode(encode(PostgresNumeric.nan), .numeric, as: Int.self) },
        ]
        for error in cases {
            let error = try #require(error)
            #expect(error.code == .decoding)
            #expect(error.summary.contains("cannot be represented as"))
        }
    }

    @Test("unsigned integers beyond int8 are refused when they are sent")
    func unsigned() throws {
        #expect(try encode(UInt64(Int64.max)) == encode(Int64.max))
        #expect(failure { () throws(PersistenceError) in try encode(UInt64(Int64.max) + 1) }?.code == .encoding)
        #expect(failure { () throws(PersistenceError) in try encode(UInt.max) }?.code == .encoding)
        #expect(try decode(bytes(hex: "ffffffffffffffff"), .xid8, as: UInt64.self) == .max)
        #expect(try decode(bytes(hex: "ffffffff"), .regClass, as: UInt32.self) == .max)
    }

    @Test("another type is named together with the expected one")
    func mismatch() {
        let error = failure { () throws(PersistenceError) in try decode(encode(Int64(1)), .int8, as: String.self) }
        #expect(error?.code == .decoding)
        #expect(error?.summary == "expected String, found int8")
        let text = failure { () throws(PersistenceError) in try decode([0x31], .int4, as: Int32.self, format: .text) }
        #expect(text?.summary == "expected Int32 in binary, found int4 as text; read it as String")
        let domain = failure { () throws(PersistenceError) in
            try decode([0, 0, 0, 1], PostgresType(oid: 20_000), as: Int.self)
        }
        #expect(domain?.summary.hasPrefix("expected Int, found user-defined type 20000") == true)
        #expect(failure { () throws(PersistenceError) in try Int.decodeNull() }?.summary == "expected Int, found NULL")
        #expect(
            failure { () throws(PersistenceError) in try decode([0, 0, 1], .int4, as: Int.self) }?.code == .decoding)
    }

    @Test("booleans are one byte, 0 or 1")
    func booleans() throws {
        #expect(try encode(true) == [1])
        #expect(try encode(false) == [0])
        #expect(try roundTrip(true))
        #expect(try !roundTrip(false))
        #expect(failure { () throws(PersistenceError) in try decode([2], .bool, as: Bool.self) }?.code == .decoding)
    }

    @Test("floating point keeps every bit, and never narrows")
    func floatingPoint() throws {
        var generator = SeededGenerator(seed: 2)
        for _ in 0..<500 {
            let double = Double(bitPattern: generator.next())
            #expect(try roundTrip(double).bitPattern == double.bitPattern)
            let float = Float(bitPattern: UInt32(truncatingIfNeeded: generator.next()))
            #expect(try roundTrip(float).bitPattern == float.bitPattern)
        }
        #expect(try decode(encode(Float(1.5)), .float4, as: Double.self) == 1.5)
        #expect(try decode(encode(-Float.infinity), .float4, as: Double.self) == -.infinity)
        let narrowed = failure { () throws(PersistenceError) in try decode(encode(1.5), .float8, as: Float.self) }
        #expect(narrowed?.summary == "expected Float, found float8")
        #expect(hex(try encode(-0.1)) == "bfb999999999999a")
    }

    @Test("identifiers, positions, points and bits match the server's bytes")
    func others() throws {
        #expect(try encode(PostgresOID(rawValue: .max)) == bytes(hex: "ffffffff"))
        #expect(try roundTrip(PostgresOID(rawValue: 7)).rawValue == 7)
        let position = try #require(PostgresLSN("16/B374D848"))
        #expect(try encode(position) == bytes(hex: "00000016b374d848"))
        #expect(try roundTrip(position).description == "16/B374D848")
        for text in ["", "1", "/", "1/", "1/2/3", "+1/2", "1/100000000", "g/1"] { #expect(PostgresLSN(text) == nil) }
        let point = PostgresPoint(x: 1.5, y: -2)
        #expect(try encode(point) == bytes(hex: "3ff8000000000000c000000000000000"))
        #expect(try roundTrip(point) == point)
        let bits = try #require(PostgresBits("1011001110"))
        #expect(try encode(bits) == bytes(hex: "0000000ab380"))
        #expect(try roundTrip(bits) == bits)
        #expect(bits.description == "1011001110")
        #expect(bits[0] && !bits[1] && bits[8] && !bits[9])
        #expect(PostgresBits("10x") == nil)
        #expect(try decode(bytes(hex: "00000003a0"), .bit, as: PostgresBits.self).description == "101")
        #expect(try roundTrip(PostgresBits([])).count == 0)
        for malformed in ["00000003a1", "00000003", "00000009a0", "fffffffba0", "7fffffffa0"] {
            #expect(
                failure { () throws(PersistenceError) in
                    try decode(bytes(hex: malformed), .varbit, as: PostgresBits.self)
                }?.code == .decoding)
        }
        #expect(try decode([], .void, as: PostgresVoid.self) == PostgresVoid())
        #expect(try decode([], .void, as: PostgresVoid.self, format: .text) == PostgresVoid())
        #expect(
            failure { () throws(PersistenceError) in try decode([1], .int4, as: PostgresVoid.self) }?.code == .decoding)
    }
}
