import Foundation
import PersistenceCore
import Testing

@testable import PostgresEngine

@Suite("Dates, times and intervals")
struct DateTimeTests {
    @Test(
        "dates match the server's bytes and text",
        arguments: [
            ("2000-01-01", "00000000"), ("2024-02-29", "00002279"), ("1969-12-31", "ffffd532"),
            ("4714-11-24 BC", "ffda97a7"), ("4713-11-24 BC", "ffda9915"), ("5874897-12-31", "7fda970c"),
            ("infinity", "7fffffff"),
            ("-infinity", "80000000"),
        ])
    func dates(text: String, wire: String) throws {
        let date: PostgresDate = try decode(bytes(hex: wire), .date)
        #expect(date.description == text)
        #expect(hex(try encode(date)) == wire)
        if let (year, month, day) = date.components {
            #expect(PostgresDate(year: year, month: month, day: day) == date)
        } else {
            #expect(!date.isFinite)
        }
    }

    @Test("every day of the range has one date, and the next day follows it")
    func calendar() throws {
        var generator = SeededGenerator(seed: 6)
        for _ in 0..<5000 {
            let days = Int(Int32.random(in: -2_451_545...2_145_031_947, using: &generator))
            let today = try #require(PostgresDate(daysSince2000: days))
            let tomorrow = try #require(PostgresDate(daysSince2000: days + 1))
            let (year, month, day) = try #require(today.components)
            #expect(PostgresDate(year: year, month: month, day: day) == today)
            let next =
                PostgresDate(year: year, month: month, day: day + 1) ?? PostgresDate(
                    year: year, month: month + 1, day: 1)
                ?? PostgresDate(year: year + 1, month: 1, day: 1)
            #expect(next == tomorrow)
            #expect(today < tomorrow)
            #expect(try roundTrip(today) == today)
        }
        #expect(PostgresDate.negativeInfinity < PostgresDate(daysSince2000: 0) ?? .infinity)
    }

