/// Writes the bytes of documents.
///
/// The array is longer than what has been written, so that a field is written with one check of the space: `count` says
/// where the next byte goes.
struct ByteWriter {
    var bytes: [UInt8]
    var count: Int
    /// What was written although BSON cannot hold it.
    var fault: Document.Fault?

    /// How many bytes may be written, so that what is too large is not written out to be refused.
    var limit = ByteWriter.maximumCount

    /// A length in BSON is an Int32.
    static let maximumCount = Int(Int32.max)

    init(capacity: Int) {
        // `Array(repeating:count:)` is generic code that looks up the type of its storage, which takes as long as writing
        // some fields.
        bytes = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, initialized in
            buffer.initialize(repeating: 0)
            initialized = capacity
        }
        count = 0
    }

    /// Goes on in bytes of which the first `count` are written and the others free.
    init(continuing bytes: consuming [UInt8], count: Int) {
        self.bytes = bytes
        self.count = count
    }

    /// Makes sure that `additional` bytes can be written.
    ///
    /// `false` when the document would get too long.
    @inline(__always)
    mutating func reserve(_ additional: Int) -> Bool {
        // Written so that no sum can overflow: `additional` may be anything up to Int.max.
        if additional <= bytes.count - count { return true }
        return grow(additional)
    }

    @inline(never)
    private mutating func grow(_ additional: Int) -> Bool {
        guard additional <= limit - count else {
            fault = .tooLong
            return false
        }
        let needed = count + additional
        let size = Swift.max(64, Swift.min(Self.maximumCount, Swift.max(needed, 2 * bytes.count)))
        let count = count
        let old = bytes
        bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, initialized in
            let target = UnsafeMutableRawBufferPointer(buffer)
            old.withUnsafeBytes { target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            UnsafeMutableRawBufferPointer(rebasing: target[count...]).initializeMemory(as: UInt8.self, repeating: 0)
            initialized = size
        }
        return true
    }

    /// Writes type, key and NUL of a field, and leaves room for its value.
    ///
    /// - Returns: Where the value is to be written, or `nil` when the document would get too long.
    @inline(__always)
    mutating func field(_ type: UInt8, _ key: UnsafeBufferPointer<UInt8>, valueSize: Int) -> Int? {
        let size = key.count + 2
        guard valueSize <= Self.maximumCount, reserve(size + valueSize) else { return nil }
        let start = count
        let isWhole = bytes.withUnsafeMutableBytes { Self.putHeader(type, key, at: start, in: $0) }
        guard isWhole else { return escapedField(type, key, valueSize: valueSize) }
        count = start + size + valueSize
        return start + size
    }

    /// Writes type, key and NUL where there is room for them.
    ///
    /// - Returns: Whether the key has no NUL of its own.
    @inline(__always)
    private static func putHeader(
        _ type: UInt8, _ key: UnsafeBufferPointer<UInt8>, at start: Int, in buffer: UnsafeMutableRawBufferPointer
    ) -> Bool {
        let key = UnsafeRawBufferPointer(key)
        let count = key.count
        let target = start + 1
        buffer[start] = type
        buffer[target + count] = 0
        var zeros: UInt64 = 0
        if count >= 8 {
            var index = 0
            repeat {
                let word = key.uint64(at: index)
                zeros |= word.zeroBytes
                buffer.storeBytes(of: word.littleEndian, toByteOffset: target + index, as: UInt64.self)
                index += 8
            } while index + 8 <= count
            // The rest, together with what is there already.
            let word = key.uint64(at: count - 8)
            zeros |= word.zeroBytes
            buffer.storeBytes(of: word.littleEndian, toByteOffset: target + count - 8, as: UInt64.self)
        } else if count >= 4 {
            let first = key.uint32(at: 0)
            let last = key.uint32(at: count - 4)
            zeros = (UInt64(first) | UInt64(last) << 32).zeroBytes
            buffer.storeBytes(of: first.littleEndian, toByteOffset: target, as: UInt32.self)
            buffer.storeBytes(of: last.littleEndian, toByteOffset: target + count - 4, as: UInt32.self)
        } else {
            for index in 0..<count {
                let byte = key[index]
                if byte == 0 { zeros = 1 }
                buffer[target + index] = byte
            }
        }
        return zeros == 0
    }

    @inline(never)
    private mutating func escapedField(_ type: UInt8, _ key: UnsafeBufferPointer<UInt8>, valueSize: Int) -> Int? {
        let escaped = Self.escapingNUL(key)
        let offset = escaped.withUnsafeBufferPointer { field(type, $0, valueSize: valueSize) }
        fault = .containsNUL
        return offset
    }

    /// Writes a field whose value is a number.
    @inline(__always)
    mutating func appendInteger<Value: FixedWidthInteger>(
        _ type: UInt8, _ key: UnsafeBufferPointer<UInt8>, _ value: Value
    ) {
        let start = count
        let size = key.count + 2 + MemoryLayout<Value>.size
        guard reserve(size) else { return }
        let isWhole = bytes.withUnsafeMutableBytes { buffer in
            let isWhole = Self.putHeader(type, key, at: start, in: buffer)
            buffer.storeBytes(of: value.littleEndian, toByteOffset: start + key.count + 2, as: Value.self)
            return isWhole
        }
        if isWhole {
            count = start + size
        } else if let offset = escapedField(type, key, valueSize: MemoryLayout<Value>.size) {
            store(value, at: offset)
        }
    }

    /// The bytes of a key with each NUL as C0 80, which no UTF-8 text contains: the field keeps its length and matches
    /// no other.
    static func escapingNUL(_ key: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        key.flatMap { $0 == 0 ? [0xC0, 0x80] : [$0] }
    }

    @inline(__always)
    mutating func store<Value: FixedWidthInteger>(_ value: Value, at offset: Int) {
        bytes.withUnsafeMutableBytes { $0.storeBytes(of: value.littleEndian, toByteOffset: offset, as: Value.self) }
    }

    @inline(__always)
    mutating func store(_ source: UnsafeRawBufferPointer, at offset: Int) {
        bytes.withUnsafeMutableBytes {
            UnsafeMutableRawBufferPointer(rebasing: $0[offset..<offset + source.count]).copyMemory(from: source)
        }
    }

    /// Writes a string's value: length, bytes, NUL.
    @inline(__always)
    mutating func storeString(_ text: UnsafeBufferPointer<UInt8>, at offset: Int) {
        bytes.withUnsafeMutableBytes { Self.putString(text, at: offset, in: $0) }
    }

    @inline(__always)
    private static func putString(
        _ text: UnsafeBufferPointer<UInt8>, at offset: Int, in buffer: UnsafeMutableRawBufferPointer
    ) {
        let length = Int32(truncatingIfNeeded: text.count + 1)
        buffer.storeBytes(of: length.littleEndian, toByteOffset: offset, as: Int32.self)
        let target = UnsafeMutableRawBufferPointer(rebasing: buffer[(offset + 4)...])
        target.copyMemory(from: UnsafeRawBufferPointer(text))
        buffer[offset + 4 + text.count] = 0
    }
}

