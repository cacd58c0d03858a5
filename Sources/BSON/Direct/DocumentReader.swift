public import PersistenceCore

/// Reads the fields of a document one after the other, for types that are ``DocumentReadable``.
///
/// Keys are literals: they are compared where they stand, and no string is made of them. A field is expected behind the
/// one that was read last, and searched for when it is not there.
public struct DocumentReader: ~Copyable {
    /// The bytes of `owner`: a reader is made within the scope in which they are lent, and cannot be copied out of it.
    private let buffer: UnsafeRawBufferPointer
    private let owner: [UInt8]
    private let root: CodingRoot
    private var place: Place
    private var depth = 1

    /// Where the reader is.
    @usableFromInline
    struct Place {
        /// Where the document's first field begins.
        let start: Int
        /// Where its closing NUL is.
        let end: Int
        /// Where the next field is expected.
        var cursor: Int
    }

    private init(
        _ buffer: UnsafeRawBufferPointer, _ document: Document, owner: [UInt8], _ root: CodingRoot
    ) {
        self.buffer = buffer
        self.owner = owner
        self.root = root
        place = Place(
            start: document.start + 4, end: document.start + document.byteCount - 1, cursor: document.start + 4)
    }

    /// Lends a reader of a document.
    @inline(__always)
    static func read<Value: DocumentReadable>(
        _ type: Value.Type, from document: Document, _ root: CodingRoot
    ) throws(PersistenceError) -> Value {
        // No `Result` and no `Optional` of the type: in code that is generic, looking up either takes as long as reading
        // some fields.
        try document.bytes.withUnsafeBufferPointer { (bytes) throws(PersistenceError) -> Value in
            var reader = DocumentReader(UnsafeRawBufferPointer(bytes), document, owner: document.bytes, root)
            do throws(PersistenceError) {
                return try Value(reading: &reader)
            } catch {
                throw Self.surface(error)
            }
        }
    }

    /// Reads documents that stand one after the other, up to the first that fails.
    static func read<Value: DocumentReadable>(
        _ sequence: inout DocumentSequence, _ limit: Int, _ memory: UnsafeMutablePointer<Value>, _ root: CodingRoot
    ) -> (Int, PersistenceError?) {
        let bytes = sequence.bytes
        return bytes.withUnsafeBufferPointer { buffer in
            let buffer = UnsafeRawBufferPointer(buffer)
            var reader = DocumentReader(buffer, Document(), owner: bytes, root)
            var done = 0
            while done < limit, sequence.count > 0 {
                let start = sequence.position
                // What is no document has no fields.
                let length = Document.byteCount(in: buffer, at: start) ?? 5
                reader.place = Place(start: start + 4, end: start + length - 1, cursor: start + 4)
                sequence.skip(length)
                do throws(PersistenceError) {
                    (memory + done).initialize(to: try Value(reading: &reader))
                } catch {
                    return (done, Self.surface(error))
                }
                done += 1
            }
            return (done, nil)
        }
    }

    /// The field's path in front of what was wrong.
    private static func surface(_ error: PersistenceError) -> PersistenceError {
        guard error.code == .decoding, let path = error.column else { return error }
        return error.with { $0.summary = "field \(path): \($0.summary)" }
    }

    // MARK: Fields

    /// Reads a field.
    ///
    /// - Parameters:
    ///   - key: The field's key.
    ///   - type: The value's type, where it is not known from what is done with it.
    /// - Returns: Its value.
    /// - Throws: ``PersistenceCore/PersistenceError`` with the code `decoding` when there is no such field, or when its
    ///   value is of another type or does not fit; `column` names it.
    @inlinable
    public mutating func read<Value: BSONReadable>(
        _ key: StaticString, as type: Value.Type = Value.self
    ) throws(PersistenceError) -> Value {
        guard let field = find(key) else { throw Self.missing(key) }
        do throws(PersistenceError) {
            return try Value.read(field, of: &self)
        } catch {
            throw Self.within(key, error)
        }
    }

    /// Reads a field that may be missing or null.
    ///
    /// - Parameters:
    ///   - key: The field's key.
    ///   - type: The value's type, where it is not known from what is done with it.
    /// - Returns: Its value, or `nil`.
    /// - Throws: What ``read(_:as:)`` throws.
    @inlinable
    public mutating func readIfPresent<Value: BSONReadable>(
        _ key: StaticString, as type: Value.Type = Value.self
    ) throws(PersistenceError) -> Value? {
        guard let field = find(key), !field.isNull else { return nil }
        do throws(PersistenceError) {
            return try Value.read(field, of: &self)
        } catch {
            throw Self.within(key, error)
        }
    }

