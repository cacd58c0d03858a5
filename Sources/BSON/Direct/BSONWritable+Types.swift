public import PersistenceCore

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

extension String: BSONWritable {
    /// Writes a string.
    public func write(_ key: borrowing BSONKey, to fields: inout DocumentWriter) {
        fields.writer.appendString(0x02, key.bytes, self)
    }
}

extension Bool: BSONWritable {
    /// Writes a boolean.
    public func write(_ key: borrowing BSONKey, to fields: inout DocumentWriter) {
        fields.writer.appendInteger(0x08, key.bytes, self ? 1 as UInt8 : 0)
    }
}

extension Double: BSONWritable {
    /// Writes a double.
    public func write(_ key: borrowing BSONKey, to fields: inout DocumentWriter) {
        fields.writer.appendInteger(0x01, key.bytes, bitPattern)
    }
}

extension Int: BSONWritable {
    /// Writes a 64-bit integer.
    public func write(_ key: borrowing BSONKey, to fields: inout DocumentWriter) {
        fields.writer.appendInteger(0x12, key.bytes, Int64(self))
    }
}

extension Int32: BSONWritable {
    /// Writes a 32-bit integer.
    public func write(_ key: borrowing BSONKey, to fields: inout DocumentWriter) {
        fields.writer.appendInteger(0x10, key.bytes, self)
    }
}

extension Int64: BSONWritable {
    /// Writes a 64-bit integer.
    public func write(_ key: borrowing BSONKey, to fields: inout DocumentWriter) {
        fields.writer.appendInteger(0x12, key.bytes, self)
    }
}

extension ObjectID: BSONWritable {
    /// Writes an object identifier.
    public func write(_ key: borrowing BSONKey, to fields: inout DocumentWriter) {
        fields.writer.appendObjectID(key.bytes, self)
    }
}

extension Date: BSONWritable {
    /// Writes a date, as the encoder's options say.
    public func write(_ key: borrowing BSONKey, to fields: inout DocumentWriter) throws(PersistenceError) {
        if fields.root.hasPlainDates {
            fields.writer.appendInteger(0x09, key.bytes, BSONDate(self).millisecondsSince1970)
        } else {
            fields.append(key, try fields.coded(self))
        }
    }
}

extension UUID: BSONWritable {
    /// Writes a UUID, as the encoder's options say.
    public func write(_ key: borrowing BSONKey, to fields: inout DocumentWriter) throws(PersistenceError) {
        if fields.root.hasBinaryUUIDs {
            let name = key.bytes
            withUnsafeBytes(of: uuid) { fields.writer.appendBinary(name, .uuid, $0) }
        } else {
            fields.append(key, try fields.coded(self))
        }
    }
}

extension Data: BSONWritable {
    /// Writes data, as the encoder's options say.
    public func write(_ key: borrowing BSONKey, to fields: inout DocumentWriter) throws(PersistenceError) {
        fields.append(key, try fields.coded(self))
    }
}

extension BSONValue: BSONWritable {}
extension Document: BSONWritable {}
extension BSONArray: BSONWritable {}
extension BSONBinary: BSONWritable {}
extension BSONDate: BSONWritable {}
extension BSONTimestamp: BSONWritable {}
extension BSONRegularExpression: BSONWritable {}
extension Decimal128: BSONWritable {}

extension Optional: BSONWritable where Wrapped: BSONWritable {
    /// Writes a value, or null.
    @inlinable
    public func write(_ key: borrowing BSONKey, to fields: inout DocumentWriter) throws(PersistenceError) {
        if let self { try self.write(key, to: &fields) } else { fields.append(key, .null) }
    }
}

extension Array: BSONWritable where Element: BSONWritable {
    /// Writes an array.
    @inlinable
    public func write(_ key: borrowing BSONKey, to fields: inout DocumentWriter) throws(PersistenceError) {
        guard let start = try fields.open(key, .array) else { return }
        for index in indices {
            let failure: PersistenceError? = IndexKey.with(index) { digits in
                do throws(PersistenceError) {
                    try self[index].write(BSONKey(digits), to: &fields)
                    return nil
                } catch {
                    return error
                }
            }
            if let failure { throw DocumentWriter.within(String(index), failure) }
        }
        fields.close(from: start)
    }
}
