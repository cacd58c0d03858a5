public import PersistenceCore

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

extension PostgresNumeric {
    /// Creates the same number.
    ///
    /// - Parameter value: The number; every `Decimal` has an equal `numeric`.
    public init(_ value: Decimal) {
        // The description writes every digit, never an exponent.
        self = value.isNaN ? .nan : PostgresNumeric(value.description) ?? .nan
    }
}

extension Decimal {
    /// Converts a number without loss.
    ///
    /// - Parameter value: The number; the result is `nil` for an infinity and for more than the 38 digits or the exponent
    ///   that `Decimal` holds.
    public init?(exactly value: PostgresNumeric) {
        guard value.isFinite else {
            guard value.isNaN else { return nil }
            self = .nan
            return
        }
        if value.digits.count <= 4, (-20..<20).contains(value.weight) {
            var significand = value.digits.reduce(0 as UInt64) { $0 * 10_000 + UInt64($1) }
            var exponent = value.isZero ? 0 : 4 * (value.weight - value.digits.count + 1)
            while exponent < 0, significand.isMultiple(of: 10) {
                significand /= 10
                exponent += 1
            }
            self.init(
                sign: value.isNegative ? .minus : .plus, exponent: exponent, significand: Decimal(significand))
            return
        }
        // Beyond 38 digits the initialiser rounds in silence, so what it made is compared.
        guard let decimal = Decimal(string: value.description), PostgresNumeric(decimal) == value else { return nil }
        self = decimal
    }
}

extension Decimal: PostgresElement {
    /// `numeric`.
    public static var postgresType: PostgresType { .numeric }

    /// Reads `numeric` and the integer types.
    public static func canDecode(_ type: PostgresType) -> Bool { PostgresNumeric.canDecode(type) }

    /// Reads `numeric` or an integer.
    ///
    /// - Throws: ``PersistenceError`` with the code `decoding` when the number is an infinity, or has more digits than
    ///   `Decimal` holds; read a ``PostgresNumeric`` then.
    public static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> Decimal {
        guard canDecode(value.type) else { throw value.unreadable(as: Decimal.self) }
        guard let decimal = Decimal(exactly: try PostgresNumeric.decode(value)) else {
            throw value.unrepresentable(as: Decimal.self)
        }
        return decimal
    }

    /// Appends the number.
    public func encode(into writer: inout PostgresWriter) {
        PostgresNumeric(self).encode(into: &writer)
    }
}
