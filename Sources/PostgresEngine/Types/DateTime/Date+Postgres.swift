public import PersistenceCore

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

extension PostgresTimestampTZ {
    /// The nearest microsecond; `nil` when the date is not finite or out of PostgreSQL's range.
    ///
    /// - Parameter date: The point in time.
    public init?(_ date: Date) {
        // Whole seconds apart from the fraction, so that nothing is lost by scaling a large number.
        let seconds = date.timeIntervalSinceReferenceDate.rounded(.down)
        guard let whole = Int64(exactly: seconds) else { return nil }
        let fraction = ((date.timeIntervalSinceReferenceDate - seconds) * 1_000_000).rounded()
        let (product, overflow) = whole.multipliedReportingOverflow(by: PostgresCalendar.microsecondsPerSecond)
        let (sum, carry) = product.addingReportingOverflow(PostgresCalendar.referenceDateOffset + Int64(fraction))
        guard !overflow, !carry else { return nil }
        self.init(microsecondsSince2000: sum)
    }
}

extension Date {
    /// The same point in time; `nil` for an infinity.
    ///
    /// `Date` holds every microsecond from 1729 to 2272; further away the nearest value that it has is taken.
    ///
    /// - Parameter timestamp: The point in time.
    public init?(_ timestamp: PostgresTimestampTZ) {
        guard timestamp.isFinite else { return nil }
        let microseconds = timestamp.microsecondsSince2000 - PostgresCalendar.referenceDateOffset
        if microseconds.magnitude < 1 << 53 {
            self.init(timeIntervalSinceReferenceDate: Double(microseconds) / 1_000_000)
        } else {
            // Rounded once, in the addition: a number that Double does not hold would be rounded before the division.
            let (seconds, rest) = microseconds.quotientAndRemainder(
                dividingBy: PostgresCalendar.microsecondsPerSecond)
            self.init(timeIntervalSinceReferenceDate: Double(seconds) + Double(rest) / 1_000_000)
        }
    }
}

extension Date: PostgresElement {
    /// `timestamptz`.
    public static var postgresType: PostgresType { .timestamptz }

    /// Reads `timestamptz`; a `timestamp` says no point in time, so it is read as ``PostgresTimestamp``.
    public static func canDecode(_ type: PostgresType) -> Bool { type == .timestamptz }

    /// Reads `timestamptz`.
    ///
    /// `Date` holds every microsecond from 1729 to 2272; further away the nearest value that it has is taken.
    ///
    /// - Throws: ``PersistenceError`` with the code `decoding` for an infinity; read a ``PostgresTimestampTZ`` then.
    public static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> Date {
        guard canDecode(value.type) else { throw value.unreadable(as: Date.self) }
        guard let date = Date(try PostgresTimestampTZ.decode(value)) else {
            throw value.unrepresentable(as: Date.self)
        }
        return date
    }

    /// Appends the nearest microsecond.
    ///
    /// - Throws: ``PersistenceError`` with the code `encoding` when the date is not finite or out of PostgreSQL's range.
    public func encode(into writer: inout PostgresWriter) throws(PersistenceError) {
        try timestamp.encode(into: &writer)
    }

    /// The length, and the nearest microsecond.
    ///
    /// - Throws: ``PersistenceError`` with the code `encoding` when the date is not finite or out of PostgreSQL's range.
    public func encodeField(into writer: inout PostgresWriter) throws(PersistenceError) {
        writer.writeField(integer: try timestamp.microsecondsSince2000)
    }

    private var timestamp: PostgresTimestampTZ {
        get throws(PersistenceError) {
            if let timestamp = PostgresTimestampTZ(self) { return timestamp }
            throw PersistenceError(.encoding, "the Date is out of the range of timestamptz")
        }
    }
}
