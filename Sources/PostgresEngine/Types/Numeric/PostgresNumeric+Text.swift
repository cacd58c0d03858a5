public import PersistenceCore

extension PostgresNumeric: LosslessStringConvertible {
    /// Reads a decimal number, such as `-12.50`, `1e-7`, `NaN` or `Infinity`.
    ///
    /// - Parameter description: The text.
    public init?(_ description: String) {
        guard let value = try? PostgresNumeric(parsing: description) else { return nil }
        self = value
    }

    /// Reads a decimal number.
    ///
    /// - Parameter text: Digits with an optional sign, point and exponent, or `NaN`, `Infinity`, `-Infinity` in any case.
    /// - Throws: ``PersistenceError`` with the code `invalidArgument` when the text is no number, and `encoding` when it has
    ///   more digits than PostgreSQL holds.
    public init(parsing text: String) throws(PersistenceError) {
        var bytes = Array(text.utf8)[...]
        var isNegative = false
        if let first = bytes.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            isNegative = first == UInt8(ascii: "-")
            bytes.removeFirst()
        }
        switch String(decoding: bytes.prefix(9), as: UTF8.self).lowercased() {
        case "nan" where text.utf8.count == 3:
            self = .nan
            return
        case "inf", "infinity":
            self = isNegative ? .negativeInfinity : .infinity
            return
        default: break
        }

        // The significant digits, the number of digits before the point counted from the first of them, and the scale.
        var digits: [UInt8] = []
        var point = 0
        var scale = 0
        var hasPoint = false
        var hasDigit = false
        scan: while let byte = bytes.first {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                hasDigit = true
                if hasPoint { scale += 1 }
                if byte == UInt8(ascii: "0"), digits.isEmpty {
                    if hasPoint { point -= 1 }
                } else {
                    digits.append(byte - UInt8(ascii: "0"))
                    if !hasPoint { point += 1 }
                }
            case UInt8(ascii: ".") where !hasPoint:
                hasPoint = true
            default:
                break scan
            }
            bytes.removeFirst()
        }
        guard hasDigit else { throw Self.notANumber }
        if let byte = bytes.first {
            guard byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") else { throw Self.notANumber }
            let exponent = try Self.exponent(bytes.dropFirst())
            point += exponent
            scale = max(0, scale - exponent)
        }
        guard scale <= Self.maximumScale, digits.isEmpty || point <= Self.maximumIntegerDigits else {
            throw PersistenceError(.encoding, "the number has more digits than numeric holds")
        }
        self.init(isNegative: isNegative, decimalDigits: digits, point: point, scale: scale)
    }

    /// Groups decimal digits by four.
    ///
    /// - Parameter point: How many of the digits are before the decimal point; can be negative or above their number.
    private init(isNegative: Bool, decimalDigits: [UInt8], point: Int, scale: Int) {
        guard !decimalDigits.isEmpty else {
            self.init(kind: .positive, weight: 0, digits: [], scale: scale)
            return
        }
        let weight = (point - 1) >> 2
        // Zeros that fill the first group from the left.
        let padding = 4 - (point - 4 * weight)
        var groups = [UInt16](repeating: 0, count: (padding + decimalDigits.count + 3) / 4)
        for (index, digit) in decimalDigits.enumerated() {
            let position = padding + index
            let factor: UInt16 =
                switch position & 3 {
                case 0: 1000
                case 1: 100
                case 2: 10
                default: 1
                }
            groups[position >> 2] += UInt16(digit) * factor
        }
        self.init(isNegative: isNegative, weight: weight, unnormalized: groups, scale: scale)
    }

    private static func exponent(_ text: ArraySlice<UInt8>) throws(PersistenceError) -> Int {
        var text = text
        var isNegative = false
        if let first = text.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            isNegative = first == UInt8(ascii: "-")
            text.removeFirst()
        }
        guard !text.isEmpty else { throw notANumber }
        var value = 0
        for byte in text {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { throw notANumber }
            // Beyond every limit already; going on would overflow.
            if value < 1_000_000_000 { value = value * 10 + Int(byte - UInt8(ascii: "0")) }
        }
        return isNegative ? -value : value
    }

    private static var notANumber: PersistenceError {
        PersistenceError(.invalidArgument, "the text is not a decimal number")
    }

    /// The number as PostgreSQL writes it, with ``scale`` digits after the point, or `NaN`, `Infinity`, `-Infinity`.
    public var description: String {
        switch kind {
        case .nan: return "NaN"
        case .infinity: return "Infinity"
        case .negativeInfinity: return "-Infinity"
        case .positive, .negative: break
        }
        var text: [UInt8] = []
        text.reserveCapacity(2 + max(weight + 1, 1) * 4 + scale)
        if kind == .negative { text.append(UInt8(ascii: "-")) }
        if weight < 0 || digits.isEmpty {
            text.append(UInt8(ascii: "0"))
        } else {
            for power in stride(from: weight, through: 0, by: -1) {
                let group = self.group(power)
                if power == weight {
                    text.append(contentsOf: group.description.utf8)
                } else {
                    for factor in [1000, 100, 10, 1] as [UInt16] { text.append(Self.digit(group / factor % 10)) }
                }
            }
        }
        if scale > 0 {
            text.append(UInt8(ascii: "."))
            for place in 0..<scale {
                let factor: UInt16 =
                    switch place & 3 {
                    case 0: 1000
                    case 1: 100
                    case 2: 10
                    default: 1
                    }
                text.append(Self.digit(group(-1 - (place >> 2)) / factor % 10))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func digit(_ value: UInt16) -> UInt8 {
        UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value)
    }

    /// The digit of a power of 10,000.
    func group(_ power: Int) -> UInt16 {
        let index = weight - power
        return digits.indices.contains(index) ? digits[index] : 0
    }
}
