public import PersistenceCore

/// An address of a network interface, PostgreSQL's `macaddr`: 48 bits.
public struct PostgresMACAddress: Hashable, Sendable, Comparable, LosslessStringConvertible {
    /// The address as a number of 48 bits.
    public let rawValue: UInt64

    /// Creates an address.
    ///
    /// - Parameter rawValue: The address as a number; `nil` is returned when it has more than 48 bits.
    public init?(rawValue: UInt64) {
        guard rawValue >> 48 == 0 else { return nil }
        self.rawValue = rawValue
    }

    /// Reads an address such as `08:00:2b:01:02:03` or `08-00-2b-01-02-03`.
    ///
    /// - Parameter description: The address; `nil` is returned when it is none.
    public init?(_ description: String) {
        let separator: Character = description.contains("-") ? "-" : ":"
        let parts = description.split(separator: separator, omittingEmptySubsequences: false)
        guard parts.count == 6 else { return nil }
        var value: UInt64 = 0
        for part in parts {
            guard part.utf8.count == 2, part.first != "+", let byte = UInt8(part, radix: 16) else { return nil }
            value = value << 8 | UInt64(byte)
        }
        rawValue = value
    }

    /// The address as PostgreSQL writes it, such as `08:00:2b:01:02:03`.
    public var description: String {
        (0..<6).map { index in
            let byte = rawValue >> UInt64(40 - index * 8) & 0xff
            return (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined(separator: ":")
    }

    /// Compares the numbers.
    public static func < (lhs: PostgresMACAddress, rhs: PostgresMACAddress) -> Bool { lhs.rawValue < rhs.rawValue }
}

extension PostgresMACAddress: PostgresElement {
    /// `macaddr`.
    public static var postgresType: PostgresType { .macaddr }

    /// Reads `macaddr`.
    public static func canDecode(_ type: PostgresType) -> Bool { type == .macaddr }

    /// Reads `macaddr`.
    public static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> PostgresMACAddress {
        try value.require(PostgresMACAddress.self, count: 6)
        let number = UInt64(value.load(UInt16.self)) << 32 | UInt64(value.load(UInt32.self, at: 2))
        guard let address = PostgresMACAddress(rawValue: number) else { throw value.unreadable(as: Self.self) }
        return address
    }

    /// Appends six bytes.
    public func encode(into writer: inout PostgresWriter) {
        writer.write(UInt16(truncatingIfNeeded: rawValue >> 32))
        writer.write(UInt32(truncatingIfNeeded: rawValue))
    }
}
