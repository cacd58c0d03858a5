public import PersistenceCore

/// A date and time without a zone, PostgreSQL's `timestamp`: what a calendar and a clock on the wall show.
///
/// The range is 4714-11-24 BC to 294276-12-31, in microseconds, or ±infinity.
public struct PostgresTimestamp: Hashable, Sendable, Comparable {
    /// Microseconds since 2000-01-01 00:00; the infinities are the ends of the integer's range.
    public let microsecondsSince2000: Int64

    private init(unchecked microseconds: Int64) {
        microsecondsSince2000 = microseconds
    }

    /// Creates a timestamp; `nil` when it is out of PostgreSQL's range.
    ///
    /// - Parameter microsecondsSince2000: Microseconds since 2000-01-01 00:00.
    public init?(microsecondsSince2000: Int64) {
        guard PostgresCalendar.timestampRange.contains(microsecondsSince2000) else { return nil }
        self.microsecondsSince2000 = microsecondsSince2000
    }

    /// Creates a timestamp of a date and a time; `nil` when the date is infinite or out of the range of timestamps.
    ///
    /// - Parameters:
    ///   - date: The day.
    ///   - time: The time of the day; 24:00 is the next day's midnight.
    public init?(_ date: PostgresDate, _ time: PostgresTime) {
        guard date.isFinite else { return nil }
        let (midnight, overflow) = Int64(date.daysSince2000)
            .multipliedReportingOverflow(by: PostgresCalendar.microsecondsPerDay)
        let (sum, carry) = midnight.addingReportingOverflow(time.microseconds)
        guard !overflow, !carry else { return nil }
        self.init(microsecondsSince2000: sum)
    }

    /// Later than every timestamp.
    public static var infinity: PostgresTimestamp { PostgresTimestamp(unchecked: .max) }
    /// Earlier than every timestamp.
    public static var negativeInfinity: PostgresTimestamp { PostgresTimestamp(unchecked: .min) }

    /// Whether this is a point in time and not an infinity.
    public var isFinite: Bool { microsecondsSince2000 != .max && microsecondsSince2000 != .min }

    /// The day; `nil` for an infinity.
    public var date: PostgresDate? {
        isFinite ? PostgresDate(daysSince2000: PostgresCalendar.split(microsecondsSince2000).days) : nil
    }

    /// The time of the day; `nil` for an infinity.
    public var time: PostgresTime? {
        isFinite ? PostgresTime(microseconds: PostgresCalendar.split(microsecondsSince2000).time) : nil
    }

    /// Compares the timestamps.
    public static func < (lhs: PostgresTimestamp, rhs: PostgresTimestamp) -> Bool {
        lhs.microsecondsSince2000 < rhs.microsecondsSince2000
    }
}

extension PostgresTimestamp: CustomStringConvertible {
    /// The timestamp as PostgreSQL writes it with `DateStyle` ISO, such as `2024-01-31 12:34:56.789`.
    public var description: String {
        guard isFinite else { return microsecondsSince2000 == .max ? "infinity" : "-infinity" }
        return PostgresCalendar.timestampText(microsecondsSince2000, zone: "")
    }
}

extension PostgresTimestamp: PostgresElement {
    /// `timestamp`.
    public static var postgresType: PostgresType { .timestamp }

    /// Reads `timestamp`.
    public static func canDecode(_ type: PostgresType) -> Bool { type == .timestamp }

    /// Reads `timestamp`.
    public static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> PostgresTimestamp {
        try value.require(PostgresTimestamp.self, count: 8)
        let microseconds = value.load(Int64.self)
        guard PostgresCalendar.timestampRange.contains(microseconds) || microseconds == .max || microseconds == .min
        else { throw value.malformed("it is out of the range of timestamps") }
        return PostgresTimestamp(unchecked: microseconds)
    }

    /// Appends eight bytes.
    public func encode(into writer: inout PostgresWriter) { writer.write(microsecondsSince2000) }
}
