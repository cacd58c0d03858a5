public import PersistenceCore

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

// Numbers of any BSON type are read into any Swift type that can hold them exactly.

extension String: BSONReadable {
    /// Reads a string.
    public static func read(
        _ value: BSONField, of fields: inout DocumentReader
    ) throws(PersistenceError) -> String { try fields.string(value) }
}

extension Bool: BSONReadable {
    /// Reads a boolean.
    public static func read(
        _ value: BSONField, of fields: inout DocumentReader
    ) throws(PersistenceError) -> Bool { try fields.bool(value) }
}

extension Double: BSONReadable {
    /// Reads a number.
    public static func read(
        _ value: BSONField, of fields: inout DocumentReader
    ) throws(PersistenceError) -> Double { try fields.double(value) }
}

extension Int: BSONReadable {
    /// Reads a number.
    public static func read(
        _ value: BSONField, of fields: inout DocumentReader
    ) throws(PersistenceError) -> Int { try fields.integer(value, Int.self) }
}

extension Int32: BSONReadable {
    /// Reads a number.
    public static func read(
        _ value: BSONField, of fields: inout DocumentReader
    ) throws(PersistenceError) -> Int32 { try fields.integer(value, Int32.self) }
}

extension Int64: BSONReadable {
    /// Reads a number.
    public static func read(
        _ value: BSONField, of fields: inout DocumentReader
    ) throws(PersistenceError) -> Int64 { try fields.integer(value, Int64.self) }
}

extension ObjectID: BSONReadable {
    /// Reads an object identifier.
    public static func read(
        _ value: BSONField, of fields: inout DocumentReader
    ) throws(PersistenceError) -> ObjectID { try fields.objectID(value) }
}

extension Date: BSONReadable {
    /// Reads a date, as the decoder's options say.
    public static func read(
        _ value: BSONField, of fields: inout DocumentReader
    ) throws(PersistenceError) -> Date {
        if let date = fields.plainDate(value) { return BSONDate(millisecondsSince1970: date).date }
        return try fields.coded(value) { try $0.decode(Date.self) }
    }
}

extension UUID: BSONReadable {
    /// Reads a UUID, as the decoder's options say.
    public static func read(
        _ value: BSONField, of fields: inout DocumentReader
    ) throws(PersistenceError) -> UUID {
        if let bytes = fields.plainUUID(value, as: uuid_t.self) { return UUID(uuid: bytes) }
        return try fields.coded(value) { try $0.decode(UUID.self) }
    }
}

extension Data: BSONReadable {
    /// Reads data, as the decoder's options say.
    public static func read(
        _ value: BSONField, of fields: inout DocumentReader
    ) throws(PersistenceError) -> Data { try fields.coded(value) { try $0.decode(Data.self) } }
}

extension BSONValue: BSONReadable {
    /// Reads any value.
    public static func read(
        _ value: BSONField, of fields: inout DocumentReader
    ) throws(PersistenceError) -> BSONValue { fields.bsonValue(value) }
}

extension Document: BSONReadable {}
extension BSONArray: BSONReadable {}
extension BSONBinary: BSONReadable {}
extension BSONDate: BSONReadable {}
extension BSONTimestamp: BSONReadable {}
extension BSONRegularExpression: BSONReadable {}
extension Decimal128: BSONReadable {}

extension Optional: BSONReadable where Wrapped: BSONReadable {
    /// Reads a value that may be null.
    @inlinable
    public static func read(
        _ value: BSONField, of fields: inout DocumentReader
    ) throws(PersistenceError) -> Wrapped? { value.isNull ? nil : try Wrapped.read(value, of: &fields) }
}

extension Array: BSONReadable where Element: BSONReadable {
    /// Reads an array.
    @inlinable
    public static func read(
        _ value: BSONField, of fields: inout DocumentReader
    ) throws(PersistenceError) -> [Element] {
        let outer = try fields.enter(value, .array, Self.self)
        defer { fields.leave(to: outer) }
        var elements: [Element] = []
        elements.reserveCapacity(fields.elementCount)
        while let next = fields.next() {
            do throws(PersistenceError) {
                elements.append(try Element.read(next, of: &fields))
            } catch {
                throw DocumentReader.within(elements.count, error)
            }
        }
        return elements
    }
}
