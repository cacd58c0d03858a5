public import PersistenceCore

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

extension Data: PostgresElement {
    /// `bytea`.
    @inlinable public static var postgresType: PostgresType { .bytea }

    /// Reads `bytea`.
    @inlinable
    public static func canDecode(_ type: PostgresType) -> Bool { type == .bytea }

    /// Reads `bytea`.
    public static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> Data {
        guard value.format == .binary, canDecode(value.type) else { throw value.unreadable(as: Data.self) }
        return value.withUnsafeBytes { Data($0) }
    }

    /// Appends the bytes.
    public func encode(into writer: inout PostgresWriter) {
        for region in regions {
            region.withUnsafeBytes { writer.write(bytes: $0) }
        }
    }
}

/// Bytes: `[UInt8]` is a `bytea`, not an array of small integers.
extension UInt8: PostgresArrayElement {
    /// `bytea`.
    @inlinable public static var postgresArrayType: PostgresType { .bytea }

    /// Binary.
    @inlinable public static var postgresArrayFormat: PostgresFormat { .binary }

    /// `bytea`.
    @inlinable public static var postgresArrayBinaryType: PostgresType { .bytea }

    /// Reads `bytea`.
    @inlinable
    public static func canDecodeArray(_ type: PostgresType) -> Bool { type == .bytea }

    /// Reads `bytea`.
    @inlinable
    public static func decodeArray(_ value: borrowing PostgresValue) throws(PersistenceError) -> [UInt8] {
        guard value.format == .binary, value.type == .bytea else { throw value.unreadable(as: [UInt8].self) }
        return value.withUnsafeBytes { [UInt8]($0) }
    }

    /// Appends the bytes.
    @inlinable
    public static func encodeArray(_ array: [UInt8], into writer: inout PostgresWriter) {
        writer.write(bytes: array)
    }

    /// Appends the bytes.
    @inlinable
    public static func encodeArrayBinary(_ array: [UInt8], into writer: inout PostgresWriter) {
        writer.write(bytes: array)
    }
}

/// `[[UInt8]]` is a `bytea[]`.
extension [UInt8]: PostgresArrayElement, PostgresElement {}
