#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// A point in time as BSON has it: milliseconds since 1970 in UTC, without leap seconds.
///
/// `Date` counts seconds in floating point and cannot hold every value; this type loses nothing.
public struct BSONDate: Hashable, Sendable {
    /// The milliseconds since 1970-01-01 00:00:00 UTC.
    public var millisecondsSince1970: Int64

    /// Takes milliseconds since 1970.
    public init(millisecondsSince1970: Int64) {
        self.millisecondsSince1970 = millisecondsSince1970
    }

    /// Takes a date, rounded to the nearest millisecond; what is too early or too late becomes the first or last there
    /// is.
    ///
    /// The nearest and not the next lower, because the millisecond that was read has no exact `Date` and would come back
    /// as the one before.
    public init(_ date: Date) {
        let milliseconds = (date.timeIntervalSince1970 * 1000).rounded()
        if milliseconds.isNaN {
            millisecondsSince1970 = 0
        } else {
            millisecondsSince1970 =
                Int64(exactly: milliseconds) ?? (milliseconds < 0 ? Int64.min : Int64.max)
        }
    }

    /// The nearest date.
    public var date: Date {
        Date(timeIntervalSince1970: Double(millisecondsSince1970) / 1000)
    }
}

extension BSONDate: Comparable {
    /// Whether the left one is earlier.
    public static func < (left: BSONDate, right: BSONDate) -> Bool {
        left.millisecondsSince1970 < right.millisecondsSince1970
    }
}
