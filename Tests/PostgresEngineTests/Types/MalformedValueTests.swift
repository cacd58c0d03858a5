import Foundation
import PersistenceCore
import Testing

@testable import PostgresEngine

/// One Swift type with a valid value, to be damaged.
struct DamageCase: Sendable, CustomTestStringConvertible {
    let name: String
    let type: PostgresType
    let valid: [UInt8]
    /// Whether some true prefix of the value is a value, as with text.
    let prefixesAreValues: Bool
    /// Decodes and returns the error.
    let attempt: @Sendable ([UInt8], PostgresType) -> PersistenceError?

    var testDescription: String { name }

    init<T: PostgresEncodable & PostgresDecodable & SendableMetatype>(
        _ value: T, type: PostgresType = T.postgresBinaryType, prefixesAreValues: Bool = false
    ) {
        self.name = "\(T.self)"
        self.type = type
        self.valid = (try? encodeBinary(value)) ?? []
        self.prefixesAreValues = prefixesAreValues
        self.attempt = { bytes, type in
            failure { () throws(PersistenceError) in try decode(bytes, type, as: T.self) }
        }
    }

    static var all: [DamageCase] {
        let userDefined = PostgresType(oid: 20_000)
        return [
            DamageCase(true), DamageCase(Int16(7)), DamageCase(Int32(7)), DamageCase(7), DamageCase(UInt64(7)),
            DamageCase(Float(1)), DamageCase(1.0), DamageCase("häß", prefixesAreValues: true),
            DamageCase([1, 2, 3] as [UInt8], prefixesAreValues: true),
            DamageCase(Data([1, 2]), prefixesAreValues: true),
            DamageCase(UUID()), DamageCase(PostgresOID(rawValue: 1)), DamageCase(PostgresLSN(rawValue: 1)),
            DamageCase(PostgresPoint(x: 1, y: 2)), DamageCase(PostgresBits([true, false, true])),
            DamageCase(PostgresNumeric("12345.6789") ?? 0), DamageCase(Decimal(12.5)),
            DamageCase(PostgresDate(daysSince2000: 9) ?? .infinity), DamageCase(PostgresTime(microseconds: 9)),
            DamageCase(PostgresTime(microseconds: 9).flatMap { PostgresTimeTZ($0, offset: 3600) }),
            DamageCase(PostgresTimestamp(microsecondsSince2000: 9) ?? .infinity),
            DamageCase(PostgresTimestampTZ(microsecondsSince2000: 9) ?? .infinity),
            DamageCase(Date(timeIntervalSince1970: 0)),
            DamageCase(PostgresInterval(months: 1, days: 2, microseconds: 3)),
            DamageCase(PostgresJSON(["a": [1, 2]])),
            DamageCase(PostgresJSONText(rawValue: "{}"), prefixesAreValues: true),
            DamageCase(PostgresInet("10.0.0.1/8")), DamageCase(PostgresCIDR("2001:db8::/32")),
            DamageCase(PostgresMACAddress(rawValue: 1)),
            DamageCase([1, nil, 3] as [Int?]), DamageCase(["a", nil, "c"]),
            DamageCase(PostgresArray<Int32>([1, nil])), DamageCase([[1, 2], [3]] as [[UInt8]]),
            DamageCase(PostgresRange(1..<5)), DamageCase(PostgresRange("a"..<"b"), type: userDefined),
            DamageCase(PostgresMultirange([PostgresRange(1..<3), PostgresRange(7...)])),
            DamageCase([PostgresRange(1..<5), .empty]),
            DamageCase(PostgresHstore(["a": "1", "b": nil]), type: userDefined),
            DamageCase(PostgresTSVector(["a": [.init(1)], "b": []])),
            DamageCase(ContainerTests.Item(id: 1, name: "a", total: 2), type: userDefined),
            DamageCase([ContainerTests.Item(id: 1, name: "a", total: nil)], type: userDefined),
        ]
    }

    private init<T: PostgresElement & SendableMetatype>(_ value: T?) {
        // A test below requires that the value is there.
        if let value { self.init(value) } else { self.init([] as [T], type: .unspecified) }
    }
}

@Suite("Malformed values")
struct MalformedValueTests {
    @Test("the undamaged value is read", arguments: DamageCase.all)
    func valid(item: DamageCase) {
        #expect(item.attempt(item.valid, item.type) == nil)
    }

    @Test("a truncated or lengthened value is an error", arguments: DamageCase.all)
    func truncated(item: DamageCase) {
        for length in 0..<item.valid.count {
            let error = item.attempt(Array(item.valid.prefix(length)), item.type)
            if !item.prefixesAreValues { #expect(error?.code == .decoding, "a prefix of \(length) bytes was accepted") }
        }
        let lengthened = item.attempt(item.valid + [0], item.type)
        if !item.prefixesAreValues, item.name != "PostgresJSON<Dictionary<String, Array<Int>>>" {
            #expect(lengthened?.code == .decoding)
        }
    }

    @Test("damaged bytes give an error or a value, never a crash", arguments: DamageCase.all)
    func damaged(item: DamageCase) {
        var generator = SeededGenerator(seed: UInt64(item.valid.count) &+ UInt64(item.type.oid))
        var errors = 0
        for _ in 0..<2000 {
            var bytes = item.valid
            for _ in 0..<Int.random(in: 1...3, using: &generator) where !bytes.isEmpty {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[index] =
                    [0, 1, 0x7f, 0x80, 0xff, UInt8(truncatingIfNeeded: generator.next())]
                    .randomElement(using: &generator) ?? 0
            }
            if let error = item.attempt(bytes, item.type) {
                errors += 1
                #expect(error.code == .decoding)
            }
            if let error = item.attempt(generator.bytes(Int.random(in: 0...80, using: &generator)), item.type) {
                errors += 1
                #expect(error.code == .decoding)
            }
        }
        if !["Array<UInt8>", "Data"].contains(item.name) { #expect(errors > 0) }
    }

    @Test("a value of any other built-in type is an error", arguments: DamageCase.all)
    func otherTypes(item: DamageCase) {
        var accepted: [String] = []
        for oid in 1..<PostgresType.firstUserDefined {
            let type = PostgresType(oid: oid)
            if item.attempt(item.valid, type) == nil { accepted.append(type.name) }
        }
        // The most are the arrays of integers, whose elements say their own type.
        #expect(accepted.count <= 21, "accepted from \(accepted)")
    }
}
