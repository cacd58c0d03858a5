/// Writes the fields of a document.
struct KeyedEncoding<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let level: EncodingLevel

    var codingPath: [any CodingKey] { level.path }

    @inline(__always)
    private func write(_ key: Key, _ body: (inout ByteWriter, UnsafeBufferPointer<UInt8>) -> Void) throws {
        try level.checkTurn()
        var name = key.stringValue
        name.withUTF8 { body(&level.state.writer.pointee, $0) }
    }

    func encodeNil(forKey key: Key) throws {
        try write(key) { _ = $0.field(0x0A, $1, valueSize: 0) }
    }

    func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
        var name = key.stringValue
        try name.withUTF8 { try level.encode(value, $0) }
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy keyType: NestedKey.Type, forKey key: Key
    ) -> KeyedEncodingContainer<NestedKey> {
        level.detached(key).container(keyedBy: keyType)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        level.detached(key).unkeyedContainer()
    }

    func superEncoder() -> any Encoder {
        level.detached(PathKey.super)
    }

    func superEncoder(forKey key: Key) -> any Encoder {
        level.detached(key)
    }
}

// MARK: - The standard library's own types

extension KeyedEncoding {
    func encode(_ value: Bool, forKey key: Key) throws {
        try write(key) { $0.appendInteger(0x08, $1, value ? 1 as UInt8 : 0) }
    }

    func encode(_ value: String, forKey key: Key) throws {
        try write(key) { $0.appendString(0x02, $1, value) }
    }

    func encode(_ value: Double, forKey key: Key) throws {
        try write(key) { $0.appendInteger(0x01, $1, value.bitPattern) }
    }

    func encode(_ value: Float, forKey key: Key) throws {
        try write(key) { $0.appendInteger(0x01, $1, Double(value).bitPattern) }
    }

    func encode(_ value: Int8, forKey key: Key) throws {
        try write(key) { $0.appendInteger(0x10, $1, Int32(value)) }
    }

    func encode(_ value: Int16, forKey key: Key) throws {
        try write(key) { $0.appendInteger(0x10, $1, Int32(value)) }
    }

    func encode(_ value: Int32, forKey key: Key) throws {
        try write(key) { $0.appendInteger(0x10, $1, Int32(value)) }
    }

    func encode(_ value: UInt8, forKey key: Key) throws {
        try write(key) { $0.appendInteger(0x10, $1, Int32(value)) }
    }

    func encode(_ value: UInt16, forKey key: Key) throws {
        try write(key) { $0.appendInteger(0x10, $1, Int32(value)) }
    }

    func encode(_ value: Int, forKey key: Key) throws {
        try write(key) { $0.appendInteger(0x12, $1, Int64(value)) }
    }

    func encode(_ value: Int64, forKey key: Key) throws {
        try write(key) { $0.appendInteger(0x12, $1, Int64(value)) }
    }

    func encode(_ value: UInt32, forKey key: Key) throws {
        try write(key) { $0.appendInteger(0x12, $1, Int64(value)) }
    }

    func encode(_ value: UInt, forKey key: Key) throws {
        let exact = try level.int64(value, PathKey(stringValue: key.stringValue))
        try write(key) { $0.appendInteger(0x12, $1, exact) }
    }

    func encode(_ value: UInt64, forKey key: Key) throws {
        let exact = try level.int64(value, PathKey(stringValue: key.stringValue))
        try write(key) { $0.appendInteger(0x12, $1, exact) }
    }
}
