internal import CBSON

/// A decimal number of 34 digits with an exponent from -6176 to 6111: IEEE 754-2008's decimal128, encoded in binary.
///
/// Equal means equal bits: `1.0` and `1.00` are equal numbers but different values, as in the database, where both are
/// kept as written. libbson reads and writes the text.
public struct Decimal128: Hashable, Sendable {
    /// The sign, the exponent and the highest digits.
    public let high: UInt64
    /// The lowest digits.
    public let low: UInt64

    /// Takes the bits.
    ///
    /// - Parameters:
    ///   - high: The higher half.
    ///   - low: The lower half.
    @inline(__always)
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads a number such as `-12.340`, `1E+3`, `Infinity` or `NaN`.
    ///
    /// - Parameter text: The number; `nil` comes back when it is none, or one that 34 digits cannot hold exactly.
    public init?(_ text: String) {
        // More than that is no number that fits, and libbson's lengths are ints.
        guard text.utf8.count <= 20_000, !text.utf8.contains(0) else { return nil }
        var value = bson_decimal128_t()
        guard bson_decimal128_from_string_w_len(text, Int32(text.utf8.count), &value) else { return nil }
        self.init(high: value.high, low: value.low)
    }

    /// Takes an integer, exactly.
    public init(_ value: Int64) {
        high = 0x3040_0000_0000_0000 | (value < 0 ? 0x8000_0000_0000_0000 : 0)
        low = value.magnitude
    }

    /// Whether the value is not a number.
    public var isNaN: Bool { high >> 58 & 0x1F == 0x1F }

    /// Whether the value is positive or negative infinity.
    public var isInfinite: Bool { high >> 58 & 0x1F == 0x1E }
}

extension Decimal128: LosslessStringConvertible {
    /// The number in the notation of the BSON specification, for example `12.340`, `1E+3` or `Infinity`.
    public var description: String {
        var value = bson_decimal128_t()
        // libbson writes such digits out, as a number that it does not read again.
        let isZero = hasTooManyDigits
        value.high = isZero ? high & ~Self.digits : high
        value.low = isZero ? 0 : low
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(BSON_DECIMAL128_STRING)) { buffer in
            guard let start = buffer.baseAddress else { return "" }
            bson_decimal128_to_string(&value, start)
            return String(cString: start)
        }
    }

    /// Whether the digits are more than 34, as bits from elsewhere may have it: then they count as zero
    /// (IEEE 754-2008, section 3.5.2).
    private var hasTooManyDigits: Bool {
        // Where these two bits are set, the digits stand elsewhere, or there are none.
        guard high >> 61 & 3 != 3 else { return false }
        return (high & Self.digits, low) > (0x0001_ED09_BEAD_87C0, 0x378D_8E63_FFFF_FFFF)
    }

    /// Those of the highest digits, among the bits of the higher half.
    private static var digits: UInt64 { 0x0001_FFFF_FFFF_FFFF }
}
