extension Document {
    /// Creates a document of keys and values, in their order.
    ///
    /// - Parameter elements: The fields. See ``append(_:_:)`` for keys that BSON cannot hold.
    public init(_ elements: some Sequence<(String, BSONValue)>) {
        self.init(writing: { writer in
            for (key, value) in elements { writer.append(key, value) }
        })
    }

    /// Creates a document of the pairs of a literal, in their order.
    ///
    /// - Parameter elements: The fields. See ``append(_:_:)`` for keys that BSON cannot hold.
    public init(_ elements: KeyValuePairs<String, BSONValue>) {
        self.init(writing: { writer in
            for (key, value) in elements { writer.append(key, value) }
        })
    }

    /// Lets a writer write the fields.
    init(writing body: (inout ByteWriter) -> Void) {
        var writer = ByteWriter(capacity: 256)
        writer.count = 4
        body(&writer)
        writer.finish(from: 0)
        self.init(sharing: writer.bytes, start: 0, count: writer.count)
        fault = writer.fault
    }

    /// Appends a field, whether or not there is one with that key.
    ///
    /// Never fails at once: what BSON cannot hold is remembered until somebody calls ``requireWellFormed()``, as
    /// everything that sends or stores documents does.
    ///
    /// - Parameters:
    ///   - key: The field's key. May be empty. BSON has no NUL in keys.
    ///   - value: The field's value.
    public mutating func append(_ key: String, _ value: BSONValue) {
        write { $0.append(key, value) }
    }

    /// Appends every field of another document.
    ///
    /// - Parameter other: The other document.
    public mutating func append(contentsOf other: Document) {
        if let inner = other.fault { fault = inner }
        other.withUnsafeBytes { source in
            write { writer in
                guard writer.reserve(source.count) else { return }
                let fields = UnsafeRawBufferPointer(rebasing: source[4..<source.count - 1])
                writer.store(fields, at: writer.count)
                writer.count += fields.count
            }
        }
    }

    mutating func appendIndexed(_ index: Int, _ value: BSONValue) {
        IndexKey.with(index) { key in
            write { $0.append(key, value) }
        }
    }

    /// Lets a writer go on where the last field ends, and closes the document again.
    private mutating func write(_ body: (inout ByteWriter) -> Void) {
        let count = byteCount
        // A part of a larger buffer gets bytes of its own, so that not the whole buffer is copied because it is shared.
        // Otherwise bytes after the document are free: either nobody else has the array, or writing copies it.
        let isOwn = start == 0 && bytes.count <= 2 * count + 64
        if !isOwn { bytes = [UInt8](bytes[start..<start + count]) }
        let before = fault
        var writer = ByteWriter(continuing: bytes, count: count - 1)
        bytes = []
        writer.fault = before
        body(&writer)
        writer.finish(from: 0)
        bytes = writer.bytes
        startAndFault = 0
        countAndFault = UInt32(truncatingIfNeeded: writer.count)
        fault = writer.fault
    }

    mutating func set(_ key: String, _ value: BSONValue) {
        guard let place = bytes.withUnsafeBytes({ firstElement(key, in: $0) }) else { return append(key, value) }
        var head = Document()
        let before = fault
        head.bytes = [UInt8](bytes[start..<place.keyStart - 1]) + [0]
        head.countAndFault = UInt32(truncatingIfNeeded: head.bytes.count)
        head.fault = before
        head.append(key, value)
        let source = self
        head.write { writer in
            source.bytes.withUnsafeBytes { buffer in
                let rest = UnsafeRawBufferPointer(rebasing: buffer[place.valueEnd..<source.end])
                guard writer.reserve(rest.count + 1) else { return }
                writer.store(rest, at: writer.count)
                writer.count += rest.count
            }
        }
        // Too long: better the document as it was than one without its rest.
        guard head.fault != .tooLong else { return fault = .tooLong }
        self = head
    }

    /// Removes every field with a key.
    ///
    /// - Parameter key: The fields' key.
    /// - Returns: The value of the first one, or `nil` when there was none.
    @discardableResult
    public mutating func removeValue(forKey key: String) -> BSONValue? {
        guard let removed = self[key] else { return nil }
        var rest = Document()
        for field in fields where !field.hasKey(key) { rest.append(field) }
        rest.fault = fault
        self = rest
        return removed
    }

    /// Appends a field of another document as it is, without decoding it.
    ///
    /// - Parameter field: The field.
    public mutating func append(_ field: Field) {
        field.withUnsafeKeyBytes { key in
            field.withUnsafeValueBytes { value in
                write { writer in
                    let key = key.assumingMemoryBound(to: UInt8.self)
                    guard let offset = writer.field(field.type.rawValue, key, valueSize: value.count) else { return }
                    writer.store(value, at: offset)
                }
            }
        }
    }
}

extension ByteWriter {
    mutating func append(_ key: String, _ value: BSONValue) {
        var key = key
        key.withUTF8 { append($0, value) }
    }

    /// Closes a document that begins at `start`, whose fields have been written.
    mutating func finish(from start: Int) {
        guard reserve(1) else { return }
        store(0 as UInt8, at: count)
        count += 1
        store(Int32(truncatingIfNeeded: count - start), at: start)
    }
}

extension Document.Field {
    func hasKey(_ other: String) -> Bool {
        var other = other
        return other.withUTF8 { other in
            withUnsafeKeyBytes { key in
                other.contains(0)
                    ? ByteWriter.escapingNUL(other).elementsEqual(key)
                    : key.count == other.count && key.isEqual(at: 0, to: other)
            }
        }
    }
}

extension Document: ExpressibleByDictionaryLiteral {
    /// Creates a document with the fields in the order of the literal.
    public init(dictionaryLiteral elements: (String, BSONValue)...) {
        self.init(elements)
    }
}
