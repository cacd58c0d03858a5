/// A decimal number of any precision that PostgreSQL's `numeric` has: up to 131,072 digits before the decimal point and
/// 16,383 after it, and the special values NaN and ±infinity (infinities from PostgreSQL 14 on).
///
/// Two numbers are equal when their values are: `1.0 == 1.00`, although their ``scale`` differs. As in PostgreSQL, NaN equals
/// itself and sorts above everything else, so that numbers can be sorted and be keys.
public struct PostgresNumeric: Sendable {
    enum Kind: UInt8, Sendable {
        case positive
        case negative
        case nan
        case infinity
        case negativeInfinity
    }

    /// The most digits before the decimal point (`NUMERIC_WEIGHT_MAX` and "Numeric Types" in PostgreSQL's documentation).
    static var maximumIntegerDigits: Int { 131_072 }
    /// The most digits after the decimal point.
    static var maximumScale: Int { 16_383 }

    let kind: Kind
    /// The power of 10,000 of the first digit.
    let weight: Int
    /// Digits to the base 10,000, without zeros at either end; none for zero and the special values.
    let digits: [UInt16]

    /// How many decimal digits follow the point in ``description``; trailing zeros count.
    public let scale: Int

    init(special kind: Kind) {
        self.init(kind: kind, weight: 0, digits: [], scale: 0)
    }

    init(kind: Kind, weight: Int, digits: [UInt16], scale: Int) {
        self.kind = kind
        self.weight = weight
        self.digits = digits
        self.scale = scale
    }

    /// Brings digits into the form that comparisons rely on: no zeros at either end, and no negative zero.
    init(isNegative: Bool, weight: Int, unnormalized digits: [UInt16], scale: Int) {
        var weight = weight
        var slice = digits[...]
        while slice.first == 0 {
            slice.removeFirst()
            weight -= 1
        }
        while slice.last == 0 { slice.removeLast() }
        let isZero = slice.isEmpty
        self.init(
            kind: isNegative && !isZero ? .negative : .positive,
            weight: isZero ? 0 : weight,
            digits: slice.count == digits.count ? digits : Array(slice),
            scale: scale)
    }

    /// Not a number.
    public static var nan: PostgresNumeric { PostgresNumeric(special: .nan) }
    /// Above every number.
    public static var infinity: PostgresNumeric { PostgresNumeric(special: .infinity) }
    /// Below every number.
    public static var negativeInfinity: PostgresNumeric { PostgresNumeric(special: .negativeInfinity) }
    /// Zero.
    public static var zero: PostgresNumeric { PostgresNumeric(special: .positive) }

    /// Whether this is not a number.
    public var isNaN: Bool { kind == .nan }
    /// Whether this is an infinity.
    public var isInfinite: Bool { kind == .infinity || kind == .negativeInfinity }
    /// Whether this is a number and not an infinity.
    public var isFinite: Bool { kind == .positive || kind == .negative }
    /// Whether this is below zero.
    public var isNegative: Bool { kind == .negative || kind == .negativeInfinity }
    /// Whether this is zero.
    public var isZero: Bool { isFinite && digits.isEmpty }
}

extension PostgresNumeric: Hashable {
    /// Compares the values, not the scales; NaN equals itself.
    public static func == (lhs: PostgresNumeric, rhs: PostgresNumeric) -> Bool {
        lhs.kind == rhs.kind && lhs.weight == rhs.weight && lhs.digits == rhs.digits
    }

    /// Feeds the value without the scale.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(kind)
        hasher.combine(weight)
        hasher.combine(digits)
    }
}

extension PostgresNumeric: Comparable {
    private var rank: Int {
        switch kind {
        case .negativeInfinity: 0
        case .negative, .positive: 1
        case .infinity: 2
        case .nan: 3
        }
    }

    /// PostgreSQL's order: -infinity, the numbers, infinity, NaN.
    public static func < (lhs: PostgresNumeric, rhs: PostgresNumeric) -> Bool {
        guard lhs.rank == 1, rhs.rank == 1 else { return lhs.rank < rhs.rank }
        guard lhs.kind == rhs.kind else { return lhs.kind == .negative }
        return lhs.kind == .positive
            ? magnitude(of: lhs, isBelow: rhs) : magnitude(of: rhs, isBelow: lhs)
    }

    private static func magnitude(of lhs: PostgresNumeric, isBelow rhs: PostgresNumeric) -> Bool {
        guard !lhs.digits.isEmpty, !rhs.digits.isEmpty else { return lhs.digits.isEmpty && !rhs.digits.isEmpty }
        guard lhs.weight == rhs.weight else { return lhs.weight < rhs.weight }
        return lhs.digits.lexicographicallyPrecedes(rhs.digits)
    }
}