    /// Decodes a field whose type is `Decodable` alone.
    ///
    /// - Parameters:
    ///   - key: The field's key.
    ///   - type: The value's type, where it is not known from what is done with it.
    /// - Returns: Its value.
    /// - Throws: What ``read(_:as:)`` throws.
    public mutating func decode<Value: Decodable>(
        _ key: StaticString, as type: Value.Type = Value.self
    ) throws(PersistenceError) -> Value {
        guard let field = find(key) else { throw Self.missing(key) }
        do throws(PersistenceError) {
            return try coded(field) { try $0.decode(type) }
        } catch {
            throw Self.within(key, error)
        }
    }

    /// Decodes a field that may be missing or null, and whose type is `Decodable` alone.
    ///
    /// - Parameters:
    ///   - key: The field's key.
    ///   - type: The value's type, where it is not known from what is done with it.
    /// - Returns: Its value, or `nil`.
    /// - Throws: What ``read(_:as:)`` throws.
    public mutating func decodeIfPresent<Value: Decodable>(
        _ key: StaticString, as type: Value.Type = Value.self
    ) throws(PersistenceError) -> Value? {
        guard let field = find(key), !field.isNull else { return nil }
        do throws(PersistenceError) {
            return try coded(field) { try $0.decode(type) }
        } catch {
            throw Self.within(key, error)
        }
    }

    /// Whether there is a field, be it null.
    ///
    /// - Parameter key: The field's key.
    public mutating func contains(_ key: StaticString) -> Bool { find(key) != nil }

    /// A field's value as it is.
    ///
    /// - Parameter field: Where it is.
    /// - Returns: The value, which shares the document's bytes.
    public func bsonValue(_ field: BSONField) -> BSONValue {
        BSONValue(reading: Self.element(field), in: buffer, of: owner)
    }

    /// The error for a value of a type that is not wanted.
    ///
    /// - Parameters:
    ///   - type: The type that was wanted.
    ///   - field: The value.
    /// - Returns: The error.
    public func mismatch(_ type: Any.Type, _ field: BSONField) -> PersistenceError {
        PersistenceError(.decoding, "\(type) was expected, found \(field.type)")
    }

    // MARK: Places

    /// Goes into a document or an array.
    @usableFromInline
    mutating func enter(
        _ field: BSONField, _ type: BSONType, _ wanted: Any.Type
    ) throws(PersistenceError) -> Place {
        guard field.type == type else { throw mismatch(wanted, field) }
        guard depth < DecodingLevel.maximumDepth else {
            throw PersistenceError(
                .tooLarge, "the document is nested more than \(DecodingLevel.maximumDepth) levels deep")
        }
        depth += 1
        let outer = place
        place = Place(start: field.start + 4, end: field.end - 1, cursor: field.start + 4)
        return outer
    }

    /// Goes back.
    @usableFromInline
    mutating func leave(to outer: Place) {
        depth -= 1
        place = outer
    }

    /// The next element of an array.
    @usableFromInline
    mutating func next() -> BSONField? {
        guard let element = RawElement(in: buffer, at: place.cursor, end: place.end) else { return nil }
        place.cursor = element.valueEnd
        return BSONField(rawType: element.type, start: element.valueStart, end: element.valueEnd)
    }

    /// How many elements an array has.
    @usableFromInline
    var elementCount: Int {
        var count = 0
        var position = place.start
        while let element = RawElement(in: buffer, at: position, end: place.end) {
            position = element.valueEnd
            count += 1
        }
        return count
    }

    /// Finds a field: where the cursor is, or else after it, or else before it.
    @usableFromInline
    mutating func find(_ key: StaticString) -> BSONField? {
        key.withUTF8Buffer { name in
            let (begin, end) = (place.cursor, place.end)
            let valueStart = begin + name.count + 2
            if valueStart <= end, buffer[valueStart - 1] == 0, buffer.isKey(at: begin + 1, name) {
                let type = buffer[begin]
                if let length = RawElement.length(ofType: type, in: buffer, at: valueStart, end: end) {
                    place.cursor = valueStart + length
                    return BSONField(rawType: type, start: valueStart, end: valueStart + length)
                }
            }
            return search(name, from: begin, to: end) ?? search(name, from: place.start, to: begin)
        }
    }

    private mutating func search(_ name: UnsafeBufferPointer<UInt8>, from start: Int, to stop: Int) -> BSONField? {
        var position = start
        while position < stop, let field = RawElement(in: buffer, at: position, end: place.end) {
            position = field.valueEnd
            if field.keyEnd - field.keyStart == name.count, buffer.isKey(at: field.keyStart, name) {
                place.cursor = position
                return BSONField(rawType: field.type, start: field.valueStart, end: field.valueEnd)
            }
        }
        return nil
    }

    // MARK: Errors

