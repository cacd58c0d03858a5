/// The type byte that starts every element of a document, by the BSON specification (bsonspec.org).
public struct BSONType: RawRepresentable, Hashable, Sendable {
    /// The byte as it stands in the document.
    public let rawValue: UInt8

    /// Takes any byte; ``isKnown`` tells whether BSON has such a type.
    @inlinable
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// A 64-bit binary floating-point number.
    public static let double = BSONType(rawValue: 0x01)
    /// A text in UTF-8.
    public static let string = BSONType(rawValue: 0x02)
    /// A document within the document.
    public static let document = BSONType(rawValue: 0x03)
    /// An array.
    public static let array = BSONType(rawValue: 0x04)
    /// Bytes with a subtype.
    public static let binary = BSONType(rawValue: 0x05)
    /// JavaScript's `undefined`; deprecated.
    public static let undefined = BSONType(rawValue: 0x06)
    /// An ``ObjectID``.
    public static let objectID = BSONType(rawValue: 0x07)
    /// `true` or `false`.
    public static let bool = BSONType(rawValue: 0x08)
    /// A point in time, in milliseconds.
    public static let date = BSONType(rawValue: 0x09)
    /// The null value.
    public static let null = BSONType(rawValue: 0x0A)
    /// A regular expression.
    public static let regularExpression = BSONType(rawValue: 0x0B)
    /// A reference to a document of another collection; deprecated.
    public static let dbPointer = BSONType(rawValue: 0x0C)
    /// JavaScript source.
    public static let javascript = BSONType(rawValue: 0x0D)
    /// A symbol; deprecated.
    public static let symbol = BSONType(rawValue: 0x0E)
    /// JavaScript source with its variables; deprecated.
    public static let javascriptWithScope = BSONType(rawValue: 0x0F)
    /// A 32-bit integer.
    public static let int32 = BSONType(rawValue: 0x10)
    /// MongoDB's internal timestamp.
    public static let timestamp = BSONType(rawValue: 0x11)
    /// A 64-bit integer.
    public static let int64 = BSONType(rawValue: 0x12)
    /// A decimal number of 34 digits.
    public static let decimal128 = BSONType(rawValue: 0x13)
    /// What sorts after every other value.
    public static let maxKey = BSONType(rawValue: 0x7F)
    /// What sorts before every other value.
    public static let minKey = BSONType(rawValue: 0xFF)

    /// Whether BSON has such a type.
    public var isKnown: Bool {
        (0x01...0x13).contains(rawValue) || self == .maxKey || self == .minKey
    }
}

extension BSONType: CustomStringConvertible {
    /// The name that MongoDB's `$type` operator uses, or the byte when BSON has no such type.
    public var description: String {
        switch self {
        case .double: "double"
        case .string: "string"
        case .document: "object"
        case .array: "array"
        case .binary: "binData"
        case .undefined: "undefined"
        case .objectID: "objectId"
        case .bool: "bool"
        case .date: "date"
        case .null: "null"
        case .regularExpression: "regex"
        case .dbPointer: "dbPointer"
        case .javascript: "javascript"
        case .symbol: "symbol"
        case .javascriptWithScope: "javascriptWithScope"
        case .int32: "int"
        case .timestamp: "timestamp"
        case .int64: "long"
        case .decimal128: "decimal"
        case .minKey: "minKey"
        case .maxKey: "maxKey"
        default: "type 0x\(String(rawValue, radix: 16))"
        }
    }
}
