/// The elements of an array, one after the other.
struct UnkeyedDecoding: UnkeyedDecodingContainer {
    let level: DecodingLevel
    private(set) var currentIndex = 0
    /// Where the next element is.
    private var position: Int

    init(level: DecodingLevel) {
        self.level = level
        position = level.element.valueStart + 4
    }

    var codingPath: [any CodingKey] { level.path }

    /// How many elements there are.
    ///
    /// Walks over the array; those who ask reserve space, which saves more than that takes.
    var count: Int? { level.elementCount }

    var isAtEnd: Bool { peek() == nil }

    @inline(__always)
    private func peek() -> RawElement? {
        let end = level.element.valueEnd - 1
        return level.bytes.withUnsafeBytes { RawElement(in: $0, at: position, end: end) }
    }

    /// Decodes the next element, and goes on behind it when that succeeds.
    @inline(__always)
    private mutating func next<Value>(_ type: Any.Type, _ body: (RawElement, Int) throws -> Value) throws -> Value {
        guard let element = peek() else {
            throw DecodingError.valueNotFound(
                type,
                .init(
                    codingPath: level.path + [PathKey(intValue: currentIndex)],
                    debugDescription: "the array has no more elements"))
        }
        let value = try body(element, currentIndex)
        position = element.valueEnd
        currentIndex += 1
        return value
    }

    mutating func decodeNil() throws -> Bool {
        let isNull = try next(Never.self) { element, _ in element }
        if isNull.type == 0x0A || isNull.type == 0x06 { return true }
        position = isNull.keyStart - 1
        currentIndex -= 1
        return false
    }

    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let level = level
        return try next(type) { try level.decode(type, $0, index: $1) }
    }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type
    ) throws -> KeyedDecodingContainer<NestedKey> {
        try nested(type).container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try nested([BSONValue].self).unkeyedContainer()
    }

    mutating func superDecoder() throws -> any Decoder {
        try nested((any Decoder).self)
    }

    private mutating func nested(_ type: Any.Type) throws -> DecodingLevel {
        let level = level
        return try next(type) { DecodingLevel($0, parent: level, pathIndex: $1) }
    }
}

// MARK: - The standard library's own types

extension UnkeyedDecoding {
    mutating func decode(_ type: Bool.Type) throws -> Bool {
        let level = level
        return try next(type) { try level.bool($0, index: $1) }
    }

    mutating func decode(_ type: String.Type) throws -> String {
        let level = level
        return try next(type) { try level.string($0, index: $1) }
    }

    mutating func decode(_ type: Double.Type) throws -> Double {
        let level = level
        return try next(type) { try level.double($0, index: $1) }
    }

    mutating func decode(_ type: Float.Type) throws -> Float {
        let level = level
        return try next(type) { try level.float($0, index: $1) }
    }

    mutating func decode(_ type: Int8.Type) throws -> Int8 {
        let level = level
        return try next(type) { try level.integer($0, Int8.self, index: $1) }
    }

    mutating func decode(_ type: Int16.Type) throws -> Int16 {
        let level = level
        return try next(type) { try level.integer($0, Int16.self, index: $1) }
    }

    mutating func decode(_ type: Int32.Type) throws -> Int32 {
        let level = level
        return try next(type) { try level.integer($0, Int32.self, index: $1) }
    }

    mutating func decode(_ type: Int64.Type) throws -> Int64 {
        let level = level
        return try next(type) { try level.integer($0, Int64.self, index: $1) }
    }

    mutating func decode(_ type: UInt.Type) throws -> UInt {
        let level = level
        return try next(type) { try level.integer($0, UInt.self, index: $1) }
    }

    mutating func decode(_ type: UInt8.Type) throws -> UInt8 {
        let level = level
        return try next(type) { try level.integer($0, UInt8.self, index: $1) }
    }

    mutating func decode(_ type: UInt16.Type) throws -> UInt16 {
        let level = level
        return try next(type) { try level.integer($0, UInt16.self, index: $1) }
    }

    mutating func decode(_ type: UInt32.Type) throws -> UInt32 {
        let level = level
        return try next(type) { try level.integer($0, UInt32.self, index: $1) }
    }

    mutating func decode(_ type: UInt64.Type) throws -> UInt64 {
        let level = level
        return try next(type) { try level.integer($0, UInt64.self, index: $1) }
    }

    mutating func decode(_ type: Int.Type) throws -> Int {
        let level = level
        return try next(type) { try level.integer($0, Int.self, index: $1) }
    }
}
