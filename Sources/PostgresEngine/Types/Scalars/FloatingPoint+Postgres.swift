public import PersistenceCore

extension Float: PostgresElement {
    /// `float4`.
    @inlinable public static var postgresType: PostgresType { .float4 }

    /// Reads `float4` only.
    ///
    /// A `float8` would lose digits: read it as `Double` and convert.
    @inlinable
    public static func canDecode(_ type: PostgresType) -> Bool { type == .float4 }

    /// Reads `float4`.
    @inlinable
    public static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> Float {
        try value.require(Float.self, count: 4)
        return Float(bitPattern: value.load(UInt32.self))
    }

    /// Appends four bytes.
    @inlinable
    public func encode(into writer: inout PostgresWriter) { writer.write(bitPattern) }

    /// The length, and four bytes.
    @inlinable
    public func encodeField(into writer: inout PostgresWriter) { writer.writeField(integer: bitPattern) }
}

extension Double: PostgresElement {
    /// `float8`.
    @inlinable public static var postgresType: PostgresType { .float8 }

    /// Reads `float8`, and `float4`, which widens without loss.
    ///
    /// A `numeric` is read as ``PostgresNumeric`` or `Decimal`.
    @inlinable
    public static func canDecode(_ type: PostgresType) -> Bool { type == .float8 || type == .float4 }

    /// Reads `float8` or `float4`.
    @inlinable
    public static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> Double {
        if value.type == .float4 { return Double(try Float.decode(value)) }
        try value.require(Double.self, count: 8)
        return Double(bitPattern: value.load(UInt64.self))
    }

    /// Appends eight bytes.
    @inlinable
    public func encode(into writer: inout PostgresWriter) { writer.write(bitPattern) }

    /// The length, and eight bytes.
    @inlinable
    public func encodeField(into writer: inout PostgresWriter) { writer.writeField(integer: bitPattern) }
}
