public import PersistenceCore

/// A day of the Gregorian calendar, PostgreSQL's `date`: from 4714-11-24 BC to 5874897-12-31, or ±infinity.
public struct PostgresDate: Hashable, Sendable, Comparable {
    /// Days since 2000-01-01; the infinities are the ends of the integer's range.
    public let daysSince2000: Int32

    private init(unchecked days: Int32) {
        daysSince2000 = days
    }

    /// Creates a date.
    ///
    /// - Parameter daysSince2000: Days since 2000-01-01; `nil` when the day is out of PostgreSQL's range.
    public init?(daysSince2000: Int) {
        guard let days = Int32(exactly: daysSince2000), PostgresCalendar.dateRange.contains(days) else { return nil }
        self.daysSince2000 = days
    }

    /// Creates a date; `nil` when there is no such day or it is out of PostgreSQL's range.
    ///
    /// - Parameters:
    ///   - year: The astronomical year: 0 is 1 BC, -1 is 2 BC.
    ///   - month: The month, from 1 to 12.
    ///   - day: The day of the month, from 1.
    public init?(year: Int, month: Int, day: Int) {
        guard (-4713...5_874_897).contains(year), (1...12).contains(month), day >= 1,
            day <= PostgresCalendar.daysIn(month: month, year: year)
        else { return nil }
        self.init(daysSince2000: PostgresCalendar.days(year: year, month: month, day: day))
    }

    /// Later than every day.
    public static var infinity: PostgresDate { PostgresDate(unchecked: .max) }
    /// Earlier than every day.
    public static var negativeInfinity: PostgresDate { PostgresDate(unchecked: .min) }

    /// Whether this is a day and not an infinity.
    public var isFinite: Bool { daysSince2000 != .max && daysSince2000 != .min }

    /// The astronomical year, month and day; `nil` for an infinity.
    public var components: (year: Int, month: Int, day: Int)? {
        isFinite ? PostgresCalendar.components(days: Int(daysSince2000)) : nil
    }

    /// Compares the days.
    public static func < (lhs: PostgresDate, rhs: PostgresDate) -> Bool { lhs.daysSince2000 < rhs.daysSince2000 }
}

extension PostgresDate: CustomStringConvertible {
    /// The date as PostgreSQL writes it with `DateStyle` ISO, such as `2024-01-31`, `0044-03-15 BC` or `infinity`.
    public var description: String {
        guard isFinite else { return daysSince2000 == .max ? "infinity" : "-infinity" }
        let (text, isBC) = PostgresCalendar.dateText(days: Int(daysSince2000))
        return isBC ? text + " BC" : text
    }
}

extension PostgresDate: PostgresElement {
    /// `date`.
    public static var postgresType: PostgresType { .date }

    /// Reads `date`.
    public static func canDecode(_ type: PostgresType) -> Bool { type == .date }

    /// Reads `date`.
    public static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> PostgresDate {
        try value.require(PostgresDate.self, count: 4)
        let days = value.load(Int32.self)
        guard PostgresCalendar.dateRange.contains(days) || days == .max || days == .min else {
            throw value.malformed("it is out of the range of dates")
        }
        return PostgresDate(unchecked: days)
    }

    /// Appends four bytes.
    public func encode(into writer: inout PostgresWriter) { writer.write(daysSince2000) }
}
