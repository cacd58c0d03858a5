#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

extension BSONValue {
    /// The whole number, when the value is one that `Int` can hold: an integer of either size, or a double without
    /// fraction.
    public var int: Int? {
        switch self {
        case .int32(let value): Int(value)
        case .int64(let value): Int(exactly: value)
        case .double(let value): Int(exactly: value)
        default: nil
        }
    }

    /// The number, when the value is one that `Double` can hold exactly: a double, or an integer.
    public var double: Double? {
        switch self {
        case .double(let value): value
        case .int32(let value): Double(value)
        case .int64(let value): Double(exactly: value)
        default: nil
        }
    }

    /// The text, when the value is a string or a symbol.
    public var string: String? {
        switch self {
        case .string(let value), .symbol(let value): value
        default: nil
        }
    }

    /// The boolean, when the value is one.
    public var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The document, when the value is one.
    public var document: Document? {
        if case .document(let value) = self { value } else { nil }
    }

    /// The array, when the value is one.
    public var array: BSONArray? {
        if case .array(let value) = self { value } else { nil }
    }

    /// The object identifier, when the value is one.
    public var objectID: ObjectID? {
        if case .objectID(let value) = self { value } else { nil }
    }

    /// The point in time, when the value is a date.
    public var date: Date? {
        if case .date(let value) = self { value.date } else { nil }
    }

    /// The bytes with their subtype, when the value is binary.
    public var binary: BSONBinary? {
        if case .binary(let value) = self { value } else { nil }
    }

    /// The UUID, when the value is binary with subtype 4 and 16 bytes.
    public var uuid: UUID? {
        if case .binary(let value) = self { value.uuid } else { nil }
    }

    /// The decimal number, when the value is one.
    public var decimal128: Decimal128? {
        if case .decimal128(let value) = self { value } else { nil }
    }

    /// The timestamp, when the value is one.
    public var timestamp: BSONTimestamp? {
        if case .timestamp(let value) = self { value } else { nil }
    }

    /// Whether the value is null.
    public var isNull: Bool { self == .null }

    /// The value of a field, when this value is a document that has it.
    ///
    /// - Parameter key: The field's key.
    public subscript(_ key: String) -> BSONValue? {
        document?[key]
    }

    /// The element at an index, when this value is an array that has it.
    ///
    /// - Parameter index: The element's index, from 0.
    public subscript(_ index: Int) -> BSONValue? {
        guard let array, index >= 0 else { return nil }
        return array.element(at: index)
    }

    /// Makes an ``int64(_:)``.
    public init(_ value: Int) {
        self = .int64(Int64(value))
    }

    /// Makes a ``date(_:)``; the time is rounded to milliseconds.
    public init(_ date: Date) {
        self = .date(BSONDate(date))
    }

    /// Makes a ``binary(_:)`` with subtype 4.
    public init(_ uuid: UUID) {
        self = .binary(BSONBinary(uuid))
    }

    /// Makes a ``string(_:)``.
    public init(_ text: String) {
        self = .string(text)
    }
}