    @Test("days that do not exist, or that PostgreSQL lacks, are refused")
    func impossibleDates() {
        #expect(PostgresDate(year: 2023, month: 2, day: 29) == nil)
        #expect(PostgresDate(year: 1900, month: 2, day: 29) == nil)
        #expect(PostgresDate(year: 2000, month: 2, day: 29) != nil)
        #expect(PostgresDate(year: 2024, month: 13, day: 1) == nil)
        #expect(PostgresDate(year: 2024, month: 4, day: 31) == nil)
        #expect(PostgresDate(year: 2024, month: 1, day: 0) == nil)
        #expect(PostgresDate(year: .max, month: 1, day: 1) == nil)
        #expect(PostgresDate(year: -4713, month: 11, day: 23) == nil)
        #expect(PostgresDate(year: -4713, month: 11, day: 24) != nil)
        #expect(PostgresDate(daysSince2000: .max) == nil)
        #expect(PostgresDate(daysSince2000: Int(Int32.max)) == nil)
        for wire in ["ffda97a6", "7fda970d", "7ffffffe"] {
            #expect(
                failure { () throws(PersistenceError) in try decode(bytes(hex: wire), .date, as: PostgresDate.self) }?
                    .code
                    == .decoding)
        }
    }

    @Test("times match the server's bytes and text")
    func times() throws {
        let time: PostgresTime = try decode(bytes(hex: "0000000a8be62608"), .time)
        #expect(time.description == "12:34:56.789")
        #expect(time == PostgresTime(hour: 12, minute: 34, second: 56, microsecond: 789_000))
        #expect((time.hour, time.minute, time.second, time.microsecond) == (12, 34, 56, 789_000))
        let end: PostgresTime = try decode(bytes(hex: "000000141dd76000"), .time)
        #expect(end.description == "24:00:00")
        #expect(time < end)
        #expect(PostgresTime(hour: 24) == end)
        #expect(PostgresTime(hour: 24, second: 1) == nil)
        #expect(PostgresTime(hour: 1, minute: 60) == nil)
        #expect(PostgresTime(microseconds: -1) == nil)
        let zoned: PostgresTimeTZ = try decode(bytes(hex: "0000000a8bda1c00ffffb2a8"), .timetz)
        #expect(zoned.description == "12:34:56+05:30")
        #expect(zoned.offset == 19_800)
        #expect(hex(try encode(zoned)) == "0000000a8bda1c00ffffb2a8")
        let west: PostgresTimeTZ = try decode(bytes(hex: "00000000000000000000e0ff"), .timetz)
        #expect(west.description == "00:00:00-15:59:59")
        #expect(PostgresTimeTZ(time, offset: 57_600) == nil)
        for wire in ["ffffffffffffffff", "000000141dd76001"] {
            #expect(
                failure { () throws(PersistenceError) in try decode(bytes(hex: wire), .time, as: PostgresTime.self) }?
                    .code
                    == .decoding)
        }
        for zone in ["80000000", "0000e100", "7fffffff"] {
            #expect(
                failure { () throws(PersistenceError) in
                    try decode(bytes(hex: "0000000000000000" + zone), .timetz, as: PostgresTimeTZ.self)
                }?.code == .decoding)
        }
    }

    @Test(
        "timestamps match the server's bytes and text",
        arguments: [
            ("2024-01-31 12:34:56.789012", "0002b33be00ca614"), ("4714-11-24 00:00:00 BC", "fd0f7cc1411fa000"),
            ("294276-12-31 23:59:59.999999", "7fffff5bb3b29fff"), ("infinity", "7fffffffffffffff"),
            ("-infinity", "8000000000000000"),
        ])
    func timestamps(text: String, wire: String) throws {
        let timestamp: PostgresTimestamp = try decode(bytes(hex: wire), .timestamp)
        #expect(timestamp.description == text)
        #expect(hex(try encode(timestamp)) == wire)
        if let date = timestamp.date, let time = timestamp.time {
            #expect(PostgresTimestamp(date, time) == timestamp)
        } else {
            #expect(!timestamp.isFinite)
        }
        let instant: PostgresTimestampTZ = try decode(bytes(hex: wire), .timestamptz)
        #expect(instant.microsecondsSince2000 == timestamp.microsecondsSince2000)
    }

    @Test("a timestamp with zone shows UTC, and is no timestamp without")
    func zones() throws {
        let instant: PostgresTimestampTZ = try decode(bytes(hex: "0002b33a32e55e14"), .timestamptz)
        #expect(instant.description == "2024-01-31 10:34:56.789012+00")
        let error = failure { () throws(PersistenceError) in
            try decode(bytes(hex: "0002b33a32e55e14"), .timestamptz, as: PostgresTimestamp.self)
        }
        #expect(error?.summary == "expected PostgresTimestamp, found timestamptz")
        #expect(
            failure { () throws(PersistenceError) in
                try decode(bytes(hex: "0002b33a32e55e14"), .timestamp, as: Date.self)
            }?.code == .decoding)
        for wire in ["fd0f7cc1411f9fff", "7fffff5bb3b2a000", "7ffffffffffffffe"] {
            #expect(
                failure { () throws(PersistenceError) in
                    try decode(bytes(hex: wire), .timestamp, as: PostgresTimestamp.self)
                }?.code == .decoding)
        }
        #expect(PostgresTimestamp(.infinity, PostgresTime(hour: 0) ?? .init(hour: 1)!) == nil)
        let last = try #require(PostgresDate(year: 5_874_897, month: 12, day: 31))
        #expect(PostgresTimestamp(last, try #require(PostgresTime(hour: 0))) == nil)
    }

    @Test("Date keeps microseconds, and refuses what it cannot hold")
    func foundationDates() throws {
        var generator = SeededGenerator(seed: 7)
        // 1729 to 2272.
        for _ in 0..<5000 {
            let microseconds = Int64.random(in: -8_551_000_000_000_000...8_614_000_000_000_000, using: &generator)
            let timestamp = try #require(PostgresTimestampTZ(microsecondsSince2000: microseconds))
            let date = try #require(Date(timestamp))
            #expect(PostgresTimestampTZ(date) == timestamp)
            #expect(try roundTrip(date) == date)
        }
        #expect(try roundTrip(Date(timeIntervalSince1970: 0)) == Date(timeIntervalSince1970: 0))
        #expect(hex(try encode(Date(timeIntervalSince1970: 946_684_800))) == "0000000000000000")
        // Half a microsecond is rounded.
        let rounded = try #require(PostgresTimestampTZ(Date(timeIntervalSinceReferenceDate: 0.000_000_6)))
        #expect(rounded.microsecondsSince2000 == 31_622_400_000_001)
        let below = try #require(PostgresTimestampTZ(Date(timeIntervalSinceReferenceDate: -0.000_000_6)))
        #expect(below.microsecondsSince2000 == 31_622_399_999_999)
        for interval in [Double.infinity, -.infinity, .nan, 1e300, -1e300, 9.3e12, -2.2e11, 9.3e18] {
            let date = Date(timeIntervalSinceReferenceDate: interval)
            #expect(failure { () throws(PersistenceError) in try encode(date) }?.code == .encoding)
        }
        #expect(try roundTrip(Date.distantFuture) == .distantFuture)
        #expect(try roundTrip(Date.distantPast) == .distantPast)
        let error = failure { () throws(PersistenceError) in
            try decode(bytes(hex: "7fffffffffffffff"), .timestamptz, as: Date.self)
        }
        #expect(error?.summary == "the timestamptz value cannot be represented as Date")
    }

    @Test(
        "intervals are written as the server writes them",
        arguments: [
            (
                PostgresInterval(months: 14, days: -3, microseconds: 14_706_789_000),
                "1 year 2 mons -3 days +04:05:06.789"
            ),
            (PostgresInterval(months: -12, days: 3), "-1 years +3 days"), (PostgresInterval(), "00:00:00"),
            (PostgresInterval(months: -1, days: -1, microseconds: -500_000), "-1 mons -1 days -00:00:00.5"),
            (PostgresInterval(days: 2, microseconds: -3_600_000_000), "2 days -01:00:00"),
            (PostgresInterval(months: -13, days: 5), "-1 years -1 mons +5 days"),
            (PostgresInterval(microseconds: .min), "-2562047788:00:54.775808"), (.infinity, "infinity"),
            (.negativeInfinity, "-infinity"),
        ])
    func intervals(interval: PostgresInterval, text: String) throws {
        #expect(interval.description == text)
        #expect(try roundTrip(interval) == interval)
    }

    @Test("a Date far away is the nearest that there is, so that it comes back as it was sent")
    func distantDates() throws {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<5_000 {
            let microseconds = Int64.random(in: -200_000_000_000_000_000...9_000_000_000_000_000_000, using: &generator)
            let timestamp = try #require(PostgresTimestampTZ(microsecondsSince2000: microseconds))
            let date = try #require(Date(timestamp))
            #expect(try roundTrip(date) == date)
        }
        // Of 1684, where the neighbours are two microseconds away; found by fuzzing.
        let date = try decode(bytes(hex: "ffdca2fec4c804f6"), .timestamptz, as: Date.self)
        #expect(try roundTrip(date) == date)
    }

    @Test("an interval matches the server's bytes and takes durations")
    func intervalVector() throws {
        let interval = PostgresInterval(months: 14, days: -3, microseconds: 14_706_789_000)
        #expect(hex(try encode(interval)) == "000000036c97ca88fffffffd0000000e")
        #expect(PostgresInterval(.milliseconds(1_500)) == PostgresInterval(microseconds: 1_500_000))
        #expect(PostgresInterval(.seconds(-1)) == PostgresInterval(microseconds: -1_000_000))
        #expect(PostgresInterval(.seconds(Int64.max)) == nil)
    }
}
