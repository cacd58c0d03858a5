public import PersistenceCore

extension Bool: PostgresElement {
    /// `bool`.
    @inlinable public static var postgresType: PostgresType { .bool }

    /// Reads `bool`.
    @inlinable
    public static func canDecode(_ type: PostgresType) -> Bool { type == .bool }

    /// Reads `bool`.
    @inlinable
    public static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> Bool {
        try value.require(Bool.self, count: 1)
        switch value.load(UInt8.self) {
        case 0: return false
        case 1: return true
        default: throw value.malformed("its byte is neither 0 nor 1")
        }
    }

    /// Appends one byte.
    @inlinable
    public func encode(into writer: inout PostgresWriter) {
        writer.write(self ? 1 as UInt8 : 0)
    }

    /// The length, and one byte.
    @inlinable
    public func encodeField(into writer: inout PostgresWriter) {
        writer.writeField(integer: self ? 1 as UInt8 : 0)
    }
}
