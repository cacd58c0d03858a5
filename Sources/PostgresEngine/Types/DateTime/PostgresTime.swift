public import PersistenceCore

/// A time of day without a zone, PostgreSQL's `time`: from 00:00 to 24:00, in microseconds.
public struct PostgresTime: Hashable, Sendable, Comparable {
    /// Microseconds since midnight; 24:00 is a value of its own.
    public let microseconds: Int64

    /// Creates a time; `nil` when it is not between 00:00 and 24:00.
    ///
    /// - Parameter microseconds: Microseconds since midnight.
    public init?(microseconds: Int64) {
        guard (0...PostgresCalendar.microsecondsPerDay).contains(microseconds) else { return nil }
        self.microseconds = microseconds
    }

    /// Creates a time; `nil` when a part is out of range.
    ///
    /// - Parameters:
    ///   - hour: The hour, from 0 to 24; 24 only with nothing after it.
    ///   - minute: The minute, from 0 to 59.
    ///   - second: The second, from 0 to 59.
    ///   - microsecond: The microsecond, from 0 to 999,999.
    public init?(hour: Int, minute: Int = 0, second: Int = 0, microsecond: Int = 0) {
        guard (0...24).contains(hour), (0...59).contains(minute), (0...59).contains(second),
            (0...999_999).contains(microsecond)
        else { return nil }
        self.init(microseconds: Int64(((hour * 60 + minute) * 60 + second) * 1_000_000 + microsecond))
    }

    /// The hour, from 0 to 24.
    public var hour: Int { Int(microseconds / 3_600_000_000) }
    /// The minute of the hour.
    public var minute: Int { Int(microseconds / 60_000_000 % 60) }
    /// The second of the minute.
    public var second: Int { Int(microseconds / 1_000_000 % 60) }
    /// The microsecond of the second.
    public var microsecond: Int { Int(microseconds % 1_000_000) }

    /// Compares the times.
    public static func < (lhs: PostgresTime, rhs: PostgresTime) -> Bool { lhs.microseconds < rhs.microseconds }
}

extension PostgresTime: CustomStringConvertible {
    /// The time as PostgreSQL writes it, such as `12:34:56.789`.
    public var description: String { PostgresCalendar.timeText(microseconds) }
}

extension PostgresTime: PostgresElement {
    /// `time`.
    public static var postgresType: PostgresType { .time }

    /// Reads `time`.
    public static func canDecode(_ type: PostgresType) -> Bool { type == .time }

    /// Reads `time`.
    public static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> PostgresTime {
        try value.require(PostgresTime.self, count: 8)
        guard let time = PostgresTime(microseconds: value.load(Int64.self)) else {
            throw value.malformed("it is out of the range of times")
        }
        return time
    }

    /// Appends eight bytes.
    public func encode(into writer: inout PostgresWriter) { writer.write(microseconds) }
}

/// A time of day with an offset from UTC, PostgreSQL's `timetz`.
///
/// PostgreSQL advises against the type ("Date/Time Types"); it is here for schemas that have it. Two values are equal when
/// time and offset are, as in PostgreSQL.
public struct PostgresTimeTZ: Hashable, Sendable {
    /// The time of day at the offset.
    public let time: PostgresTime

    /// Seconds east of UTC, from -15:59:59 to +15:59:59.
    public let offset: Int32

    /// Creates a time; `nil` when the offset is 16 hours or more.
    ///
    /// - Parameters:
    ///   - time: The time of day at the offset.
    ///   - offset: Seconds east of UTC.
    public init?(_ time: PostgresTime, offset: Int32) {
        guard (-57_599...57_599).contains(offset) else { return nil }
        self.time = time
        self.offset = offset
    }
}

extension PostgresTimeTZ: CustomStringConvertible {
    /// The time as PostgreSQL writes it, such as `12:34:56+05:30`.
    public var description: String {
        let magnitude = offset.magnitude
        var text = "\(time)\(offset < 0 ? "-" : "+")\(PostgresCalendar.pad(magnitude / 3600, to: 2))"
        if magnitude % 3600 != 0 { text += ":" + PostgresCalendar.pad(magnitude / 60 % 60, to: 2) }
        if magnitude % 60 != 0 { text += ":" + PostgresCalendar.pad(magnitude % 60, to: 2) }
        return text
    }
}

extension PostgresTimeTZ: PostgresElement {
    /// `timetz`.
    public static var postgresType: PostgresType { .timetz }

    /// Reads `timetz`.
    public static func canDecode(_ type: PostgresType) -> Bool { type == .timetz }

    /// Reads `timetz`.
    public static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> PostgresTimeTZ {
        try value.require(PostgresTimeTZ.self, count: 12)
        // The server counts seconds west of UTC.
        let (east, overflow) = (0 as Int32).subtractingReportingOverflow(value.load(Int32.self, at: 8))
        guard !overflow, let time = PostgresTime(microseconds: value.load(Int64.self)),
            let result = PostgresTimeTZ(time, offset: east)
        else { throw value.malformed("it is out of the range of times") }
        return result
    }

    /// Appends twelve bytes.
    public func encode(into writer: inout PostgresWriter) {
        writer.write(time.microseconds)
        writer.write(-offset)
    }
}
