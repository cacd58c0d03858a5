import Foundation
import PersistenceCore

@testable import PostgresEngine

/// First inputs for the targets that read binary values, made by the encoders; those of the others are written by hand.
public enum FuzzSeeds {
    struct Seed {
        let target: FuzzTarget
        let name: String
        let bytes: [UInt8]
    }

    /// Writes the seeds into a folder per target.
    ///
    /// - Parameter folder: The folder of the corpora.
    /// - Throws: What writing a file throws, and ``Finding`` when a sample is of no type of its target.
    public static func write(to folder: String) throws {
        for seed in try all() {
            let target = URL(filePath: folder).appending(path: seed.target.rawValue)
            try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
            try Data(seed.bytes).write(to: target.appending(path: "seed-" + seed.name))
        }
    }

    static func all() throws -> [Seed] {
        try values() + arrays() + ranges() + records() + copies() + tokens() + documents()
    }

    private static func seed<T: PostgresEncodable & Equatable>(
        _ target: FuzzTarget, _ checks: [ValueCheck], _ value: T?, _ name: String = ""
    ) throws -> Seed {
        guard let value, let index = checks.firstIndex(where: { $0.name == "\(T.self)" }) else {
            throw Finding("\(T.self) is no type of \(target)")
        }
        var writer = PostgresWriter()
        try value.encodeBinary(into: &writer)
        let letters = "\(T.self)".map { $0.isLetter || $0.isNumber ? $0 : "-" }
        return Seed(target: target, name: String(letters) + name, bytes: [UInt8(index), 0, 0] + writer.bytes)
    }

    private static let uuid = UUID(uuid: (1, 2, 3, 4, 5, 6, 0x70, 8, 0x80, 10, 11, 12, 13, 14, 15, 16))
    private static let document = FuzzDocument(name: "a\"b", numbers: [1, 2.5], more: ["x": 1])
    private static let price = PostgresNumeric("12.50")
    private static let composite = FuzzComposite(id: 7, name: "a", price: price, tags: [1, 2])
    private static let days = PostgresRange<PostgresDate>((PostgresDate(daysSince2000: 9) ?? .infinity)...)

