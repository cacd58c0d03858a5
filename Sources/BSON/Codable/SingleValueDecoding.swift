/// A value that is no document and no array, or decodes itself.
struct SingleValueDecoding: SingleValueDecodingContainer {
    let level: DecodingLevel

    var codingPath: [any CodingKey] { level.path }

    func decodeNil() -> Bool {
        level.element.type == 0x0A || level.element.type == 0x06
    }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try level.decode(type) }

    func decode(_ type: Bool.Type) throws -> Bool { try level.bool(level.element) }

    func decode(_ type: String.Type) throws -> String { try level.string(level.element) }

    func decode(_ type: Double.Type) throws -> Double { try level.double(level.element) }

    func decode(_ type: Float.Type) throws -> Float { try level.float(level.element) }

    func decode(_ type: Int8.Type) throws -> Int8 { try level.integer(level.element, Int8.self) }

    func decode(_ type: Int16.Type) throws -> Int16 { try level.integer(level.element, Int16.self) }

    func decode(_ type: Int32.Type) throws -> Int32 { try level.integer(level.element, Int32.self) }

    func decode(_ type: Int64.Type) throws -> Int64 { try level.integer(level.element, Int64.self) }

    func decode(_ type: UInt.Type) throws -> UInt { try level.integer(level.element, UInt.self) }

    func decode(_ type: UInt8.Type) throws -> UInt8 { try level.integer(level.element, UInt8.self) }

    func decode(_ type: UInt16.Type) throws -> UInt16 { try level.integer(level.element, UInt16.self) }

    func decode(_ type: UInt32.Type) throws -> UInt32 { try level.integer(level.element, UInt32.self) }

    func decode(_ type: UInt64.Type) throws -> UInt64 { try level.integer(level.element, UInt64.self) }

    func decode(_ type: Int.Type) throws -> Int { try level.integer(level.element, Int.self) }
}