    @usableFromInline
    static func missing(_ key: StaticString) -> PersistenceError {
        PersistenceError(.decoding, "there is no such field").with { $0.column = key.description }
    }

    @usableFromInline
    static func within(_ key: StaticString, _ error: PersistenceError) -> PersistenceError {
        within(key.description, error)
    }

    @usableFromInline
    static func within(_ index: Int, _ error: PersistenceError) -> PersistenceError {
        within(String(index), error)
    }

    private static func within(_ key: String, _ error: PersistenceError) -> PersistenceError {
        error.with { $0.column = $0.column.map { "\(key).\($0)" } ?? key }
    }

    func corrupted(_ summary: String) -> PersistenceError {
        PersistenceError(.decoding, summary)
    }
}

// MARK: - Values

extension DocumentReader {
    private static func element(_ field: BSONField) -> RawElement {
        RawElement(type: field.rawType, keyCount: 0, valueStart: field.start, valueEnd: field.end)
    }

    /// Has the decoder of `Codable` read a value.
    func coded<Value>(
        _ field: BSONField, _ body: (DecodingLevel) throws -> Value
    ) throws(PersistenceError) -> Value {
        let outer = DecodingLevel(
            root: Document(sharing: owner, start: place.start - 4, count: place.end - place.start + 5), root)
        outer.isTransparent = true
        do {
            return try body(DecodingLevel(Self.element(field), parent: outer, pathIndex: nil))
        } catch {
            throw BSONDecoder.withoutPath(error)
        }
    }

    @inline(__always)
    func integer<Value: FixedWidthInteger>(_ field: BSONField, _ type: Value.Type) throws(PersistenceError) -> Value {
        let value: Value? =
            switch field.rawType {
            case 0x12: Value(exactly: buffer.int64(at: field.start))
            case 0x10: Value(exactly: buffer.int32(at: field.start))
            case 0x01: Value(exactly: buffer.double(at: field.start))
            default: nil
            }
        if let value { return value }
        throw wrongNumber(field, type)
    }

    @inline(__always)
    func double(_ field: BSONField) throws(PersistenceError) -> Double {
        let value: Double? =
            switch field.rawType {
            case 0x01: buffer.double(at: field.start)
            case 0x10: Double(buffer.int32(at: field.start))
            case 0x12: Double(exactly: buffer.int64(at: field.start))
            default: nil
            }
        if let value { return value }
        throw wrongNumber(field, Double.self)
    }

    private func wrongNumber(_ field: BSONField, _ type: Any.Type) -> PersistenceError {
        switch field.rawType {
        case 0x12, 0x10, 0x01: corrupted("the number does not fit into \(type)")
        default: mismatch(type, field)
        }
    }

    @inline(__always)
    func bool(_ field: BSONField) throws(PersistenceError) -> Bool {
        guard field.rawType == 0x08 else { throw mismatch(Bool.self, field) }
        return buffer[field.start] != 0
    }

    @inline(__always)
    func string(_ field: BSONField) throws(PersistenceError) -> String {
        guard field.rawType == 0x02 || field.rawType == 0x0E else { throw mismatch(String.self, field) }
        guard let text = buffer.validText(from: field.start + 4, to: field.end - 1) else {
            throw corrupted("the string is not UTF-8")
        }
        return text
    }

    @inline(__always)
    func objectID(_ field: BSONField) throws(PersistenceError) -> ObjectID {
        guard field.rawType == 0x07 else { throw mismatch(ObjectID.self, field) }
        return ObjectID(buffer, at: field.start)
    }

    /// BSON's date in milliseconds, unless dates are stored in another way.
    @inline(__always)
    func plainDate(_ field: BSONField) -> Int64? {
        root.hasPlainDates && field.rawType == 0x09 ? buffer.int64(at: field.start) : nil
    }

    /// The bytes of a UUID, unless they are stored in another way.
    @inline(__always)
    func plainUUID<Bytes>(_ field: BSONField, as type: Bytes.Type) -> Bytes? {
        guard root.hasBinaryUUIDs, field.rawType == 0x05, field.end - field.start == 21, buffer[field.start + 4] == 4
        else { return nil }
        return buffer.loadUnaligned(fromByteOffset: field.start + 5, as: type)
    }
}

extension BSONField {
    @usableFromInline var isNull: Bool { rawType == 0x0A || rawType == 0x06 }
}

extension UnsafeRawBufferPointer {
    /// Text at the given place, or `nil` when it is not UTF-8.
    @inline(__always)
    func validText(from start: Int, to end: Int) -> String? {
        let part = UnsafeRawBufferPointer(rebasing: self[start..<end])
        // `String(validating:as:)` would do both, but takes several times as long.
        return UTF8Check.isValid(part) ? String(decoding: part, as: UTF8.self) : nil
    }
}