    private static func values() throws -> [Seed] {
        func make<T: PostgresEncodable & Equatable>(_ value: T?, _ name: String = "") throws -> Seed {
            try seed(.values, ValueCheck.values, value, name)
        }
        return [
            try make(true), try make(Int16(7)), try make(Int32(7)), try make(Int64(-7)), try make(7),
            try make(UInt64(7)), try make(Float(1.5)), try make(-1.5), try make(Double.nan, "-nan"), try make("häß😀"),
            try make([1, 0, 255] as [UInt8]), try make(Data([1, 2])), try make(uuid),
            try make(PostgresOID(rawValue: 9)), try make(PostgresLSN(rawValue: 1 << 40)),
            try make(PostgresPoint(x: 1, y: -2)), try make(PostgresBits([true, false, true])),
            try make(PostgresNumeric("-12345.678900")), try make(PostgresNumeric("NaN"), "-nan"),
            try make(Decimal(string: "12.5")), try make(PostgresDate(daysSince2000: 9)),
            try make(PostgresTime(microseconds: 9)),
            try make(PostgresTime(microseconds: 9).flatMap { PostgresTimeTZ($0, offset: 3600) }),
            try make(PostgresTimestamp(microsecondsSince2000: 9)),
            try make(PostgresTimestamp.infinity, "-infinity"),
            try make(PostgresTimestampTZ(microsecondsSince2000: -9)), try make(Date(timeIntervalSince1970: 1e9)),
            try make(PostgresInterval(months: 1, days: -2, microseconds: 3)), try make(PostgresJSON(document)),
            try make(PostgresJSONText(rawValue: #"{"a":[1]}"#)), try make(PostgresInet("10.0.0.1/8")),
            try make(PostgresInet("2001:db8::1"), "-6"), try make(PostgresCIDR("2001:db8::/32")),
            try make(PostgresMACAddress(rawValue: 0x0102_0304_0506)),
            try make(PostgresTSVector(["a": [.init(1), .init(7, weight: .a)], "b": []])),
            try make(PostgresHstore(["a": "1", "b": nil])),
        ]
    }

    private static func arrays() throws -> [Seed] {
        func make<T: PostgresEncodable & Equatable>(_ value: T?, _ name: String = "") throws -> Seed {
            try seed(.arrays, ValueCheck.arrays, value, name)
        }
        return [
            try make([true, nil] as [Bool?]), try make([1, 2, 3] as [Int16]), try make([] as [Int32], "-empty"),
            try make([1, nil, 3] as [Int?]), try make([1.5]), try make(["a", nil, "{\"b\"}"]),
            try make([Data([1]), Data()]), try make([uuid]), try make([PostgresBits([true])]),
            try make([price, nil] as [PostgresNumeric?]), try make([PostgresDate.infinity]),
            try make([PostgresInterval(months: 1, days: 2, microseconds: 3)]), try make([PostgresJSON(document)]),
            try make([PostgresInet("10.0.0.1/8")]),
            try make([PostgresTSVector(["a": [.init(1)]]), nil] as [PostgresTSVector?]),
            try make(PostgresArray<Int32>(rows: [[1, nil], [3, 4]])),
            try make(
                PostgresArray<String>(elements: ["a", "b"], dimensions: [.init(count: 2, lowerBound: -3)]), "-bound"),
            try make([PostgresRange(1..<5 as Range<Int32>), .empty]),
            try make(PostgresArray([PostgresHstore(["a": "1"])])), try make([composite]),
            try make([[1, 2], [3]] as [[UInt8]]),
        ]
    }

    private static func ranges() throws -> [Seed] {
        func make<T: PostgresEncodable & Equatable>(_ value: T?, _ name: String = "") throws -> Seed {
            try seed(.ranges, ValueCheck.ranges, value, name)
        }
        return [
            try make(PostgresRange(1..<5 as Range<Int32>)), try make(PostgresRange<Int>.empty, "-empty"),
            try make(PostgresRange<PostgresNumeric>.unbounded, "-unbounded"), try make(PostgresRange(Decimal(1)...)),
            try make(days), try make(PostgresRange<String>("a"..."b")), try make(PostgresRange<Double>(...1.5)),
            try make(PostgresRange(Date(timeIntervalSince1970: 0)..<Date(timeIntervalSince1970: 1))),
            try make(PostgresMultirange([PostgresRange(1..<3), PostgresRange(7...)])),
            try make(PostgresMultirange([PostgresRange("a"..<"b")])), try make(PostgresMultirange<Int32>(), "-none"),
            try make([days, .empty] as [PostgresRange<PostgresDate>]),
        ]
    }

    private static func records() throws -> [Seed] {
        let envelope = FuzzEnvelope(
            content: composite, period: days, others: [composite])
        let flat = try seed(.records, ValueCheck.records, composite)
        let nested = try seed(.records, ValueCheck.records, envelope)
        // The types that are only read, and the careless ones.
        let others = (2..<6).map { index in
            Seed(target: .records, name: "read-\(index)", bytes: [UInt8(index)] + flat.bytes.dropFirst())
        }
        return [flat, nested, try seed(.records, ValueCheck.records, [envelope, nil] as [FuzzEnvelope?])] + others
    }

    private static func copies() throws -> [Seed] {
        let rows: [CopyCheck.Row] = [[[0, 0, 0, 7], nil, [0, 0, 0, 0, 0, 0, 0, 0]], [[], [0x61], nil]]
        var writer = PostgresCopyWriter(columnCount: 3)
        for row in rows { try writer.appendRow(CopyCheck.RawRow(fields: row)) }
        let data = writer.writer.bytes + CopyCheck.trailer
        return [
            Seed(target: .copy, name: "rows", bytes: [0x83, 5] + data),
            Seed(target: .copy, name: "header", bytes: [0x03, 9] + CopyCheck.header + data),
            Seed(target: .copy, name: "none", bytes: [0x00, 1] + CopyCheck.header + CopyCheck.trailer),
        ]
    }

    private static func tokens() throws -> [Seed] {
        let cursor = try PageCursor(listing: "users.newest", keys: [Date(timeIntervalSince1970: 0), uuid, "a", 7])
        var bytes = Array(Data(base64Encoded: padded(cursor.token)) ?? Data())
        bytes.removeFirst(5)
        return [
            Seed(target: .tokens, name: "text", bytes: [0] + cursor.token.utf8),
            Seed(target: .tokens, name: "keys", bytes: [1] + bytes),
        ]
    }

    private static func padded(_ token: String) -> String {
        let plain = token.replacing("-", with: "+").replacing("_", with: "/")
        return plain + String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4)
    }
}
