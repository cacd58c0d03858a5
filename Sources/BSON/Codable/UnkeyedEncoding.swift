/// Writes the elements of an array.
struct UnkeyedEncoding: UnkeyedEncodingContainer {
    let level: EncodingLevel

    var codingPath: [any CodingKey] { level.path }

    var count: Int { level.index }

    @inline(__always)
    private func write(_ body: (inout ByteWriter, UnsafeBufferPointer<UInt8>) -> Void) throws {
        try level.checkTurn()
        IndexKey.with(level.index) { body(&level.state.writer.pointee, $0) }
        level.index += 1
    }

    func encodeNil() throws {
        try write { _ = $0.field(0x0A, $1, valueSize: 0) }
    }

    func encode<Value: Encodable>(_ value: Value) throws {
        try IndexKey.with(level.index) { try level.encode(value, $0) }
        level.index += 1
    }

    func nestedContainer<NestedKey: CodingKey>(keyedBy keyType: NestedKey.Type) -> KeyedEncodingContainer<NestedKey> {
        level.detachedElement().container(keyedBy: keyType)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        level.detachedElement().unkeyedContainer()
    }

    func superEncoder() -> any Encoder {
        level.detachedElement()
    }
}

// MARK: - The standard library's own types

extension UnkeyedEncoding {
    func encode(_ value: Bool) throws {
        try write { $0.appendInteger(0x08, $1, value ? 1 as UInt8 : 0) }
    }

    func encode(_ value: String) throws {
        try write { $0.appendString(0x02, $1, value) }
    }

    func encode(_ value: Double) throws {
        try write { $0.appendInteger(0x01, $1, value.bitPattern) }
    }

    func encode(_ value: Float) throws {
        try write { $0.appendInteger(0x01, $1, Double(value).bitPattern) }
    }

    func encode(_ value: Int8) throws {
        try write { $0.appendInteger(0x10, $1, Int32(value)) }
    }

    func encode(_ value: Int16) throws {
        try write { $0.appendInteger(0x10, $1, Int32(value)) }
    }

    func encode(_ value: Int32) throws {
        try write { $0.appendInteger(0x10, $1, Int32(value)) }
    }

    func encode(_ value: UInt8) throws {
        try write { $0.appendInteger(0x10, $1, Int32(value)) }
    }

    func encode(_ value: UInt16) throws {
        try write { $0.appendInteger(0x10, $1, Int32(value)) }
    }

    func encode(_ value: Int) throws {
        try write { $0.appendInteger(0x12, $1, Int64(value)) }
    }

    func encode(_ value: Int64) throws {
        try write { $0.appendInteger(0x12, $1, Int64(value)) }
    }

    func encode(_ value: UInt32) throws {
        try write { $0.appendInteger(0x12, $1, Int64(value)) }
    }

    func encode(_ value: UInt) throws {
        let exact = try level.int64(value, PathKey(intValue: level.index))
        try write { $0.appendInteger(0x12, $1, exact) }
    }

    func encode(_ value: UInt64) throws {
        let exact = try level.int64(value, PathKey(intValue: level.index))
        try write { $0.appendInteger(0x12, $1, exact) }
    }
}
