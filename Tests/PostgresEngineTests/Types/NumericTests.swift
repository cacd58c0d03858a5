import Foundation
import PersistenceCore
import Testing

@testable import PostgresEngine

@Suite("Numbers of any precision")
struct NumericTests {
    @Test(
        "numbers match the server's bytes and text",
        arguments: [
            ("0", "0000000000000000"), ("0.00", "0000000000000002"), ("1", "00010000000000000001"),
            ("-1", "00010000400000000001"), ("10000", "00010001000000000001"),
            ("12345.6789", "0003000100000004000109291a85"), ("0.0001", "0001ffff000000040001"),
            ("0.00001", "0001fffe0000000503e8"), ("-99999999.99", "0003000140000002270f270f26ac"),
            ("100000000000000000000", "00010005000000000001"), ("1.500", "000200000000000300011388"),
            ("NaN", "00000000c0000000"),
        ])
    func vectors(text: String, wire: String) throws {
        let number = try PostgresNumeric(parsing: text)
        #expect(hex(try encode(number)) == wire)
        let decoded: PostgresNumeric = try decode(bytes(hex: wire), .numeric)
        #expect(decoded == number)
        #expect(decoded.description == text)
        #expect(decoded.scale == number.scale)
    }

    @Test("infinities are read with the scale that the server sends, and written without")
    func infinities() throws {
        #expect(try decode(bytes(hex: "00000000d0000020"), .numeric, as: PostgresNumeric.self) == .infinity)
        #expect(try decode(bytes(hex: "00000000f0000020"), .numeric, as: PostgresNumeric.self) == .negativeInfinity)
        #expect(hex(try encode(PostgresNumeric.infinity)) == "00000000d0000000")
        #expect(PostgresNumeric("-inf") == .negativeInfinity)
        #expect(PostgresNumeric("+Infinity") == .infinity)
        #expect(PostgresNumeric.infinity.description == "Infinity")
        #expect(PostgresNumeric.negativeInfinity.isInfinite && PostgresNumeric.negativeInfinity.isNegative)
    }

