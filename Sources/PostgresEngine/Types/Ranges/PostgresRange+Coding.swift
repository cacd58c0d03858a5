public import PersistenceCore

/// The bits of a range's first byte (`rangetypes.h` in PostgreSQL's sources).
private enum RangeFlags {
    static var empty: UInt8 { 0x01 }
    static var lowerInclusive: UInt8 { 0x02 }
    static var upperInclusive: UInt8 { 0x04 }
    static var lowerInfinite: UInt8 { 0x08 }
    static var upperInfinite: UInt8 { 0x10 }
    static var known: UInt8 { 0x1f }
}

extension PostgresRange: PostgresElement {
    /// The built-in range type with such bounds; left to the server when there is none.
    public static var postgresType: PostgresType { Bound.postgresRangeType }

    /// Reads ranges with bounds that the bound's type reads.
    public static func canDecode(_ type: PostgresType) -> Bool {
        if type.rangeType != nil { return false }
        if let found = type.boundType { return Bound.canDecode(found) }
        return type.isUserDefined
    }

    /// Reads a range.
    public static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> PostgresRange {
        try value.read(as: Self.self) { reader throws(PersistenceError) in
            // The representation does not say the bounds' type; that of a range the database defines is taken on trust.
            try Self(from: &reader, boundType: reader.type.boundType ?? Bound.postgresBinaryType)
        }
    }

    init(from reader: inout PostgresReader, boundType: PostgresType) throws(PersistenceError) {
        let flags = try reader.read(UInt8.self)
        guard flags & ~RangeFlags.known == 0 else { throw reader.malformed("the flags are unknown") }
        guard flags & RangeFlags.empty == 0 else {
            self = .empty
            return
        }
        var lower = Endpoint.unbounded
        var upper = Endpoint.unbounded
        if flags & RangeFlags.lowerInfinite == 0 {
            let bound: Bound = try reader.readField(type: boundType)
            lower = flags & RangeFlags.lowerInclusive == 0 ? .exclusive(bound) : .inclusive(bound)
        }
        if flags & RangeFlags.upperInfinite == 0 {
            let bound: Bound = try reader.readField(type: boundType)
            upper = flags & RangeFlags.upperInclusive == 0 ? .exclusive(bound) : .inclusive(bound)
        }
        // The server's order of the bounds can be another than Swift's (text in a collation): it is not checked here.
        self.init(decodedLower: lower, upper: upper)
    }

    /// Appends the range.
    ///
    /// - Throws: ``PersistenceError`` with the code `encoding` when PostgreSQL's type cannot hold a bound.
    public func encode(into writer: inout PostgresWriter) throws(PersistenceError) {
        guard let (lower, upper) = endpoints else { return writer.write(RangeFlags.empty) }
        var flags: UInt8 = 0
        switch lower {
        case .unbounded: flags |= RangeFlags.lowerInfinite
        case .inclusive: flags |= RangeFlags.lowerInclusive
        case .exclusive: break
        }
        switch upper {
        case .unbounded: flags |= RangeFlags.upperInfinite
        case .inclusive: flags |= RangeFlags.upperInclusive
        case .exclusive: break
        }
        writer.write(flags)
        if let value = lower.value { try writer.writeField(value) }
        if let value = upper.value { try writer.writeField(value) }
    }
}

/// Several ranges that neither overlap nor touch, in order: PostgreSQL's multiranges (PostgreSQL 14 and later).
///
/// The server brings what it is sent into that form, so what comes back can differ from what was sent.
public struct PostgresMultirange<Bound: PostgresRangeBound> {
    /// The ranges.
    public var ranges: [PostgresRange<Bound>]

    /// Creates a multirange.
    ///
    /// - Parameter ranges: The ranges.
    public init(_ ranges: [PostgresRange<Bound>] = []) {
        self.ranges = ranges
    }
}

extension PostgresMultirange: Equatable {}
extension PostgresMultirange: Hashable where Bound: Hashable {}
extension PostgresMultirange: Sendable where Bound: Sendable {}

extension PostgresMultirange: PostgresElement {
    /// The built-in multirange type with such bounds; left to the server when there is none.
    public static var postgresType: PostgresType { Bound.postgresMultirangeType }

    /// Reads multiranges with bounds that the bound's type reads.
    public static func canDecode(_ type: PostgresType) -> Bool {
        guard type.rangeType != nil, let bound = type.boundType else { return type.isUserDefined }
        return Bound.canDecode(bound)
    }

    /// Reads a multirange.
    public static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> PostgresMultirange {
        try value.read(as: Self.self) { reader throws(PersistenceError) in
            let count = Int(try reader.read(Int32.self))
            // A range takes its length and its flags at least.
            guard count >= 0, count <= reader.remaining / 5 else {
                throw reader.malformed("the number of ranges is impossible")
            }
            let type = reader.type.rangeType ?? reader.type
            var ranges: [PostgresRange<Bound>] = []
            ranges.reserveCapacity(count)
            for _ in 0..<count {
                ranges.append(try reader.readField(type: type))
            }
            return PostgresMultirange(ranges)
        }
    }

    /// Appends the ranges.
    ///
    /// - Throws: ``PersistenceError`` with the code `encoding` when PostgreSQL's type cannot hold a bound.
    public func encode(into writer: inout PostgresWriter) throws(PersistenceError) {
        guard let count = Int32(exactly: ranges.count) else { throw PersistenceError(.tooLarge) }
        writer.write(count)
        for range in ranges { try writer.writeField(range) }
    }
}
