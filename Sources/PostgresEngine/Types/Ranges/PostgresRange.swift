public import PersistenceCore

/// A type that ranges can have as bounds.
public protocol PostgresRangeBound: PostgresElement, Comparable {
    /// The type of ranges with these bounds; left to the server unless it is built in.
    static var postgresRangeType: PostgresType { get }

    /// The type of multiranges with these bounds; left to the server unless it is built in.
    static var postgresMultirangeType: PostgresType { get }
}

extension PostgresRangeBound {
    /// Left to the server.
    public static var postgresRangeType: PostgresType { .unspecified }

    /// Left to the server.
    public static var postgresMultirangeType: PostgresType { .unspecified }
}

/// A range of values, PostgreSQL's `int4range`, `int8range`, `numrange`, `tsrange`, `tstzrange`, `daterange`, or one that
/// the database defines.
///
/// Two ranges are equal when their bounds are. The server brings ranges of integers and dates into the form `[lower,upper)`,
/// so what comes back can be written differently from what was sent.
public struct PostgresRange<Bound: PostgresRangeBound> {
    /// An end of a range.
    public enum Endpoint {
        /// The range has no end here.
        case unbounded
        /// The value belongs to the range.
        case inclusive(Bound)
        /// The value does not belong to the range.
        case exclusive(Bound)

        /// The value, if there is one.
        public var value: Bound? {
            switch self {
            case .unbounded: nil
            case .inclusive(let value), .exclusive(let value): value
            }
        }
    }

    /// Both ends; `nil` when the range is empty.
    public let endpoints: (lower: Endpoint, upper: Endpoint)?

    private init(endpoints: (lower: Endpoint, upper: Endpoint)?) {
        self.endpoints = endpoints
    }

    init(decodedLower lower: Endpoint, upper: Endpoint) {
        self.init(endpoints: (lower, upper))
    }

    /// Creates a range.
    ///
    /// A range whose bounds are equal and not both inclusive is empty, as in PostgreSQL.
    ///
    /// - Parameters:
    ///   - lower: The lower end.
    ///   - upper: The upper end.
    /// - Throws: ``PersistenceError`` with the code `invalidArgument` when the lower bound is above the upper one.
    public init(lower: Endpoint, upper: Endpoint) throws(PersistenceError) {
        guard let first = lower.value, let last = upper.value else {
            endpoints = (lower, upper)
            return
        }
        guard first <= last else {
            throw PersistenceError(.invalidArgument, "a range's lower bound is above its upper bound")
        }
        if first == last {
            guard case .inclusive = lower, case .inclusive = upper else {
                endpoints = nil
                return
            }
        }
        endpoints = (lower, upper)
    }

    /// The range without values.
    public static var empty: PostgresRange { PostgresRange(endpoints: nil) }

    /// The range of all values.
    public static var unbounded: PostgresRange { PostgresRange(endpoints: (.unbounded, .unbounded)) }

    /// A range that contains its lower bound and not its upper bound.
    ///
    /// - Parameter range: The range; an empty one loses its bound.
    public init(_ range: Range<Bound>) {
        endpoints = range.isEmpty ? nil : (.inclusive(range.lowerBound), .exclusive(range.upperBound))
    }

    /// A range that contains both bounds.
    ///
    /// - Parameter range: The range.
    public init(_ range: ClosedRange<Bound>) {
        endpoints = (.inclusive(range.lowerBound), .inclusive(range.upperBound))
    }

    /// A range without an upper bound.
    ///
    /// - Parameter range: The range.
    public init(_ range: PartialRangeFrom<Bound>) {
        endpoints = (.inclusive(range.lowerBound), .unbounded)
    }

    /// A range without a lower bound, which does not contain its upper bound.
    ///
    /// - Parameter range: The range.
    public init(_ range: PartialRangeUpTo<Bound>) {
        endpoints = (.unbounded, .exclusive(range.upperBound))
    }

    /// A range without a lower bound, which contains its upper bound.
    ///
    /// - Parameter range: The range.
    public init(_ range: PartialRangeThrough<Bound>) {
        endpoints = (.unbounded, .inclusive(range.upperBound))
    }

    /// Whether the range has no values.
    public var isEmpty: Bool { endpoints == nil }

    /// The lower bound; `nil` when the range is empty or has none.
    public var lowerBound: Bound? { endpoints?.lower.value }

    /// The upper bound; `nil` when the range is empty or has none.
    public var upperBound: Bound? { endpoints?.upper.value }

    /// Whether a value is in the range.
    ///
    /// - Parameter value: The value.
    /// - Returns: Whether it is.
    public func contains(_ value: Bound) -> Bool {
        guard let (lower, upper) = endpoints else { return false }
        let isAbove =
            switch lower {
            case .unbounded: true
            case .inclusive(let bound): bound <= value
            case .exclusive(let bound): bound < value
            }
        guard isAbove else { return false }
        return switch upper {
        case .unbounded: true
        case .inclusive(let bound): value <= bound
        case .exclusive(let bound): value < bound
        }
    }
}

extension PostgresRange.Endpoint: Equatable where Bound: Equatable {}
extension PostgresRange.Endpoint: Hashable where Bound: Hashable {}
extension PostgresRange.Endpoint: Sendable where Bound: Sendable {}
extension PostgresRange: Sendable where Bound: Sendable {}

extension PostgresRange: Equatable {
    /// Compares the ends.
    public static func == (lhs: PostgresRange, rhs: PostgresRange) -> Bool {
        switch (lhs.endpoints, rhs.endpoints) {
        case (nil, nil): true
        case (let left?, let right?): left == right
        default: false
        }
    }
}

extension PostgresRange: Hashable where Bound: Hashable {
    /// Feeds the ends.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(endpoints?.lower)
        hasher.combine(endpoints?.upper)
    }
}
