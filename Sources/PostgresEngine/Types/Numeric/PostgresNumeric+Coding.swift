public import PersistenceCore

extension PostgresNumeric: PostgresElement {
    // `numeric_send` in PostgreSQL's sources.
    private static var positiveSign: UInt16 { 0x0000 }
    private static var negativeSign: UInt16 { 0x4000 }
    private static var nanSign: UInt16 { 0xC000 }
    private static var infinitySign: UInt16 { 0xD000 }
    private static var negativeInfinitySign: UInt16 { 0xF000 }

    /// `numeric`.
    @inlinable public static var postgresType: PostgresType { .numeric }

    /// Reads `numeric` and the integer types.
    public static func canDecode(_ type: PostgresType) -> Bool {
        type == .numeric || type == .int8 || type == .int4 || type == .int2
    }

    /// Reads `numeric` or an integer.
    public static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> PostgresNumeric {
        guard value.type == .numeric else {
            guard canDecode(value.type) else { throw value.unreadable(as: PostgresNumeric.self) }
            return PostgresNumeric(try Int64.decode(value))
        }
        return try value.read(as: PostgresNumeric.self) { reader throws(PersistenceError) in
            let count = Int(try reader.read(UInt16.self))
            let weight = Int(try reader.read(Int16.self))
            let sign = try reader.read(UInt16.self)
            let scale = Int(try reader.read(UInt16.self))
            guard reader.remaining == count * 2 else { throw reader.malformed("it has the wrong number of digits") }
            switch sign {
            case positiveSign, negativeSign: break
            case nanSign where count == 0: return .nan
            case infinitySign where count == 0: return .infinity
            case negativeInfinitySign where count == 0: return .negativeInfinity
            default: throw reader.malformed("its sign is unknown")
            }
            guard scale <= maximumScale else { throw reader.malformed("its scale is impossible") }
            var digits: [UInt16] = []
            digits.reserveCapacity(count)
            for _ in 0..<count {
                let digit = try reader.read(UInt16.self)
                guard digit < 10_000 else { throw reader.malformed("a digit is impossible") }
                digits.append(digit)
            }
            let number = PostgresNumeric(
                isNegative: sign == negativeSign, weight: weight, unnormalized: digits, scale: scale)
            guard number.hasNoDigitsBeyondScale else { throw reader.malformed("it has digits beyond its scale") }
            return number
        }
    }

    /// The text shows `scale` digits, so what lies beyond would be part of the value and yet invisible.
    private var hasNoDigitsBeyondScale: Bool {
        guard let last = digits.last else { return true }
        // The power of ten of the last group's last digit, and the zeros that end that group.
        let places = 4 * (digits.count - 1 - weight)
        let zeros = last % 1000 == 0 ? 3 : last % 100 == 0 ? 2 : last % 10 == 0 ? 1 : 0
        return places - zeros <= scale
    }

    /// Appends the number.
    public func encode(into writer: inout PostgresWriter) {
        let sign =
            switch kind {
            case .positive: Self.positiveSign
            case .negative: Self.negativeSign
            case .nan: Self.nanSign
            case .infinity: Self.infinitySign
            case .negativeInfinity: Self.negativeInfinitySign
            }
        writer.write(UInt16(truncatingIfNeeded: digits.count))
        writer.write(Int16(truncatingIfNeeded: weight))
        writer.write(sign)
        writer.write(UInt16(truncatingIfNeeded: scale))
        for digit in digits { writer.write(digit) }
    }
}
