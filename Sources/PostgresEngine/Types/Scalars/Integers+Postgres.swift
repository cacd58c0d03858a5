public import PersistenceCore

/// An integer type that is read from every integer type of PostgreSQL, checked against its range.
///
/// An integral `numeric` (the type of `sum(bigint)`) is read as well. Of the unsigned types of PostgreSQL, `oid` and its
/// kin, `xid`, `cid` and `xid8` are read.
public protocol PostgresInteger: FixedWidthInteger, PostgresEncodable, PostgresDecodable {}

extension PostgresInteger {
    /// Reads the integer types, `numeric`, and the object and transaction identifiers.
    @inlinable
    public static func canDecode(_ type: PostgresType) -> Bool {
        switch type {
        case .int4, .int8, .int2, .numeric: true
        default: type.isUnsigned4 || type == .xid8
        }
    }

    /// Reads an integer.
    ///
    /// - Parameter value: The value.
    /// - Returns: The integer.
    /// - Throws: ``PersistenceError`` with the code `decoding` when the column holds no integer, or one that is outside of
    ///   the Swift type's range.
    @inlinable
    public static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> Self {
        if value.format == .binary {
            if value.type == .int8, value.count == 8 {
                if let result = Self(exactly: value.load(Int64.self)) { return result }
                throw value.unrepresentable(as: Self.self)
            }
            if value.type == .int4, value.count == 4 {
                if let result = Self(exactly: value.load(Int32.self)) { return result }
                throw value.unrepresentable(as: Self.self)
            }
        }
        return try decodeOther(value)
    }

    @usableFromInline
    static func decodeOther(_ value: borrowing PostgresValue) throws(PersistenceError) -> Self {
        let result: Self?
        if value.type == .int2 {
            try value.require(Self.self, count: 2)
            result = Self(exactly: value.load(Int16.self))
        } else if value.type.isUnsigned4 {
            try value.require(Self.self, count: 4)
            result = Self(exactly: value.load(UInt32.self))
        } else if value.type == .xid8 {
            try value.require(Self.self, count: 8)
            result = Self(exactly: value.load(UInt64.self))
        } else if value.type == .numeric {
            result = Self(exactly: try PostgresNumeric.decode(value))
        } else {
            throw value.unreadable(as: Self.self)
        }
        guard let result else { throw value.unrepresentable(as: Self.self) }
        return result
    }
}

extension PostgresType {
    /// Types whose binary representation is four bytes without a sign.
    @usableFromInline var isUnsigned4: Bool {
        switch self {
        case .oid, .xid, .cid, .regProc, .regProcedure, .regOper, .regOperator, .regClass, .regType, .regConfig,
            .regDictionary, .regNamespace, .regRole, .regCollation:
            true
        default: false
        }
    }
}

extension Int16: PostgresInteger, PostgresElement {
    /// `int2`.
    @inlinable public static var postgresType: PostgresType { .int2 }

    /// Appends two bytes.
    @inlinable
    public func encode(into writer: inout PostgresWriter) { writer.write(self) }

    /// The length, and two bytes.
    @inlinable
    public func encodeField(into writer: inout PostgresWriter) { writer.writeField(integer: self) }
}

extension Int32: PostgresInteger, PostgresElement {
    /// `int4`.
    @inlinable public static var postgresType: PostgresType { .int4 }

    /// Appends four bytes.
    @inlinable
    public func encode(into writer: inout PostgresWriter) { writer.write(self) }

    /// The length, and four bytes.
    @inlinable
    public func encodeField(into writer: inout PostgresWriter) { writer.writeField(integer: self) }
}

extension Int64: PostgresInteger, PostgresElement {
    /// `int8`.
    @inlinable public static var postgresType: PostgresType { .int8 }

    /// Appends eight bytes.
    @inlinable
    public func encode(into writer: inout PostgresWriter) { writer.write(self) }

    /// The length, and eight bytes.
    @inlinable
    public func encodeField(into writer: inout PostgresWriter) { writer.writeField(integer: self) }
}

extension Int: PostgresInteger, PostgresElement {
    /// `int8`.
    @inlinable public static var postgresType: PostgresType { .int8 }

    /// Appends eight bytes.
    @inlinable
    public func encode(into writer: inout PostgresWriter) { writer.write(Int64(self)) }

    /// The length, and eight bytes.
    @inlinable
    public func encodeField(into writer: inout PostgresWriter) { writer.writeField(integer: Int64(self)) }
}

// PostgreSQL has no unsigned integers. Each Swift type is sent as the smallest signed type that holds its whole range. The
// widest have none: they are sent as int8 (an index on an int8 column is of no use to a numeric parameter) and values
// beyond it are refused.

extension UInt8: PostgresInteger {
    /// `int2`.
    @inlinable public static var postgresType: PostgresType { .int2 }

    /// Appends two bytes.
    @inlinable
    public func encode(into writer: inout PostgresWriter) { writer.write(Int16(self)) }
}

extension UInt16: PostgresInteger, PostgresElement {
    /// `int4`.
    @inlinable public static var postgresType: PostgresType { .int4 }

    /// Appends four bytes.
    @inlinable
    public func encode(into writer: inout PostgresWriter) { writer.write(Int32(self)) }
}

extension UInt32: PostgresInteger, PostgresElement {
    /// `int8`; for `oid` see ``PostgresOID``.
    @inlinable public static var postgresType: PostgresType { .int8 }

    /// Appends eight bytes.
    @inlinable
    public func encode(into writer: inout PostgresWriter) { writer.write(Int64(self)) }
}

extension UInt64: PostgresInteger, PostgresElement {
    /// `int8`.
    @inlinable public static var postgresType: PostgresType { .int8 }

    /// Appends eight bytes.
    ///
    /// - Throws: ``PersistenceError`` with the code `encoding` beyond `Int64.max`; send a ``PostgresNumeric`` instead.
    @inlinable
    public func encode(into writer: inout PostgresWriter) throws(PersistenceError) {
        guard let value = Int64(exactly: self) else {
            throw PersistenceError(.encoding, "the UInt64 is beyond the range of int8; send a PostgresNumeric")
        }
        writer.write(value)
    }
}

extension UInt: PostgresInteger, PostgresElement {
    /// `int8`.
    @inlinable public static var postgresType: PostgresType { .int8 }

    /// Appends eight bytes.
    ///
    /// - Throws: ``PersistenceError`` with the code `encoding` beyond `Int64.max`; send a ``PostgresNumeric`` instead.
    @inlinable
    public func encode(into writer: inout PostgresWriter) throws(PersistenceError) {
        try UInt64(self).encode(into: &writer)
    }
}
