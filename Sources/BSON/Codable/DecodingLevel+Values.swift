extension DecodingLevel {
    @inline(__always)
    func integer<Value: FixedWidthInteger>(_ field: RawElement, _ type: Value.Type, index: Int? = nil) throws -> Value {
        if let value = bytes.withUnsafeBytes({ $0.integer(field, type) }) { return value }
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
        if let value = bytes.withUnsafeBytes({ $0.double(field) }) { return value }
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
        if let text = bytes.withUnsafeBytes({ $0.string(field) }) { return text }
        throw wrongString(field, index: index)
    }

    private func wrongString(_ field: RawElement, index: Int?) -> DecodingError {
        guard field.type == 0x02 || field.type == 0x0E else { return mismatch(String.self, field, index: index) }
        return corrupted("the string is not UTF-8", field, index: index)
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
            if field.type == 0x04, let array = type as? any ElementwiseDecodable.Type {
                return try elements(of: field, as: array, index: index)
            }
            return try Value(from: DecodingLevel(field, parent: self, pathIndex: index))
        }
        return try decode(native, type, field, index: index)
    }

    /// An array, whose type is `Value`, cast.
    private func elements<Value, Elements: ElementwiseDecodable>(
        of field: RawElement, as type: Elements.Type, index: Int?
    ) throws -> Value {
        let level = DecodingLevel(field, parent: self, pathIndex: index)
        try level.checkDepth()
        return unsafeBitCast(try Elements(decodingElementsOf: level), to: Value.self)
    }

    /// Whether the options leave the coding of a type to the type.
    @inline(__always)
    func isDeferred(_ native: NativeType) -> Bool {
        switch native {
        case .date: root.defersDates
        case .data: root.defersData
        default: false
        }
    }

    /// The value of a type that is not to decode itself.
    ///
    /// The casts are right because `native` was looked up by `type`.
    func decode<Value>(
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
            unsafeBitCast(
                try array(field, index, { $0.string($1) }, orThrow: { try $0.string($1, index: $2) }), to: type)
        case .ints:
            unsafeBitCast(
                try array(
                    field, index, { $0.integer($1, Int.self) }, orThrow: { try $0.integer($1, Int.self, index: $2) }),
                to: type)
        case .doubles:
            unsafeBitCast(
                try array(field, index, { $0.double($1) }, orThrow: { try $0.double($1, index: $2) }), to: type)
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

    /// Reads an array whose elements need no level.
    ///
    /// - Parameter failing: Throws the error for an element that could not be read.
    @inline(__always)
    private func array<Element>(
        _ field: RawElement, _ index: Int?, _ read: (UnsafeRawBufferPointer, RawElement) -> Element?,
        orThrow failing: (DecodingLevel, RawElement, Int) throws -> Element
    ) throws -> [Element] {
        guard field.type == 0x04 else { throw mismatch([Element].self, field, index: index) }
        return try bytes.withUnsafeBytes { buffer in
            let end = field.valueEnd - 1
            var position = field.valueStart + 4
            var elements: [Element] = []
            elements.reserveCapacity(buffer.elementCount(from: position, to: end))
            while let next = RawElement(in: buffer, at: position, end: end) {
                if let element = read(buffer, next) {
                    elements.append(element)
                } else {
                    let level = DecodingLevel(field, parent: self, pathIndex: index)
                    elements.append(try failing(level, next, elements.count))
                }
                position = next.valueEnd
            }
            return elements
        }
    }

    /// How many elements an array has.
    var elementCount: Int {
        bytes.withUnsafeBytes { $0.elementCount(from: element.valueStart + 4, to: element.valueEnd - 1) }
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

/// An array, whose elements are decoded one after the other without a container.
///
/// `Array` would ask a container for each element, through an existential, and grow as it goes.
private protocol ElementwiseDecodable {
    init(decodingElementsOf level: DecodingLevel) throws
}

extension Array: ElementwiseDecodable where Element: Decodable {
    fileprivate init(decodingElementsOf level: DecodingLevel) throws {
        let native = NativeType.of(Element.self).flatMap { level.isDeferred($0) ? nil : $0 }
        try self.init(unsafeUninitializedCapacity: level.elementCount) { buffer, count in
            guard let first = buffer.baseAddress else { return }
            var child: DecodingLevel?
            while count < buffer.count, let next = level.next() {
                let place = first + count
                if let native {
                    place.initialize(to: try level.decode(native, Element.self, next, index: count))
                } else {
                    // The level of the element before, unless that has kept its decoder.
                    if isKnownUniquelyReferenced(&child), let child {
                        child.move(to: next, pathIndex: count)
                        place.initialize(to: try Element(from: child))
                    } else {
                        let new = DecodingLevel(next, parent: level, pathIndex: count)
                        child = new
                        place.initialize(to: try Element(from: new))
                    }
                }
                count += 1
            }
        }
    }
}

// MARK: - Values in place

extension UnsafeRawBufferPointer {
    /// How many elements there are between two places.
    func elementCount(from start: Int, to end: Int) -> Int {
        var count = 0
        var position = start
        while let element = RawElement(in: self, at: position, end: end) {
            position = element.valueEnd
            count += 1
        }
        return count
    }

    /// A number, unless there is none or it does not fit.
    @inline(__always)
    func integer<Value: FixedWidthInteger>(_ field: RawElement, _ type: Value.Type) -> Value? {
        switch field.type {
        case 0x12: Value(exactly: int64(at: field.valueStart))
        case 0x10: Value(exactly: int32(at: field.valueStart))
        case 0x01: Value(exactly: double(at: field.valueStart))
        default: nil
        }
    }

    /// A number, unless there is none or it does not fit.
    @inline(__always)
    func double(_ field: RawElement) -> Double? {
        switch field.type {
        case 0x01: double(at: field.valueStart)
        case 0x10: Double(int32(at: field.valueStart))
        case 0x12: Double(exactly: int64(at: field.valueStart))
        default: nil
        }
    }

    /// A text, unless there is none or it is not UTF-8.
    @inline(__always)
    func string(_ field: RawElement) -> String? {
        guard field.type == 0x02 || field.type == 0x0E else { return nil }
        return validText(from: field.valueStart + 4, to: field.valueEnd - 1)
    }
}
