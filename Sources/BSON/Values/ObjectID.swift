internal import Synchronization

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// MongoDB's object identifier: 12 bytes that are unique without asking anybody.
///
/// A new one holds the seconds since 1970 (4 bytes), a random number that the process chose once (5 bytes) and a counter
/// that began at a random number (3 bytes), as the specification of drivers demands ("BSON ObjectID"). The order of
/// identifiers is that of their bytes, and so by time of creation as far as clocks agree.
public struct ObjectID: Hashable, Sendable {
    /// The first eight bytes, the first byte highest.
    let high: UInt64
    /// The last four bytes.
    let low: UInt32

    /// Makes a new identifier.
    public init() {
        var time = timespec()
        // Cannot fail: the clock exists on every system, and the address is valid.
        _ = clock_gettime(CLOCK_REALTIME, &time)
        self.init(seconds: UInt32(truncatingIfNeeded: time.tv_sec))
    }

    /// Makes a new identifier of a given time, for tests and for data whose time is known.
    ///
    /// - Parameter seconds: The seconds since 1970.
    public init(seconds: UInt32) {
        let process = ObjectIDSource.processRandom
        let count = ObjectIDSource.counter.wrappingAdd(1, ordering: .relaxed).oldValue & 0xFF_FFFF
        high = UInt64(seconds) << 32 | process >> 8
        low = UInt32(truncatingIfNeeded: process & 0xFF) << 24 | count
    }

    /// Takes the bytes of an identifier.
    ///
    /// - Parameter bytes: Exactly 12 bytes; otherwise the result is `nil`.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 12 else { return nil }
        high = bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        low = bytes.dropFirst(8).reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// Reads the 24 hexadecimal digits that MongoDB's tools show.
    ///
    /// - Parameter text: Exactly 24 digits, in either case; otherwise the result is `nil`.
    public init?(_ text: some StringProtocol) {
        let digits = text.utf8
        guard digits.count == 24 else { return nil }
        var high: UInt64 = 0
        var low: UInt32 = 0
        for (index, digit) in digits.enumerated() {
            guard let value = Hexadecimal.value(of: digit) else { return nil }
            if index < 16 { high = high << 4 | UInt64(value) } else { low = low << 4 | UInt32(value) }
        }
        self.high = high
        self.low = low
    }

    @inline(__always)
    init(_ buffer: UnsafeRawBufferPointer, at offset: Int) {
        high = UInt64(bigEndian: buffer.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        low = UInt32(bigEndian: buffer.loadUnaligned(fromByteOffset: offset + 8, as: UInt32.self))
    }

    /// When the identifier was made, in seconds since 1970.
    public var secondsSince1970: UInt32 { UInt32(truncatingIfNeeded: high >> 32) }

    /// The 12 bytes.
    public var bytes: [UInt8] {
        (0..<12).map { byte(at: $0) }
    }

    private func byte(at index: Int) -> UInt8 {
        if index < 8 { return UInt8(truncatingIfNeeded: high >> UInt64(56 - 8 * index)) }
        return UInt8(truncatingIfNeeded: low >> UInt32(88 - 8 * index))
    }
}

/// What the identifiers of a process share.
///
/// Random and not configurable, so there is nothing to pass around.
private enum ObjectIDSource {
    static let processRandom = UInt64.random(in: 0...0xFF_FFFF_FFFF)
    static let counter = Atomic<UInt32>(UInt32.random(in: 0...0xFF_FFFF))
}

extension ObjectID: Comparable {
    /// Whether the left identifier's bytes sort first.
    public static func < (left: ObjectID, right: ObjectID) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}

extension ObjectID: LosslessStringConvertible {
    /// The 24 hexadecimal digits, in lower case.
    public var description: String {
        String(unsafeUninitializedCapacity: 24) { text in
            for index in 0..<12 {
                let byte = byte(at: index)
                text[2 * index] = Hexadecimal.digit(byte >> 4)
                text[2 * index + 1] = Hexadecimal.digit(byte & 0xF)
            }
            return 24
        }
    }

    /// Reads the 24 hexadecimal digits.
    ///
    /// - Parameter description: Exactly 24 digits, in either case; otherwise the result is `nil`.
    public init?(_ description: String) {
        self.init(description[...])
    }
}

enum Hexadecimal {
    @inline(__always)
    static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    @inline(__always)
    static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}
