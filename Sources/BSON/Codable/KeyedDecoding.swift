/// The fields of a document, by key.
struct KeyedDecoding<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let level: DecodingLevel

    var codingPath: [any CodingKey] { level.path }

    var allKeys: [Key] {
        Document(sharing: level.bytes, start: level.element.valueStart, count: level.element.byteCount).fields
            .compactMap { Key(stringValue: $0.key) }
    }

    func contains(_ key: Key) -> Bool {
        level.find(key) != nil
    }

    @inline(__always)
    private func required(_ key: Key) throws -> RawElement {
        guard let field = level.find(key) else { throw level.missing(key) }
        return field
    }

    /// The field, unless there is none or it is null.
    @inline(__always)
    private func present(_ key: Key) -> RawElement? {
        guard let field = level.find(key), field.type != 0x0A, field.type != 0x06 else { return nil }
        return field
    }

    func decodeNil(forKey key: Key) throws -> Bool {
        let type = try required(key).type
        return type == 0x0A || type == 0x06
    }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        try level.decode(type, required(key))
    }

    func decodeIfPresent<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value? {
        guard let field = present(key) else { return nil }
        return try level.decode(type, field)
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<NestedKey> {
        try nested(required(key)).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try nested(required(key)).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder {
        guard let field = level.find(PathKey.super) else { throw level.missing(PathKey.super) }
        return nested(field)
    }

    func superDecoder(forKey key: Key) throws -> any Decoder {
        try nested(required(key))
    }

    private func nested(_ field: RawElement) -> DecodingLevel {
        DecodingLevel(field, parent: level, pathIndex: nil)
    }
}

// MARK: - The standard library's own types

extension KeyedDecoding {
    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try level.bool(required(key)) }

    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? {
        try present(key).map { try level.bool($0) }
    }

    func decode(_ type: String.Type, forKey key: Key) throws -> String { try level.string(required(key)) }

    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? {
        try present(key).map { try level.string($0) }
    }

    func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try level.double(required(key)) }

    func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? {
        try present(key).map { try level.double($0) }
    }

    func decode(_ type: Float.Type, forKey key: Key) throws -> Float { try level.float(required(key)) }

    func decodeIfPresent(_ type: Float.Type, forKey key: Key) throws -> Float? {
        try present(key).map { try level.float($0) }
    }

    func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try level.integer(required(key), Int8.self) }

    func decodeIfPresent(_ type: Int8.Type, forKey key: Key) throws -> Int8? {
        try present(key).map { try level.integer($0, Int8.self) }
    }

    func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try level.integer(required(key), Int16.self) }

    func decodeIfPresent(_ type: Int16.Type, forKey key: Key) throws -> Int16? {
        try present(key).map { try level.integer($0, Int16.self) }
    }

    func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try level.integer(required(key), Int32.self) }

    func decodeIfPresent(_ type: Int32.Type, forKey key: Key) throws -> Int32? {
        try present(key).map { try level.integer($0, Int32.self) }
    }

    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try level.integer(required(key), Int64.self) }

    func decodeIfPresent(_ type: Int64.Type, forKey key: Key) throws -> Int64? {
        try present(key).map { try level.integer($0, Int64.self) }
    }

    func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try level.integer(required(key), UInt.self) }

    func decodeIfPresent(_ type: UInt.Type, forKey key: Key) throws -> UInt? {
        try present(key).map { try level.integer($0, UInt.self) }
    }

    func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try level.integer(required(key), UInt8.self) }

    func decodeIfPresent(_ type: UInt8.Type, forKey key: Key) throws -> UInt8? {
        try present(key).map { try level.integer($0, UInt8.self) }
    }

    func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try level.integer(required(key), UInt16.self) }

    func decodeIfPresent(_ type: UInt16.Type, forKey key: Key) throws -> UInt16? {
        try present(key).map { try level.integer($0, UInt16.self) }
    }

    func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try level.integer(required(key), UInt32.self) }

    func decodeIfPresent(_ type: UInt32.Type, forKey key: Key) throws -> UInt32? {
        try present(key).map { try level.integer($0, UInt32.self) }
    }

    func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try level.integer(required(key), UInt64.self) }

    func decodeIfPresent(_ type: UInt64.Type, forKey key: Key) throws -> UInt64? {
        try present(key).map { try level.integer($0, UInt64.self) }
    }

    func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try level.integer(required(key), Int.self) }

    func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? {
        try present(key).map { try level.integer($0, Int.self) }
    }
}
