public import PersistenceCore

/// A span of time, PostgreSQL's `interval`: months, days and microseconds, which do not add up to one number because months
/// and days differ in length.
///
/// Two intervals are equal when all three parts are; PostgreSQL's own comparison, where a month has 30 days and a day 24
/// hours, calls more of them equal.
public struct PostgresInterval: Hashable, Sendable {
    /// Months; a year is twelve.
    public var months: Int32
    /// Days.
    public var days: Int32
    /// Microseconds, which can exceed a day.
    public var microseconds: Int64

    /// Creates an interval.
    ///
    /// - Parameters:
    ///   - months: Months; a year is twelve.
    ///   - days: Days.
    ///   - microseconds: Microseconds.
    public init(months: Int32 = 0, days: Int32 = 0, microseconds: Int64 = 0) {
        self.months = months
        self.days = days
        self.microseconds = microseconds
    }

    /// Creates an interval of microseconds alone, rounded towards zero; `nil` when the duration is out of range.
    ///
    /// - Parameter duration: The duration.
    public init?(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        let (sum, carry) = product.addingReportingOverflow(attoseconds / 1_000_000_000_000)
        guard !overflow, !carry else { return nil }
        self.init(microseconds: sum)
    }

    /// Longer than every interval (PostgreSQL 17 and later).
    public static var infinity: PostgresInterval { .init(months: .max, days: .max, microseconds: .max) }
    /// Shorter than every interval (PostgreSQL 17 and later).
    public static var negativeInfinity: PostgresInterval { .init(months: .min, days: .min, microseconds: .min) }
}

extension PostgresInterval: CustomStringConvertible {
    /// The interval as PostgreSQL writes it by default, such as `1 year 2 mons -3 days +04:05:06.789`.
    public var description: String {
        if self == .infinity { return "infinity" }
        if self == .negativeInfinity { return "-infinity" }
        var text = ""
        // A sign is written out where it changes.
        var isAfterNegative = false
        func append(_ value: Int32, _ unit: String) {
            guard value != 0 else { return }
            if !text.isEmpty { text += " " }
            if isAfterNegative, value > 0 { text += "+" }
            text += "\(value) \(unit)\(value == 1 ? "" : "s")"
            isAfterNegative = value < 0
        }
        append(months / 12, "year")
        append(months % 12, "mon")
        append(days, "day")
        if microseconds != 0 || text.isEmpty {
            if !text.isEmpty { text += " " }
            text += microseconds < 0 ? "-" : isAfterNegative ? "+" : ""
            let (seconds, fraction) = microseconds.magnitude.quotientAndRemainder(dividingBy: 1_000_000)
            text += "\(PostgresCalendar.pad(seconds / 3600, to: 2)):\(PostgresCalendar.pad(seconds / 60 % 60, to: 2)):"
            text += PostgresCalendar.pad(seconds % 60, to: 2) + PostgresCalendar.fractionText(Int64(fraction))
        }
        return text
    }
}

extension PostgresInterval: PostgresElement {
    /// `interval`.
    public static var postgresType: PostgresType { .interval }

    /// Reads `interval`.
    public static func canDecode(_ type: PostgresType) -> Bool { type == .interval }

    /// Reads `interval`.
    public static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> PostgresInterval {
        try value.require(PostgresInterval.self, count: 16)
        return PostgresInterval(
            months: value.load(Int32.self, at: 12),
            days: value.load(Int32.self, at: 8),
            microseconds: value.load(Int64.self))
    }

    /// Appends sixteen bytes.
    public func encode(into writer: inout PostgresWriter) {
        writer.write(microseconds)
        writer.write(days)
        writer.write(months)
    }
}
