public import PersistenceCore

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

extension UUID: PostgresElement {
    /// `uuid`.
    @inlinable public static var postgresType: PostgresType { .uuid }

    /// Reads `uuid`.
    @inlinable
    public static func canDecode(_ type: PostgresType) -> Bool { type == .uuid }

    /// Reads `uuid`.
    @inlinable
    public static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> UUID {
        try value.require(UUID.self, count: 16)
        return UUID(uuid: value.pointer.loadUnaligned(as: uuid_t.self))
    }

    /// Appends sixteen bytes.
    @inlinable
    public func encode(into writer: inout PostgresWriter) {
        Swift.withUnsafeBytes(of: uuid) { writer.write($0) }
    }

    /// The length, and sixteen bytes.
    @inlinable
    public func encodeField(into writer: inout PostgresWriter) {
        writer.claim(20) { start in
            start.storeBytes(of: Int32(16).bigEndian, as: Int32.self)
            (start + 4).storeBytes(of: uuid, as: uuid_t.self)
        }
    }
}
