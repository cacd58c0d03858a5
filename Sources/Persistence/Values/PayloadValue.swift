#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// One value of a ``Payload``: what JSON knows, and the points in time and bytes that document stores know besides.
@nonexhaustive
public enum PayloadValue: Hashable, Sendable {
    /// No value.
    case null
    /// A truth value.
    case bool(Bool)
    /// A whole number.
    case integer(Int64)
    /// A binary floating-point number, which must be finite.
    case double(Double)
    /// A text.
    case text(String)
    /// A point in time; stores keep it to the millisecond.
    case date(Date)
    /// Bytes.
    case bytes([UInt8])
    /// A list.
    case array([PayloadValue])
    /// Fields by name.
    case object(Payload)
}

extension PayloadValue {
    /// The truth value; `nil` when this is another kind of value.
    public var boolValue: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The whole number; `nil` when this is another kind of value.
    public var integerValue: Int64? {
        if case .integer(let value) = self { value } else { nil }
    }

    /// The number as floating point, whichever way it is kept; `nil` when this is no number.
    public var doubleValue: Double? {
        switch self {
        case .double(let value): value
        case .integer(let value): Double(value)
        default: nil
        }
    }

    /// The text; `nil` when this is another kind of value.
    public var textValue: String? {
        if case .text(let value) = self { value } else { nil }
    }

    /// The point in time; `nil` when this is another kind of value.
    public var dateValue: Date? {
        if case .date(let value) = self { value } else { nil }
    }

    /// The bytes; `nil` when this is another kind of value.
    public var bytesValue: [UInt8]? {
        if case .bytes(let value) = self { value } else { nil }
    }

    /// The list; `nil` when this is another kind of value.
    public var arrayValue: [PayloadValue]? {
        if case .array(let value) = self { value } else { nil }
    }

    /// The fields; `nil` when this is another kind of value.
    public var objectValue: Payload? {
        if case .object(let value) = self { value } else { nil }
    }

    /// A field, when this is an object that has it.
    ///
    /// - Parameter name: The field's name.
    public subscript(name: String) -> PayloadValue? { objectValue?[name] }
}

extension PayloadValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// No value.
    public init(nilLiteral: ()) { self = .null }

    /// A truth value.
    public init(booleanLiteral value: Bool) { self = .bool(value) }

    /// A whole number.
    public init(integerLiteral value: Int64) { self = .integer(value) }

    /// A floating-point number.
    public init(floatLiteral value: Double) { self = .double(value) }

    /// A text.
    public init(stringLiteral value: String) { self = .text(value) }

    /// A list.
    public init(arrayLiteral elements: PayloadValue...) { self = .array(elements) }

    /// Fields by name; of several with one name the last counts.
    public init(dictionaryLiteral elements: (String, PayloadValue)...) {
        self = .object(Payload(Dictionary(elements) { $1 }))
    }
}

extension PayloadValue: CustomStringConvertible, CustomReflectable {
    /// The kind of the value and not the value, which may be somebody's.
    public var description: String {
        switch self {
        case .null: "null"
        case .bool: "bool"
        case .integer: "integer"
        case .double: "double"
        case .text: "text"
        case .date: "date"
        case .bytes: "bytes"
        case .array(let elements): "array of \(elements.count)"
        case .object(let payload): payload.description
        }
    }

    /// A mirror without children.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
