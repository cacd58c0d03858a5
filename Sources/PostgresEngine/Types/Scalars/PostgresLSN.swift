public import PersistenceCore

/// A position in the write-ahead log, PostgreSQL's `pg_lsn`.
public struct PostgresLSN: Hashable, Sendable, RawRepresentable, Comparable, Codable, LosslessStringConvertible {
    /// The byte position.
    public var rawValue: UInt64

    /// Creates a position.
    ///
    /// - Parameter rawValue: The byte position.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// Reads the notation of ``description``.
    ///
    /// - Parameter description: Two hexadecimal numbers of at most 32 bits with a slash between them.
    public init?(_ description: String) {
        let parts = description.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ part in part.utf8.allSatisfy { $0 != UInt8(ascii: "+") } }),
            let high = UInt32(parts[0], radix: 16), let low = UInt32(parts[1], radix: 16)
        else { return nil }
        self.rawValue = UInt64(high) << 32 | UInt64(low)
    }

    /// Two hexadecimal numbers with a slash between them, such as `16/B374D848`.
    public var description: String {
        String(rawValue >> 32, radix: 16, uppercase: true) + "/"
            + String(rawValue & 0xffff_ffff, radix: 16, uppercase: true)
    }

    /// Compares the positions.
    public static func < (lhs: PostgresLSN, rhs: PostgresLSN) -> Bool { lhs.rawValue < rhs.rawValue }
}

extension PostgresLSN: PostgresElement {
    /// `pg_lsn`.
    public static var postgresType: PostgresType { .pgLSN }

    /// Inside arrays and records `pg_lsn`, too.
    public static var postgresBinaryType: PostgresType { .pgLSN }

    /// Reads `pg_lsn`.
    public static func canDecode(_ type: PostgresType) -> Bool { type == .pgLSN }

    /// Reads `pg_lsn`.
    public static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> PostgresLSN {
        try value.require(PostgresLSN.self, count: 8)
        return PostgresLSN(rawValue: value.load(UInt64.self))
    }

    /// Appends eight bytes.
    public func encode(into writer: inout PostgresWriter) { writer.write(rawValue) }

    /// Appends eight bytes.
    public func encodeBinary(into writer: inout PostgresWriter) { writer.write(rawValue) }
}
