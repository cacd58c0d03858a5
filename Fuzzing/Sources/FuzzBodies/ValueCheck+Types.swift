import Foundation
import PersistenceCore

@testable import PostgresEngine

// A corpus names types by their place in these lists: new ones are added at the end.
extension ValueCheck {
    static let values: [ValueCheck] = [
        ValueCheck(Bool.self), ValueCheck(Int16.self), ValueCheck(Int32.self), ValueCheck(Int64.self),
        ValueCheck(Int.self), ValueCheck(UInt64.self), ValueCheck(Float.self),
        ValueCheck(Double.self), ValueCheck(String.self, mayRefuse: true), ValueCheck([UInt8].self),
        ValueCheck(Data.self), ValueCheck(UUID.self), ValueCheck(PostgresOID.self), ValueCheck(PostgresLSN.self),
        ValueCheck(PostgresPoint.self), ValueCheck(PostgresBits.self), ValueCheck(PostgresNumeric.self),
        ValueCheck(Decimal.self), ValueCheck(PostgresDate.self), ValueCheck(PostgresTime.self),
        ValueCheck(PostgresTimeTZ.self), ValueCheck(PostgresTimestamp.self), ValueCheck(PostgresTimestampTZ.self),
        // Dates near the ends of the range are rounded beyond it.
        ValueCheck(Date.self, mayRefuse: true), ValueCheck(PostgresInterval.self),
        ValueCheck(PostgresJSON<FuzzDocument>.self),
        ValueCheck(PostgresJSONText.self, mayRefuse: true), ValueCheck(PostgresInet.self),
        ValueCheck(PostgresCIDR.self), ValueCheck(PostgresMACAddress.self), ValueCheck(PostgresTSVector.self),
        ValueCheck(PostgresHstore.self, type: userDefined, mayRefuse: true),
        ValueCheck(FuzzLabel.self, type: userDefined), ValueCheck(reading: PostgresVoid.self, type: .void),
    ]

    static let arrays: [ValueCheck] =
        array(Bool.self) + array(Int16.self) + array(Int32.self) + array(Int.self) + array(Double.self)
        + array(String.self, mayRefuse: true) + array(Data.self) + array(UUID.self) + array(PostgresBits.self)
        + array(PostgresNumeric.self) + array(PostgresDate.self) + array(PostgresTimestampTZ.self)
        + array(PostgresInterval.self) + array(PostgresJSON<FuzzDocument>.self) + array(PostgresInet.self)
        + array(PostgresTSVector.self) + array(PostgresRange<Int32>.self)
        + array(PostgresHstore.self, type: userDefined, mayRefuse: true, isReadBack: false)
        + array(FuzzComposite.self, type: userDefined, mayRefuse: true)
        + [ValueCheck([[UInt8]].self)]

    private static func array<T: PostgresElement & Equatable & SendableMetatype>(
        _ element: T.Type, type: PostgresType = T.postgresArrayBinaryType, mayRefuse: Bool = false,
        isReadBack: Bool = true
    ) -> [ValueCheck] {
        [
            ValueCheck([T].self, type: type, mayRefuse: mayRefuse, isReadBack: isReadBack),
            ValueCheck([T?].self, type: type, mayRefuse: mayRefuse, isReadBack: isReadBack),
            ValueCheck(PostgresArray<T>.self, type: type, mayRefuse: mayRefuse, isReadBack: isReadBack),
        ]
    }

    static let ranges: [ValueCheck] =
        range(Int32.self) + range(Int.self) + range(PostgresNumeric.self) + range(Decimal.self)
        + range(PostgresDate.self) + range(PostgresTimestamp.self) + range(PostgresTimestampTZ.self)
        + range(Date.self, mayRefuse: true)
        + range(Double.self, type: userDefined) + range(String.self, type: userDefined, mayRefuse: true)
        + [ValueCheck([PostgresRange<PostgresDate>].self), ValueCheck([PostgresMultirange<Int32>?].self)]

    private static func range<Bound: PostgresRangeBound & SendableMetatype>(
        _ bound: Bound.Type, type: PostgresType? = nil, mayRefuse: Bool = false
    ) -> [ValueCheck] {
        [
            ValueCheck(
                PostgresRange<Bound>.self, type: type ?? Bound.postgresRangeType, mayRefuse: mayRefuse),
            ValueCheck(
                PostgresMultirange<Bound>.self, type: type ?? Bound.postgresMultirangeType, mayRefuse: mayRefuse),
        ]
    }

    static let records: [ValueCheck] = [
        ValueCheck(FuzzComposite.self, type: .record, mayRefuse: true),
        ValueCheck(FuzzEnvelope.self, type: .record, mayRefuse: true),
        ValueCheck(reading: PostgresRecord<Int32, String?, PostgresNumeric?>.self, type: .record),
        ValueCheck(reading: PostgresRecord<PostgresRecord<Int32, String>, [Int32]>.self, type: .record),
        ValueCheck(reading: FuzzAnyRecord.self, type: .record),
        ValueCheck(reading: FuzzCarelessRecord.self, type: .record),
        ValueCheck([FuzzEnvelope?].self, type: userDefined, mayRefuse: true),
    ]
}

struct FuzzDocument: Codable, Equatable {
    var name: String?
    var numbers: [Double]?
    var more: [String: Int]?
}

enum FuzzLabel: String, PostgresEnum {
    case owner, editor
    case other = "a 'b' \"c\""
}

struct FuzzComposite: PostgresComposite, Equatable {
    var id: Int32
    var name: String?
    var price: PostgresNumeric?
    var tags: [Int16]

    init(id: Int32, name: String?, price: PostgresNumeric?, tags: [Int16]) {
        (self.id, self.name, self.price, self.tags) = (id, name, price, tags)
    }

    init(record: inout PostgresRecordReader) throws(PersistenceError) {
        id = try record.read()
        name = try record.read()
        price = try record.read()
        tags = try record.read()
    }

    func encode(to record: inout PostgresRecordWriter) throws(PersistenceError) {
        try record.append(id)
        try record.append(name)
        try record.append(price)
        try record.append(tags)
    }
}

/// A composite value that holds another, and a range.
struct FuzzEnvelope: PostgresComposite, Equatable {
    var content: FuzzComposite?
    var period: PostgresRange<PostgresDate>
    var others: [FuzzComposite]

    init(content: FuzzComposite?, period: PostgresRange<PostgresDate>, others: [FuzzComposite]) {
        (self.content, self.period, self.others) = (content, period, others)
    }

    init(record: inout PostgresRecordReader) throws(PersistenceError) {
        content = try record.read()
        period = try record.read()
        others = try record.read()
    }

    func encode(to record: inout PostgresRecordWriter) throws(PersistenceError) {
        try record.append(content, as: .record)
        try record.append(period)
        try record.append(others, as: ValueCheck.userDefined)
    }
}

/// Reads as many fields as there are.
struct FuzzAnyRecord: PostgresRecordDecodable {
    init(record: inout PostgresRecordReader) throws(PersistenceError) {
        while record.index < record.count {
            do throws(PersistenceError) {
                _ = try record.read([UInt8]?.self)
            } catch {
                // The next field is read all the same, as a careless type would do.
                _ = try record.read(Int32?.self)
            }
        }
    }
}

/// Goes on after every error, and reads more fields than there are.
struct FuzzCarelessRecord: PostgresRecordDecodable {
    init(record: inout PostgresRecordReader) throws(PersistenceError) {
        for _ in 0...min(record.count, 64) + 1 {
            _ = try? record.read(String?.self)
        }
    }
}
