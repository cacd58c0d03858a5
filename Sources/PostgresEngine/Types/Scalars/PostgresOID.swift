public import PersistenceCore

/// An object identifier, PostgreSQL's `oid`.
public struct PostgresOID: Hashable, Sendable, RawRepresentable, Comparable, Codable, CustomStringConvertible {
    /// The number.
    public var rawValue: UInt32

    /// Creates an identifier.
    ///
    /// - Parameter rawValue: The number.
    @inlinable
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// The number in decimal.
    public var description: String { rawValue.description }

    /// Compares the numbers.
    public static func < (lhs: PostgresOID, rhs: PostgresOID) -> Bool { lhs.rawValue < rhs.rawValue }
}

extension PostgresOID: PostgresElement {
    /// `oid`.
    @inlinable public static var postgresType: PostgresType { .oid }

    /// Inside arrays and records `oid`, too.
    @inlinable public static var postgresBinaryType: PostgresType { .oid }

    /// Reads `oid` and its kin, such as `regclass`.
    public static func canDecode(_ type: PostgresType) -> Bool { type.isUnsigned4 }

    /// Reads `oid` and its kin.
    public static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> PostgresOID {
        try value.require(PostgresOID.self, count: 4)
        return PostgresOID(rawValue: value.load(UInt32.self))
    }

    /// Appends four bytes.
    public func encode(into writer: inout PostgresWriter) { writer.write(rawValue) }

    /// Appends four bytes.
    public func encodeBinary(into writer: inout PostgresWriter) { writer.write(rawValue) }
}
