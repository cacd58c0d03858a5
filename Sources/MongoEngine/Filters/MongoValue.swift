public import BSON

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// A Swift type whose values stand in filters, updates and pipelines.
///
/// An enumeration of texts or numbers needs to do no more than to say so: `enum Status: String, Codable, MongoValue`.
/// Give it the same BSON value that its `Codable` conformance writes, or what is looked for is not what was stored.
public protocol MongoValue: Sendable {
    /// The value as BSON.
    var bsonValue: BSONValue { get }
}

extension MongoValue where Self: RawRepresentable, RawValue: MongoValue {
    /// The raw value.
    public var bsonValue: BSONValue { rawValue.bsonValue }
}

extension BSONValue: MongoValue {
    /// The value itself.
    public var bsonValue: BSONValue { self }
}

extension Document: MongoValue {
    /// The document within a document.
    public var bsonValue: BSONValue { .document(self) }
}

extension String: MongoValue {
    /// A text.
    public var bsonValue: BSONValue { .string(self) }
}

extension Bool: MongoValue {
    /// A boolean.
    public var bsonValue: BSONValue { .bool(self) }
}

extension Int: MongoValue {
    /// A 64-bit integer.
    public var bsonValue: BSONValue { .int64(Int64(self)) }
}

extension Int32: MongoValue {
    /// A 32-bit integer.
    public var bsonValue: BSONValue { .int32(self) }
}

extension Int64: MongoValue {
    /// A 64-bit integer.
    public var bsonValue: BSONValue { .int64(self) }
}

extension Double: MongoValue {
    /// A floating-point number.
    public var bsonValue: BSONValue { .double(self) }
}

extension Date: MongoValue {
    /// A point in time, in whole milliseconds.
    public var bsonValue: BSONValue { BSONValue(self) }
}

extension UUID: MongoValue {
    /// A binary of subtype 4.
    public var bsonValue: BSONValue { BSONValue(self) }
}

extension ObjectID: MongoValue {
    /// An object identifier.
    public var bsonValue: BSONValue { .objectID(self) }
}

extension Decimal128: MongoValue {
    /// A decimal number.
    public var bsonValue: BSONValue { .decimal128(self) }
}

extension BSONTimestamp: MongoValue {
    /// A timestamp.
    public var bsonValue: BSONValue { .timestamp(self) }
}

extension BSONBinary: MongoValue {
    /// Bytes with a subtype.
    public var bsonValue: BSONValue { .binary(self) }
}

extension Optional: MongoValue where Wrapped: MongoValue {
    /// The value, or null.
    public var bsonValue: BSONValue { self?.bsonValue ?? .null }
}

extension Array: MongoValue where Element: MongoValue {
    /// An array.
    public var bsonValue: BSONValue { .array(BSONArray(lazy.map(\.bsonValue))) }
}
