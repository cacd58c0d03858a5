/// The proleptic Gregorian calendar as PostgreSQL counts it, without time zones or Foundation.
enum PostgresCalendar {
    static var microsecondsPerSecond: Int64 { 1_000_000 }
    static var microsecondsPerDay: Int64 { 86_400_000_000 }
    /// From 2000-01-01 to 2001-01-01, the reference date of Foundation.
    static var referenceDateOffset: Int64 { 31_622_400 * microsecondsPerSecond }
    /// 4714-11-24 BC, day 0 of the Julian count, to the last day before 294277 (`timestamp.h`).
    static var timestampRange: ClosedRange<Int64> { -211_813_488_000_000_000...9_223_371_331_199_999_999 }
    /// 4714-11-24 BC to 5874897-12-31 (`DATE_END_JULIAN`).
    static var dateRange: ClosedRange<Int32> { -2_451_545...2_145_031_948 }

    /// Days from 0000-03-01 to 2000-01-01; counting years from March puts the leap day last.
    private static var epochOffset: Int { 730_425 }

    /// Days since 2000-01-01; years are astronomical, so 0 is 1 BC.
    static func days(year: Int, month: Int, day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let era = floorDivide(year, 400)
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - epochOffset
    }

    static func components(days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + epochOffset
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        )
    }

    static func daysIn(month: Int, year: Int) -> Int {
        switch month {
        case 2: year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400)) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    static func floorDivide(_ value: Int, _ divisor: Int) -> Int {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }

    /// Days and the microseconds that remain, which are never negative.
    static func split(_ microseconds: Int64) -> (days: Int, time: Int64) {
        let (quotient, remainder) = microseconds.quotientAndRemainder(dividingBy: microsecondsPerDay)
        return remainder < 0
            ? (Int(quotient) - 1, remainder + microsecondsPerDay) : (Int(quotient), remainder)
    }

    static func pad(_ value: some BinaryInteger, to width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// `2024-01-31`, without the era.
    static func dateText(days: Int) -> (text: String, isBC: Bool) {
        let (year, month, day) = components(days: days)
        let isBC = year <= 0
        return ("\(pad(isBC ? 1 - year : year, to: 4))-\(pad(month, to: 2))-\(pad(day, to: 2))", isBC)
    }

    /// `12:34:56.789`; trailing zeros of the fraction are dropped.
    static func timeText(_ microseconds: Int64) -> String {
        let seconds = microseconds / microsecondsPerSecond
        let text = "\(pad(seconds / 3600, to: 2)):\(pad(seconds / 60 % 60, to: 2)):\(pad(seconds % 60, to: 2))"
        return text + fractionText(microseconds % microsecondsPerSecond)
    }

    static func fractionText(_ microseconds: Int64) -> String {
        guard microseconds != 0 else { return "" }
        var fraction = pad(microseconds, to: 6)
        while fraction.hasSuffix("0") { fraction.removeLast() }
        return "." + fraction
    }

    static func timestampText(_ microseconds: Int64, zone: String) -> String {
        let (days, time) = split(microseconds)
        let (date, isBC) = dateText(days: days)
        return "\(date) \(timeText(time))\(zone)\(isBC ? " BC" : "")"
    }
}
