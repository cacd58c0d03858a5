#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif

extension Date {
    /// The date to the millisecond, as document stores keep it.
    ///
    /// Rounded where a value is made and not where it is stored, so that what comes back equals what was given.
    package var inMilliseconds: Date {
        isStorable ? Date(milliseconds: milliseconds) : self
    }

    /// Whether a number of milliseconds can tell the date exactly.
    package var isStorable: Bool {
        let milliseconds = timeIntervalSince1970 * 1000
        return milliseconds.isFinite && abs(milliseconds) <= 9_007_199_254_740_991
    }

    /// The milliseconds since 1970, rounded; only for dates that ``isStorable``.
    package var milliseconds: Int64 {
        Int64((timeIntervalSince1970 * 1000).rounded())
    }

    /// The date some milliseconds after 1970.
    package init(milliseconds: Int64) {
        self.init(timeIntervalSince1970: Double(milliseconds) / 1000)
    }
}