    @Test("random numbers survive text and bytes")
    func roundTrips() throws {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<2000 {
            let before = (0..<Int.random(in: 1...40, using: &generator)).map { _ in
                String(Int.random(in: 0...9, using: &generator))
            }
            let after = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                String(Int.random(in: 0...9, using: &generator))
            }
            var digits = before.joined()
            while digits.hasPrefix("0"), digits.count > 1 { digits.removeFirst() }
            let isZero = (digits + after.joined()).allSatisfy { $0 == "0" }
            let sign = !isZero && Bool.random(using: &generator) ? "-" : ""
            let text = sign + digits + (after.isEmpty ? "" : "." + after.joined())
            let number = try PostgresNumeric(parsing: text)
            #expect(number.description == text)
            #expect(try roundTrip(number).description == text)
        }
    }

    @Test("exponents move the point")
    func exponents() throws {
        for (text, expected) in [
            ("1e3", "1000"), ("1.5e1", "15"), ("1.25e1", "12.5"), ("1e-7", "0.0000001"), ("-12E-1", "-1.2"),
            ("+0.5e+1", "5"), (".5", "0.5"), ("5.", "5"), ("0e999999999999999999999", "0"), ("000", "0"),
            ("-0.0", "0.0"),
            ("0.00012e4", "1.2"),
        ] {
            #expect(try PostgresNumeric(parsing: text).description == expected)
        }
    }

    @Test("text that is no number is refused")
    func notANumber() {
        for text in [
            "", " ", "-", "+", ".", "e5", "1e", "1e+", "1.2.3", "1,5", "0x10", "1 ", " 1", "--1", "NaNa", "+NaN",
            "nano",
            "infinityx", "１", "1e1.5",
        ] {
            #expect(
                failure { () throws(PersistenceError) in try PostgresNumeric(parsing: text) }?.code == .invalidArgument)
            #expect(PostgresNumeric(text) == nil)
        }
    }

    @Test("more digits than PostgreSQL holds are refused, without making them")
    func overflow() throws {
        for text in ["1e131072", "1e1000000000000000000", "1e-16384", "0e-99999999999", "10e131071"] {
            #expect(failure { () throws(PersistenceError) in try PostgresNumeric(parsing: text) }?.code == .encoding)
        }
        let largest = try PostgresNumeric(parsing: "9e131071")
        #expect(largest.description.utf8.count == 131_072)
        #expect(try roundTrip(largest) == largest)
        let smallest = try PostgresNumeric(parsing: "1e-16383")
        #expect(smallest.scale == 16_383)
        #expect(try roundTrip(smallest).description == smallest.description)
    }

    @Test("numbers compare and hash by value, in PostgreSQL's order")
    func comparisons() throws {
        let ordered = try [
            "-Infinity", "-1e10", "-10000", "-1.5", "-1", "-0.5", "0", "0.00001", "0.5", "1", "1.00001", "2", "9999",
            "10000", "1e10", "Infinity", "NaN",
        ]
        .map { text throws(PersistenceError) in try PostgresNumeric(parsing: text) }
        for (left, lhs) in ordered.enumerated() {
            for (right, rhs) in ordered.enumerated() {
                #expect((lhs < rhs) == (left < right))
                #expect((lhs == rhs) == (left == right))
            }
        }
        let short = try PostgresNumeric(parsing: "1.5")
        let long = try PostgresNumeric(parsing: "1.500")
        #expect(short == long)
        #expect(Set([short, long]).count == 1)
        #expect(short.scale == 1 && long.scale == 3)
        #expect(PostgresNumeric("0.00") == PostgresNumeric("0"))
        #expect(PostgresNumeric("-0") == 0)
        #expect(PostgresNumeric.nan == .nan)
    }

    @Test("integers convert both ways, and only when they fit")
    func integers() throws {
        var generator = SeededGenerator(seed: 4)
        for _ in 0..<1000 {
            let value = generator.integer(Int64.self)
            #expect(PostgresNumeric(value).description == value.description)
            #expect(Int64(exactly: PostgresNumeric(value)) == value)
            #expect(Int16(exactly: PostgresNumeric(value)) == Int16(exactly: value))
            #expect(UInt8(exactly: PostgresNumeric(value)) == UInt8(exactly: value))
            let wide = generator.integer(Int128.self)
            #expect(Int128(exactly: PostgresNumeric(wide)) == wide)
            #expect(PostgresNumeric(wide).description == wide.description)
        }
        for extreme in [Int128.min, .max, 0, -1] { #expect(Int128(exactly: PostgresNumeric(extreme)) == extreme) }
        #expect(UInt128(exactly: PostgresNumeric(UInt128.max)) == .max)
        #expect(Int128(exactly: PostgresNumeric(UInt128.max)) == nil)
        #expect(Int(exactly: try PostgresNumeric(parsing: "1e131071")) == nil)
        #expect(Int(exactly: try PostgresNumeric(parsing: "7.000")) == 7)
        #expect(Int(exactly: try PostgresNumeric(parsing: "-0.5")) == nil)
        #expect(Int(exactly: PostgresNumeric.infinity) == nil)
        let literal: PostgresNumeric = -42
        #expect(literal.description == "-42")
    }

    @Test("Decimal and Double")
    func decimals() throws {
        for text in [
            "0", "1.5", "-12345678901234567890.123456789", "0.00000001", "99999999999999999999999999999999999999",
            "1000000",
        ] {
            let decimal = try #require(Decimal(string: text))
            #expect(PostgresNumeric(decimal).description == text)
            #expect(Decimal(exactly: try PostgresNumeric(parsing: text)) == decimal)
            #expect(try roundTrip(decimal) == decimal)
        }
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<500 {
            let decimal = Decimal(
                sign: Bool.random(using: &generator) ? .plus : .minus,
                exponent: Int.random(in: -30...30, using: &generator),
                significand: Decimal(generator.integer(UInt64.self)))
            #expect(try roundTrip(decimal) == decimal)
        }
        #expect(Decimal(exactly: .nan)?.isNaN == true)
        #expect(try roundTrip(Decimal.nan).isNaN)
        #expect(try roundTrip(Decimal.greatestFiniteMagnitude) == .greatestFiniteMagnitude)
        #expect(try roundTrip(Decimal.leastNonzeroMagnitude) == .leastNonzeroMagnitude)
        #expect(Decimal(exactly: .infinity) == nil)
        // 40 digits, and an exponent that Decimal lacks.
        for text in ["1234567890123456789012345678901234567891", "1e-200", "1e300"] {
            let number = try PostgresNumeric(parsing: text)
            #expect(Decimal(exactly: number) == nil)
            let error = failure { () throws(PersistenceError) in try decode(encode(number), .numeric, as: Decimal.self)
            }
            #expect(error?.summary == "the numeric value cannot be represented as Decimal")
        }
        #expect(Double(try PostgresNumeric(parsing: "-12.5")) == -12.5)
        #expect(Double(try PostgresNumeric(parsing: "1e1000")) == .infinity)
        #expect(Double(PostgresNumeric.nan).isNaN)
        #expect(try decode(encode(Int32(-7)), .int4, as: PostgresNumeric.self) == -7)
        #expect(try decode(encode(Int64.min), .int8, as: Decimal.self) == Decimal(Int64.min))
        #expect(
            failure { () throws(PersistenceError) in try decode(encode(1.5), .float8, as: Decimal.self) }?.code
                == .decoding)
    }

    @Test(
        "malformed numbers are errors",
        arguments: [
            "", "0000", "00010000000000000001ff", "000100000000000027 10", "00010000000000002710",
            "0001000012340000 0001",
            "00010000123400000001", "000000000000ffff", "00020000000000000001", "0001ffff000000020001",
            "0001000 0c00000000001",
            "00010000c00000000001", "ffff000000000000",
        ])
    func malformed(wire: String) {
        let error = failure { () throws(PersistenceError) in
            try decode(bytes(hex: wire.filter { $0 != " " }), .numeric, as: PostgresNumeric.self)
        }
        #expect(error?.code == .decoding)
    }

    @Test("digits with zeros at either end are brought into one form")
    func normalization() throws {
        let padded: PostgresNumeric = try decode(bytes(hex: "0004000200000000" + "0000000000010000"), .numeric)
        #expect(padded == 1)
        #expect(try decode(bytes(hex: "0001000040000000" + "0000"), .numeric, as: PostgresNumeric.self) == 0)
    }
}
