extension DecodingLevel {
    @inline(__always)
    func integer<Value: FixedWidthInteger>(_ field: RawElement, _ type: Value.Type, index: Int? = nil) throws -> Value {
        let value: Value? = bytes.withUnsafeBytes { buffer in
            switch field.type {
            case 0x12: Value(exactly: buffer.int64(at: field.valueStart))
            case 0x10: Value(exactly: buffer.int32(at: field.valueStart))
            case 0x01: Value(exactly: buffer.double(at: field.valueStart))
            default: nil
            }
        }
        if let value { return value }
        throw wrongNumber(field, type, index: index)
    }

    private func wrongNumber(_ field: RawElement, _ type: Any.Type, index: Int?) -> DecodingError {
        switch field.type {
        case 0x12, 0x10, 0x01: corrupted("the number does not fit into \(type)", field, index: index)
        default: mismatch(type, field, index: index)
        }
    }

    @inline(__always)
    func double(_ field: RawElement, index: Int? = nil) throws -> Double {
        let value: Double? = bytes.withUnsafeBytes { buffer in
            switch field.type {
            case 0x01: buffer.double(at: field.valueStart)
            case 0x10: Double(buffer.int32(at: field.valueStart))
            case 0x12: Double(exactly: buffer.int64(at: field.valueStart))
            default: nil
            }
        }
        if let value { return value }
        throw wrongNumber(field, Double.self, index: index)
    }

    @inline(__always)
    func float(_ field: RawElement, index: Int? = nil) throws -> Float {
        let value = try double(field, index: index)
        let rounded = Float(value)
        guard rounded.isFinite || !value.isFinite else {
            throw corrupted("the number does not fit into Float", field, index: index)
        }
        return rounded
    }

    @inline(__always)
    func bool(_ field: RawElement, index: Int? = nil) throws -> Bool {
        guard field.type == 0x08 else { throw mismatch(Bool.self, field, index: index) }
        return bytes.withUnsafeBytes { $0[field.valueStart] != 0 }
    }

    @inline(__always)
    func string(_ field: RawElement, index: Int? = nil) throws -> String {
        guard field.type == 0x02 || field.type == 0x0E else { throw mismatch(String.self, field, index: index) }
        let text = bytes.withUnsafeBytes { $0.validText(from: field.valueStart + 4, to: field.valueEnd - 1) }
        guard let text else { throw corrupted("the string is not UTF-8", field, index: index) }
        return text
    }

    func bsonValue(_ field: RawElement) -> BSONValue {
        bytes.withUnsafeBytes { BSONValue(reading: field, in: $0, of: bytes) }
    }

    /// The whole level's value.
    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        guard let native = NativeType.of(type), !isDeferred(native) else { return try Value(from: self) }
        return try decode(native, type, element, index: pathIndex)
    }

    /// The value of a field.
    @inline(__always)
    func decode<Value: Decodable>(_ type: Value.Type, _ field: RawElement, index: Int? = nil) throws -> Value {
        guard let native = NativeType.of(type), !isDeferred(native) else {
            return try Value(from: DecodingLevel(field, parent: self, pathIndex: index))
        }
        return try decode(native, type, field, index: index)
    }

    /// Whether the options leave the coding of a type to the type.
    @inline(__always)
    private func isDeferred(_ native: NativeType) -> Bool {
        switch native {
        case .date: root.defersDates
        case .data: root.defersData
        default: false
        }
    }

    /// The value of a type that is not to decode itself.
    ///
    /// The casts are right because `native` was looked up by `type`.
    private func decode<Value>(
        _ native: NativeType, _ type: Value.Type, _ field: RawElement, index: Int?
    ) throws -> Value {
        switch native {
        case .string: unsafeBitCast(try string(field, index: index), to: type)
        case .int: unsafeBitCast(try integer(field, Int.self, index: index), to: type)
        case .double: unsafeBitCast(try double(field, index: index), to: type)
        case .objectID: unsafeBitCast(try objectID(field, index: index), to: type)
        case .date: unsafeBitCast(try date(field, index: index), to: type)
        case .uuid: unsafeBitCast(try uuid(field, index: index), to: type)
        case .data: unsafeBitCast(try data(field, index: index), to: type)
        case .url: unsafeBitCast(try url(field, index: index), to: type)
        case .decimal: unsafeBitCast(try decimal(field, index: index), to: type)
        case .strings:
            unsafeBitCast(try array(field, index) { try $0.string($1, index: $2) }, to: type)
        case .ints:
            unsafeBitCast(try array(field, index) { try $0.integer($1, Int.self, index: $2) }, to: type)
        case .doubles:
            unsafeBitCast(try array(field, index) { try $0.double($1, index: $2) }, to: type)
        case .value: unsafeBitCast(bsonValue(field), to: type)
        case .document: unsafeBitCast(try represented(Document.self, field, index: index), to: type)
        case .array: unsafeBitCast(try represented(BSONArray.self, field, index: index), to: type)
        case .binary: unsafeBitCast(try represented(BSONBinary.self, field, index: index), to: type)
        case .bsonDate: unsafeBitCast(try represented(BSONDate.self, field, index: index), to: type)
        case .timestamp: unsafeBitCast(try represented(BSONTimestamp.self, field, index: index), to: type)
        case .decimal128: unsafeBitCast(try represented(Decimal128.self, field, index: index), to: type)
        case .regularExpression:
            unsafeBitCast(try represented(BSONRegularExpression.self, field, index: index), to: type)
        }
    }

    private func objectID(_ field: RawElement, index: Int?) throws -> ObjectID {
        guard field.type == 0x07 else { throw mismatch(ObjectID.self, field, index: index) }
        return bytes.withUnsafeBytes { ObjectID($0, at: field.valueStart) }
    }

    private func represented<Value: BSONRepresentable>(
        _ type: Value.Type, _ field: RawElement, index: Int?
    ) throws -> Value {
        guard let value = Value(bsonValue: bsonValue(field)) else { throw mismatch(type, field, index: index) }
        return value
    }

    private func array<Element>(
        _ field: RawElement, _ index: Int?, _ element: (DecodingLevel, RawElement, Int) throws -> Element
    ) throws -> [Element] {
        guard field.type == 0x04 else { throw mismatch([Element].self, field, index: index) }
        let level = DecodingLevel(field, parent: self, pathIndex: index)
        var elements: [Element] = []
        elements.reserveCapacity(level.elementCount)
        while let next = level.next() {
            elements.append(try element(level, next, elements.count))
        }
        return elements
    }

    /// How many elements an array has.
    var elementCount: Int {
        Document(sharing: bytes, start: element.valueStart, count: element.byteCount).count
    }

    /// The next element of an array, by the cursor.
    @inline(__always)
    func next() -> RawElement? {
        let end = element.valueEnd - 1
        let position = cursor
        guard let next = bytes.withUnsafeBytes({ RawElement(in: $0, at: position, end: end) }) else { return nil }
        cursor = next.valueEnd
        return next
    }
}
