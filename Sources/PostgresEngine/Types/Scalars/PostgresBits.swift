public import PersistenceCore

/// A string of bits, PostgreSQL's `bit(n)` and `varbit`.
public struct PostgresBits: Hashable, Sendable {
    /// How many bits there are.
    public let count: Int

    /// The bits, eight a byte, the first in the highest place; bits beyond ``count`` are zero.
    public let bytes: [UInt8]

    private init(count: Int, bytes: [UInt8]) {
        self.count = count
        self.bytes = bytes
    }

    /// Creates a string of bits.
    ///
    /// - Parameter bits: The bits.
    public init(_ bits: some Sequence<Bool>) {
        var bytes: [UInt8] = []
        var count = 0
        for bit in bits {
            if count & 7 == 0 { bytes.append(0) }
            if bit { bytes[count >> 3] |= 0x80 >> UInt8(count & 7) }
            count += 1
        }
        self.init(count: count, bytes: bytes)
    }

    /// A bit.
    ///
    /// - Parameter index: Which bit, from 0 to one below ``count``.
    public subscript(index: Int) -> Bool {
        precondition((0..<count).contains(index), "the index of a bit is out of range")
        return bytes[index >> 3] & (0x80 >> UInt8(index & 7)) != 0
    }
}

extension PostgresBits: LosslessStringConvertible {
    /// Reads a string such as `10110`.
    ///
    /// - Parameter description: Zeros and ones; `nil` is returned when there is anything else.
    public init?(_ description: String) {
        guard description.utf8.allSatisfy({ $0 == UInt8(ascii: "0") || $0 == UInt8(ascii: "1") }) else { return nil }
        self.init(description.utf8.lazy.map { $0 == UInt8(ascii: "1") })
    }

    /// The bits as zeros and ones.
    public var description: String {
        String(decoding: (0..<count).map { self[$0] ? UInt8(ascii: "1") : UInt8(ascii: "0") }, as: UTF8.self)
    }
}

extension PostgresBits: PostgresElement {
    /// `varbit`, which the server takes for `bit(n)` as well when the length is right.
    public static var postgresType: PostgresType { .varbit }

    /// Reads `bit` and `varbit`.
    public static func canDecode(_ type: PostgresType) -> Bool { type == .varbit || type == .bit }

    /// Reads `bit` or `varbit`.
    public static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> PostgresBits {
        try value.read(as: PostgresBits.self) { reader throws(PersistenceError) in
            let count = Int(try reader.read(Int32.self))
            guard count >= 0, reader.remaining == (count + 7) / 8 else { throw reader.malformed("its length is wrong") }
            let bytes = try reader.read(count: reader.remaining) { [UInt8]($0) }
            if count & 7 != 0, let last = bytes.last, last << UInt8(count & 7) != 0 {
                throw reader.malformed("a bit beyond its length is set")
            }
            return PostgresBits(count: count, bytes: bytes)
        }
    }

    /// Appends the bits.
    ///
    /// - Throws: ``PersistenceError`` with the code `tooLarge` beyond 2,147,483,647 bits.
    public func encode(into writer: inout PostgresWriter) throws(PersistenceError) {
        guard let length = Int32(exactly: count) else {
            throw PersistenceError(.tooLarge, "a string of bits is longer than PostgreSQL takes")
        }
        writer.write(length)
        writer.write(bytes: bytes)
    }
}
