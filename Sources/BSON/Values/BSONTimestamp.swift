/// MongoDB's internal timestamp: seconds since 1970, and a number that orders the operations of one second.
///
/// The server uses it for its log and for cluster time. For points in time of your own use ``BSONDate``.
public struct BSONTimestamp: Hashable, Sendable {
    /// The seconds since 1970.
    public var seconds: UInt32
    /// The number within the second.
    public var increment: UInt32

    /// Takes both parts.
    ///
    /// - Parameters:
    ///   - seconds: The seconds since 1970.
    ///   - increment: The number within the second.
    public init(seconds: UInt32, increment: UInt32) {
        self.seconds = seconds
        self.increment = increment
    }

    /// Takes both parts as one number, the seconds in the higher half.
    public init(rawValue: UInt64) {
        seconds = UInt32(truncatingIfNeeded: rawValue >> 32)
        increment = UInt32(truncatingIfNeeded: rawValue)
    }

    /// Both parts as one number, the seconds in the higher half.
    public var rawValue: UInt64 { UInt64(seconds) << 32 | UInt64(increment) }
}

extension BSONTimestamp: Comparable {
    /// Whether the left one is earlier.
    public static func < (left: BSONTimestamp, right: BSONTimestamp) -> Bool {
        left.rawValue < right.rawValue
    }
}
