#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// How ``BSONEncoder`` and ``BSONDecoder`` store the types that have more than one natural form.
///
/// What is encoded with some options is decoded with the same ones. Field names are those of the type's `CodingKeys`,
/// unchanged.
public struct BSONCodingOptions: Sendable {
    /// How a `Date` is stored.
    @nonexhaustive
    public enum Dates: Sendable {
        /// As BSON's date: milliseconds, which every driver reads as a date, and which TTL indexes need.
        case date
        /// As a 64-bit integer: milliseconds since 1970.
        case millisecondsSince1970
        /// As a double: seconds since 1970.
        case secondsSince1970
        /// As a string such as `2026-07-28T12:34:56.789Z`, in UTC.
        case iso8601
        /// As `Date` encodes itself: a double, the seconds since 2001.
        case deferred
        /// As two closures say.
        ///
        /// - Parameters:
        ///   - encode: Makes a value of a date.
        ///   - decode: Makes a date of a value, or `nil` when it is none.
        case custom(encode: @Sendable (Date) -> BSONValue, decode: @Sendable (BSONValue) -> Date?)
    }

    /// How a `UUID` is stored.
    @nonexhaustive
    public enum UUIDs: Sendable {
        /// As binary with subtype 4, which takes 16 bytes and is what other drivers write.
        case binary
        /// As a string of 36 characters in upper case. Decoding takes both cases.
        case string
    }

    /// How `Data` is stored.
    @nonexhaustive
    public enum DataValues: Sendable {
        /// As binary with subtype 0. Decoding takes every subtype.
        case binary
        /// As a string in Base64.
        case base64
        /// As `Data` encodes itself: an array of numbers.
        case deferred
    }

    /// How a `Date` is stored; as BSON's date when nothing else is said.
    public var dates: Dates
    /// How a `UUID` is stored; as binary when nothing else is said.
    public var uuids: UUIDs
    /// How `Data` is stored; as binary when nothing else is said.
    public var dataValues: DataValues
    /// What the types being coded find in their coder's `userInfo`.
    public var userInfo: [CodingUserInfoKey: any Sendable]

    /// Sets options.
    ///
    /// - Parameters:
    ///   - dates: How a `Date` is stored.
    ///   - uuids: How a `UUID` is stored.
    ///   - dataValues: How `Data` is stored.
    ///   - userInfo: What the types being coded find in their coder's `userInfo`.
    public init(
        dates: Dates = .date,
        uuids: UUIDs = .binary,
        dataValues: DataValues = .binary,
        userInfo: [CodingUserInfoKey: any Sendable] = [:]
    ) {
        self.dates = dates
        self.uuids = uuids
        self.dataValues = dataValues
        self.userInfo = userInfo
    }
}