extension ByteWriter {
    /// Writes a field.
    ///
    /// Nothing is written when the document would get too long; `fault` says so.
    mutating func append(_ key: UnsafeBufferPointer<UInt8>, _ value: BSONValue) {
        switch value {
        case .double(let value): appendInteger(0x01, key, value.bitPattern)
        case .string(let value): appendString(0x02, key, value)
        case .document(let value): appendDocument(0x03, key, value)
        case .array(let value): appendDocument(0x04, key, value.storage)
        case .binary(let value): appendBinary(key, value)
        case .undefined: _ = field(0x06, key, valueSize: 0)
        case .objectID(let value): appendObjectID(key, value)
        case .bool(let value): appendInteger(0x08, key, value ? 1 as UInt8 : 0)
        case .date(let value): appendInteger(0x09, key, value.millisecondsSince1970)
        case .null: _ = field(0x0A, key, valueSize: 0)
        case .regularExpression(let value): appendRegularExpression(key, value)
        case .dbPointer(let value):
            var namespace = value.namespace
            namespace.withUTF8 { text in
                guard let offset = field(0x0C, key, valueSize: Self.size(5, and: text.count, and: 12)) else { return }
                storeString(text, at: offset)
                store(value.id, at: offset + 5 + text.count)
            }
        case .javascript(let value): appendString(0x0D, key, value)
        case .symbol(let value): appendString(0x0E, key, value)
        case .javascriptWithScope(let value): appendJavaScriptWithScope(key, value)
        case .int32(let value): appendInteger(0x10, key, value)
        case .timestamp(let value): appendInteger(0x11, key, value.rawValue)
        case .int64(let value): appendInteger(0x12, key, value)
        case .decimal128(let value):
            guard let offset = field(0x13, key, valueSize: 16) else { return }
            store(value.low, at: offset)
            store(value.high, at: offset + 8)
        case .minKey: _ = field(0xFF, key, valueSize: 0)
        case .maxKey: _ = field(0x7F, key, valueSize: 0)
        }
    }

    @inline(__always)
    mutating func appendString(_ type: UInt8, _ key: UnsafeBufferPointer<UInt8>, _ value: String) {
        var value = value
        value.withUTF8 { text in
            let start = count
            let header = key.count + 2
            let valueSize = Self.size(5, and: text.count)
            guard reserve(Self.size(header, and: valueSize)) else { return }
            let isWhole = bytes.withUnsafeMutableBytes { buffer in
                let isWhole = Self.putHeader(type, key, at: start, in: buffer)
                Self.putString(text, at: start + header, in: buffer)
                return isWhole
            }
            if isWhole {
                count = start + header + valueSize
            } else if let offset = escapedField(type, key, valueSize: valueSize) {
                storeString(text, at: offset)
            }
        }
    }

    /// Writes an array, element by element.
    mutating func appendArray<Element>(
        _ key: UnsafeBufferPointer<UInt8>, _ elements: [Element],
        _ append: (inout ByteWriter, UnsafeBufferPointer<UInt8>, Element) -> Void
    ) {
        guard let start = field(0x04, key, valueSize: 4) else { return }
        for index in elements.indices {
            IndexKey.with(index) { append(&self, $0, elements[index]) }
        }
        finish(from: start)
    }

