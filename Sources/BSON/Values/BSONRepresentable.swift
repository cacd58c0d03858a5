#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// A Swift type whose values are BSON values as they are, without `Codable`.
///
/// It lets functions that build documents take a `String` or an ``ObjectID`` as it is. What a type gives here is a value
/// and nothing but a value: text never becomes an operator or a field's path.
public protocol BSONRepresentable {
    /// The value as BSON.
    var bsonValue: BSONValue { get }

    /// Makes a value of BSON.
    ///
    /// - Parameter bsonValue: The BSON value; `nil` comes back when it has another type, or does not fit.
    init?(bsonValue: BSONValue)
}

extension BSONValue: BSONRepresentable {
    /// The value itself.
    public var bsonValue: BSONValue { self }

    /// Takes the value.
    public init(bsonValue: BSONValue) { self = bsonValue }
}

extension Document: BSONRepresentable {
    /// The value as a document.
    public var bsonValue: BSONValue { .document(self) }

    /// Takes a document.
    public init?(bsonValue: BSONValue) {
        guard let value = bsonValue.document else { return nil }
        self = value
    }
}

extension BSONArray: BSONRepresentable {
    /// The value as an array.
    public var bsonValue: BSONValue { .array(self) }

    /// Takes an array.
    public init?(bsonValue: BSONValue) {
        guard let value = bsonValue.array else { return nil }
        self = value
    }
}

extension ObjectID: BSONRepresentable {
    /// The value as an object identifier.
    public var bsonValue: BSONValue { .objectID(self) }

    /// Takes an object identifier.
    public init?(bsonValue: BSONValue) {
        guard let value = bsonValue.objectID else { return nil }
        self = value
    }
}

extension Decimal128: BSONRepresentable {
    /// The value as a decimal number.
    public var bsonValue: BSONValue { .decimal128(self) }

    /// Takes a decimal number.
    public init?(bsonValue: BSONValue) {
        guard let value = bsonValue.decimal128 else { return nil }
        self = value
    }
}

extension BSONBinary: BSONRepresentable {
    /// The value as a binary.
    public var bsonValue: BSONValue { .binary(self) }

    /// Takes a binary.
    public init?(bsonValue: BSONValue) {
        guard let value = bsonValue.binary else { return nil }
        self = value
    }
}

extension BSONTimestamp: BSONRepresentable {
    /// The value as a timestamp.
    public var bsonValue: BSONValue { .timestamp(self) }

    /// Takes a timestamp.
    public init?(bsonValue: BSONValue) {
        guard let value = bsonValue.timestamp else { return nil }
        self = value
    }
}

extension String: BSONRepresentable {
    /// The value as a string.
    public var bsonValue: BSONValue { .string(self) }

    /// Takes a string.
    public init?(bsonValue: BSONValue) {
        guard let value = bsonValue.string else { return nil }
        self = value
    }
}

extension Bool: BSONRepresentable {
    /// The value as a boolean.
    public var bsonValue: BSONValue { .bool(self) }

    /// Takes a boolean.
    public init?(bsonValue: BSONValue) {
        guard let value = bsonValue.bool else { return nil }
        self = value
    }
}

extension Double: BSONRepresentable {
    /// The value as a double.
    public var bsonValue: BSONValue { .double(self) }

    /// Takes a double.
    public init?(bsonValue: BSONValue) {
        guard let value = bsonValue.double else { return nil }
        self = value
    }
}

extension BSONDate: BSONRepresentable {
    /// The value as a date.
    public var bsonValue: BSONValue { .date(self) }

    /// Takes a date.
    public init?(bsonValue: BSONValue) {
        guard case .date(let value) = bsonValue else { return nil }
        self = value
    }
}

extension BSONRegularExpression: BSONRepresentable {
    /// The value as a regular expression.
    public var bsonValue: BSONValue { .regularExpression(self) }

    /// Takes a regular expression.
    public init?(bsonValue: BSONValue) {
        guard case .regularExpression(let value) = bsonValue else { return nil }
        self = value
    }
}

extension Int: BSONRepresentable {
    /// The value as a 64-bit integer.
    public var bsonValue: BSONValue { .int64(Int64(self)) }

    /// Takes a whole number of any type.
    public init?(bsonValue: BSONValue) {
        guard let value = bsonValue.int else { return nil }
        self = value
    }
}

extension Int32: BSONRepresentable {
    /// The value as a 32-bit integer.
    public var bsonValue: BSONValue { .int32(self) }

    /// Takes a whole number of any type that fits.
    public init?(bsonValue: BSONValue) {
        guard let value = bsonValue.int, let exact = Int32(exactly: value) else { return nil }
        self = exact
    }
}

extension Int64: BSONRepresentable {
    /// The value as a 64-bit integer.
    public var bsonValue: BSONValue { .int64(self) }

    /// Takes a whole number of any type.
    public init?(bsonValue: BSONValue) {
        guard let value = bsonValue.int else { return nil }
        self.init(value)
    }
}

extension Date: BSONRepresentable {
    /// The value as a date, rounded to milliseconds.
    public var bsonValue: BSONValue { BSONValue(self) }

    /// Takes a date.
    public init?(bsonValue: BSONValue) {
        guard let value = bsonValue.date else { return nil }
        self = value
    }
}

extension UUID: BSONRepresentable {
    /// The value as binary with subtype 4.
    public var bsonValue: BSONValue { BSONValue(self) }

    /// Takes binary with subtype 4.
    public init?(bsonValue: BSONValue) {
        guard let value = bsonValue.uuid else { return nil }
        self = value
    }
}

extension Optional: BSONRepresentable where Wrapped: BSONRepresentable {
    /// The value, or null.
    public var bsonValue: BSONValue { self?.bsonValue ?? .null }

    /// Takes null, or what the wrapped type takes.
    public init?(bsonValue: BSONValue) {
        if bsonValue.isNull {
            self = .none
        } else if let value = Wrapped(bsonValue: bsonValue) {
            self = .some(value)
        } else {
            return nil
        }
    }
}

extension Array: BSONRepresentable where Element: BSONRepresentable {
    /// The values as an array.
    public var bsonValue: BSONValue { .array(BSONArray(lazy.map { $0.bsonValue })) }

    /// Takes an array whose every element the element's type takes.
    public init?(bsonValue: BSONValue) {
        guard let array = bsonValue.array else { return nil }
        self.init()
        for element in array {
            guard let value = Element(bsonValue: element) else { return nil }
            append(value)
        }
    }
}
