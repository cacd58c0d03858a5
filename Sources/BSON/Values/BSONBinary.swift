#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// Bytes with a subtype that says what they are.
///
/// One that was read from a ``Document`` shares its bytes.
public struct BSONBinary: Sendable {
    /// What the bytes are, by the BSON specification.
    public struct Subtype: RawRepresentable, Hashable, Sendable {
        /// The byte as it stands in the document.
        ///
        /// From 0x80 on it is the user's own.
        public let rawValue: UInt8

        /// Takes any byte.
        public init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        /// Just bytes.
        public static let generic = Subtype(rawValue: 0)
        /// A function.
        public static let function = Subtype(rawValue: 1)
        /// Just bytes, in the old form, which holds their count a second time.
        ///
        /// That is added and taken away here.
        public static let binaryOld = Subtype(rawValue: 2)
        /// A UUID in an order of bytes that depends on the driver that wrote it.
        public static let uuidOld = Subtype(rawValue: 3)
        /// A UUID in the order of bytes of RFC 9562.
        public static let uuid = Subtype(rawValue: 4)
        /// An MD5 digest.
        public static let md5 = Subtype(rawValue: 5)
        /// An encrypted value.
        public static let encrypted = Subtype(rawValue: 6)
        /// A compressed column of measurements.
        public static let column = Subtype(rawValue: 7)
        /// A value that must not be shown.
        public static let sensitive = Subtype(rawValue: 8)
        /// A vector of numbers.
        public static let vector = Subtype(rawValue: 9)
        /// The first subtype of the user's own.
        public static let userDefined = Subtype(rawValue: 0x80)
    }

    /// What the bytes are.
    public let subtype: Subtype
    private let storage: [UInt8]
    private let start: UInt32
    private let length: UInt32

    /// Takes bytes.
    ///
    /// - Parameters:
    ///   - subtype: What the bytes are.
    ///   - bytes: The bytes. A document takes at most 2 GiB of them, see ``Document/requireWellFormed()``.
    public init(subtype: Subtype = .generic, bytes: [UInt8]) {
        self.subtype = subtype
        storage = bytes
        start = 0
        length = UInt32(clamping: bytes.count)
    }

    /// Takes a copy of data, with the subtype ``Subtype/generic``.
    public init(_ data: Data) {
        self.init(subtype: .generic, bytes: [UInt8](data))
    }

    /// Takes a UUID, with the subtype ``Subtype/uuid``.
    public init(_ uuid: UUID) {
        self.init(subtype: .uuid, bytes: Swift.withUnsafeBytes(of: uuid.uuid) { [UInt8]($0) })
    }

    /// Shares the value that begins at `offset`, which `RawElement` has checked.
    init(sharing bytes: [UInt8], at offset: Int, in buffer: UnsafeRawBufferPointer) {
        var count = Int(buffer.int32(at: offset))
        var start = offset + 5
        subtype = Subtype(rawValue: buffer[offset + 4])
        if subtype == .binaryOld, count >= 4, Int(buffer.int32(at: start)) == count - 4 {
            start += 4
            count -= 4
        }
        storage = bytes
        self.start = UInt32(truncatingIfNeeded: start)
        length = UInt32(truncatingIfNeeded: count)
    }

    /// How many bytes there are.
    public var count: Int { Int(length) }

    /// The bytes; a copy when they are shared with a document.
    public var bytes: [UInt8] {
        start == 0 && count == storage.count ? storage : [UInt8](storage[Int(start)..<Int(start) + count])
    }

    /// The UUID, when the subtype is ``Subtype/uuid`` and there are 16 bytes.
    public var uuid: UUID? {
        guard subtype == .uuid, count == 16 else { return nil }
        return withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
    }

    /// The bytes as data.
    public var data: Data {
        withUnsafeBytes { Data($0) }
    }

    /// Calls a closure with the bytes.
    ///
    /// - Parameter body: Reads the bytes. The pointer is valid during the call only.
    /// - Returns: What `body` returns.
    public func withUnsafeBytes<Result, Failure>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try storage.withUnsafeBufferPointer { (buffer) throws(Failure) in
            let part = UnsafeRawBufferPointer(buffer)[Int(start)..<Int(start) + count]
            return try body(UnsafeRawBufferPointer(rebasing: part))
        }
    }
}

extension BSONBinary: Hashable {
    /// Whether subtype and bytes are the same.
    public static func == (left: BSONBinary, right: BSONBinary) -> Bool {
        left.subtype == right.subtype
            && left.withUnsafeBytes { left in right.withUnsafeBytes { left.hasSameBytes(as: $0) } }
    }

    /// Hashes subtype and bytes.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(subtype)
        withUnsafeBytes { hasher.combine(bytes: $0) }
    }
}

extension BSONBinary: CustomStringConvertible {
    /// The subtype and the number of bytes; not the bytes.
    public var description: String { "binary(subtype: \(subtype.rawValue), \(count) bytes)" }
}