    mutating func appendObjectID(_ key: UnsafeBufferPointer<UInt8>, _ value: ObjectID) {
        guard let offset = field(0x07, key, valueSize: 12) else { return }
        store(value, at: offset)
    }

    mutating func store(_ value: ObjectID, at offset: Int) {
        // Big-endian, unlike everything else in BSON.
        store(value.high.byteSwapped, at: offset)
        store(value.low.byteSwapped, at: offset + 8)
    }

    mutating func appendDocument(_ type: UInt8, _ key: UnsafeBufferPointer<UInt8>, _ value: Document) {
        if let inner = value.fault { fault = inner }
        value.withUnsafeBytes { source in
            guard let offset = field(type, key, valueSize: source.count) else { return }
            store(source, at: offset)
        }
    }

    mutating func appendBinary(_ key: UnsafeBufferPointer<UInt8>, _ value: BSONBinary) {
        value.withUnsafeBytes { appendBinary(key, value.subtype, $0) }
    }

    mutating func appendBinary(
        _ key: UnsafeBufferPointer<UInt8>, _ subtype: BSONBinary.Subtype, _ source: UnsafeRawBufferPointer
    ) {
        let isOld = subtype == .binaryOld
        let header = isOld ? 9 : 5
        guard let offset = field(0x05, key, valueSize: Self.size(header, and: source.count)) else { return }
        store(Int32(truncatingIfNeeded: source.count + header - 5), at: offset)
        store(subtype.rawValue, at: offset + 4)
        if isOld { store(Int32(truncatingIfNeeded: source.count), at: offset + 5) }
        store(source, at: offset + header)
    }

    mutating func appendRegularExpression(_ key: UnsafeBufferPointer<UInt8>, _ value: BSONRegularExpression) {
        let pattern = cString(value.pattern)
        let options = cString(value.options)
        let size = Self.size(2, and: pattern.count, and: options.count)
        guard let offset = field(0x0B, key, valueSize: size) else { return }
        pattern.withUnsafeBytes { store($0, at: offset) }
        store(0 as UInt8, at: offset + pattern.count)
        options.withUnsafeBytes { store($0, at: offset + pattern.count + 1) }
        store(0 as UInt8, at: offset + size - 1)
    }

    private mutating func cString(_ text: String) -> [UInt8] {
        let bytes = [UInt8](text.utf8)
        guard bytes.contains(0) else { return bytes }
        fault = .containsNUL
        return bytes.withUnsafeBufferPointer { Self.escapingNUL($0) }
    }

    mutating func appendJavaScriptWithScope(_ key: UnsafeBufferPointer<UInt8>, _ value: BSONJavaScriptWithScope) {
        if let inner = value.scope.fault { fault = inner }
        var code = value.code
        code.withUTF8 { text in
            value.scope.withUnsafeBytes { scope in
                let size = Self.size(9, and: text.count, and: scope.count)
                guard let offset = field(0x0F, key, valueSize: size) else { return }
                store(Int32(truncatingIfNeeded: size), at: offset)
                storeString(text, at: offset + 4)
                store(scope, at: offset + 9 + text.count)
            }
        }
    }

    /// The sum, or more than a document may have.
    @inline(__always)
    static func size(_ first: Int, and second: Int, and third: Int = 0) -> Int {
        // Each is at most Int.max / 8, because it is the size of something in memory.
        first + second + third
    }
}

extension ByteWriter {
    /// Writes a value without type and key.
    mutating func appendBare(_ value: BSONValue) {
        // As a field with an empty key, of which type and NUL are then taken away.
        let start = count
        append(UnsafeBufferPointer(start: nil, count: 0), value)
        guard count > start else { return }
        let end = count
        bytes.withUnsafeMutableBytes { buffer in
            let target = UnsafeMutableRawBufferPointer(rebasing: buffer[start..<end - 2])
            target.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[start + 2..<end]))
        }
        count = end - 2
    }

    /// Puts a field in where others have been written already.
    mutating func insert(
        _ type: UInt8, _ key: UnsafeBufferPointer<UInt8>, value: UnsafeRawBufferPointer, at offset: Int
    ) {
        let tail = [UInt8](bytes[offset..<count])
        let before = count
        count = offset
        guard let start = field(type, key, valueSize: value.count), reserve(tail.count) else {
            count = before
            return
        }
        store(value, at: start)
        tail.withUnsafeBytes { store($0, at: count) }
        count += tail.count
    }
}

/// The keys of an array's elements.
@usableFromInline
struct IndexKey {
    /// Calls a closure with the digits of an index.
    @inlinable
    static func with<Result>(
        _ index: Int, _ body: (UnsafeBufferPointer<UInt8>) throws -> Result
    ) rethrows -> Result {
        try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { buffer in
            var position = 20
            var rest = index
            repeat {
                position -= 1
                buffer[position] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            return try body(UnsafeBufferPointer(rebasing: UnsafeBufferPointer(buffer)[position..<20]))
        }
    }
}
