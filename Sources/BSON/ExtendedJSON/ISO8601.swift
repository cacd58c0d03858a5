/// Points in time as text, to the millisecond.
///
/// Written out here because going through floating-point seconds loses milliseconds.
enum ISO8601 {
    private static let millisecondsPerDay: Int64 = 86_400_000

    /// The time in UTC, with milliseconds when there are any, or `nil` before the year 0 and after the year 9999.
    static func text(_ date: BSONDate) -> String? {
        let total = date.millisecondsSince1970
        guard total >= -62_167_219_200_000, total <= 253_402_300_799_999 else { return nil }
        let day = floorDivide(total, millisecondsPerDay)
        var rest = total - day * millisecondsPerDay
        let (year, month, dayOfMonth) = civil(day)
        let milliseconds = rest % 1000
        rest /= 1000
        var text = "\(padded(year, 4))-\(padded(month, 2))-\(padded(dayOfMonth, 2))"
        text += "T\(padded(rest / 3600, 2)):\(padded(rest / 60 % 60, 2)):\(padded(rest % 60, 2))"
        if milliseconds != 0 { text += ".\(padded(milliseconds, 3))" }
        return text + "Z"
    }

    /// Reads `2026-07-28T12:34:56.789Z` and its kin: any number of decimals, of which three count, and `Z` or an offset.
    static func date(_ text: String) -> BSONDate? {
        var scanner = Scanner(text: Array(text.utf8))
        guard let year = scanner.number(4), scanner.skip("-"), let month = scanner.number(2), scanner.skip("-"),
            let day = scanner.number(2), scanner.skip("T") || scanner.skip("t") || scanner.skip(" "),
            let hour = scanner.number(2), scanner.skip(":"), let minute = scanner.number(2)
        else { return nil }
        var second: Int64 = 0
        if scanner.skip(":") {
            guard let value = scanner.number(2) else { return nil }
            second = value
        }
        var milliseconds: Int64 = 0
        if scanner.skip(".") {
            guard let value = scanner.fraction() else { return nil }
            milliseconds = value
        }
        guard let offset = scanner.offset(), scanner.isAtEnd else { return nil }
        guard (1...12).contains(month), day >= 1, day <= daysInMonth(year, month), hour < 24, minute < 60, second < 61
        else { return nil }
        let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset * 60
        return BSONDate(millisecondsSince1970: seconds * 1000 + milliseconds)
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private static func floorDivide(_ number: Int64, _ divisor: Int64) -> Int64 {
        number >= 0 ? number / divisor : (number + 1) / divisor - 1
    }

    /// The date of a day counted from 1970.
    ///
    /// Years begin in March here, so that the leap day comes last.
    private static func civil(_ day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = day + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        )
    }

    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = floorDivide(shifted, 400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func daysInMonth(_ year: Int64, _ month: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private struct Scanner {
        let text: [UInt8]
        var position = 0

        var isAtEnd: Bool { position == text.count }

        mutating func skip(_ character: Unicode.Scalar) -> Bool {
            guard position < text.count, text[position] == UInt8(ascii: character) else { return false }
            position += 1
            return true
        }

        mutating func digit() -> Int64? {
            guard position < text.count, case UInt8(ascii: "0")...UInt8(ascii: "9") = text[position] else { return nil }
            position += 1
            return Int64(text[position - 1] - UInt8(ascii: "0"))
        }

        mutating func number(_ digits: Int) -> Int64? {
            var number: Int64 = 0
            for _ in 0..<digits {
                guard let digit = digit() else { return nil }
                number = number * 10 + digit
            }
            return number
        }

        mutating func fraction() -> Int64? {
            guard var milliseconds = digit().map({ $0 * 100 }) else { return nil }
            var weight: Int64 = 10
            while let digit = digit() {
                milliseconds += digit * weight
                weight /= 10
            }
            return milliseconds
        }

        /// The minutes that the text's time is ahead of UTC.
        mutating func offset() -> Int64? {
            if skip("Z") || skip("z") { return 0 }
            let sign: Int64
            if skip("+") { sign = 1 } else if skip("-") { sign = -1 } else { return nil }
            guard let hours = number(2), hours < 24 else { return nil }
            _ = skip(":")
            guard let minutes = number(2), minutes < 60 else { return nil }
            return sign * (hours * 60 + minutes)
        }
    }
}
