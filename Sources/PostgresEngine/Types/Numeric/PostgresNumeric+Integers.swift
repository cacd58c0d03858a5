extension PostgresNumeric: ExpressibleByIntegerLiteral {
    /// Creates an integral number.
    ///
    /// - Parameter value: The value.
    public init(integerLiteral value: Int64) {
        self.init(value)
    }

    /// Creates an integral number.
    ///
    /// - Parameter value: The value.
    public init<I: FixedWidthInteger>(_ value: I) {
        var groups: [UInt16] = []
        // Wide enough for every group, which a narrow type is not.
        var rest = UInt128(value.magnitude)
        while rest > 0 {
            let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: 10_000)
            groups.append(UInt16(remainder))
            rest = quotient
        }
        groups.reverse()
        self.init(isNegative: value < 0, weight: groups.count - 1, unnormalized: groups, scale: 0)
    }
}

extension FixedWidthInteger {
    /// Converts a number without loss.
    ///
    /// - Parameter value: The number; the result is `nil` unless it is integral and in the type's range.
    public init?(exactly value: PostgresNumeric) {
        // Digits are normalized, so any beyond the units makes a fraction; the largest integers have ten groups.
        guard value.isFinite, value.digits.count <= value.weight + 1 || value.isZero, value.weight < 10 else {
            return nil
        }
        var magnitude: UInt128 = 0
        if !value.isZero {
            for power in stride(from: value.weight, through: 0, by: -1) {
                let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10_000)
                let (sum, carry) = product.addingReportingOverflow(UInt128(value.group(power)))
                guard !overflow, !carry else { return nil }
                magnitude = sum
            }
        }
        guard value.isNegative else {
            self.init(exactly: magnitude)
            return
        }
        guard magnitude <= Int128.min.magnitude else { return nil }
        self.init(exactly: Int128(truncatingIfNeeded: 0 &- magnitude))
    }
}

extension Double {
    /// The nearest `Double`; ±infinity when the number is out of range.
    ///
    /// - Parameter value: The number.
    public init(_ value: PostgresNumeric) {
        switch value.kind {
        case .nan: self = .nan
        case .infinity: self = .infinity
        case .negativeInfinity: self = -.infinity
        case .positive, .negative: self = Double(value.description) ?? .nan
        }
    }
}
