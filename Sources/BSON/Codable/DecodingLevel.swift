internal import PersistenceCore

/// The decoder of one value, and the place in a document where its fields are looked for.
///
/// A level keeps the array of bytes and offsets into it instead of pointers, so that one that outlives the call of the
/// decoder reads what it always read.
final class DecodingLevel {
    let bytes: [UInt8]
    private(set) var element: RawElement
    let parent: DecodingLevel?
    let root: CodingRoot
    let depth: Int
    /// The index within the parent, when that is an array.
    private(set) var pathIndex: Int?
    /// Whether the level is no part of any path: it wraps the value that is decoded.
    var isTransparent = false
    /// Where the next field is expected: after the one that was found last.
    var cursor: Int

    /// Deeper than any server stores, and shallow enough for a thread's stack.
    static let maximumDepth = 200

    init(root document: Document, _ root: CodingRoot) {
        bytes = document.bytes
        element = RawElement(
            type: 0x03, keyCount: 0, valueStart: document.start, valueEnd: document.start + document.byteCount)
        parent = nil
        self.root = root
        depth = 1
        pathIndex = nil
        cursor = element.valueStart + 4
    }

    init(_ element: RawElement, parent: DecodingLevel, pathIndex: Int?) {
        bytes = parent.bytes
        self.element = element
        self.parent = parent
        root = parent.root
        depth = parent.depth + 1
        self.pathIndex = pathIndex
        cursor = element.valueStart + 4
    }

    /// Goes on to another document in the same bytes.
    func move(toDocumentAt start: Int, byteCount: Int) {
        element = RawElement(type: 0x03, keyCount: 0, valueStart: start, valueEnd: start + byteCount)
        cursor = start + 4
    }

    /// Goes on to the next element of the array that the level's value was in.
    func move(to element: RawElement, pathIndex: Int) {
        self.element = element
        self.pathIndex = pathIndex
        cursor = element.valueStart + 4
    }

    /// Finds a field: where the cursor is, or else after it, or else before it.
    @inline(__always)
    func find(_ key: some CodingKey) -> RawElement? {
        var name = key.stringValue
        return name.withUTF8 { find($0) }
    }

    func find(_ name: UnsafeBufferPointer<UInt8>) -> RawElement? {
        bytes.withUnsafeBytes { buffer in
            let end = element.valueEnd &- 1
            let begin = cursor
            // The expected field: its key is compared where it stands, so its end needs no search. No sum overflows:
            // each is the size of something in memory, or of one value in it.
            let valueStart = begin &+ name.count &+ 2
            if valueStart <= end, buffer[valueStart &- 1] == 0, buffer.isKey(at: begin &+ 1, name) {
                let type = buffer[begin]
                if let length = RawElement.length(ofType: type, in: buffer, at: valueStart, end: end) {
                    cursor = valueStart &+ length
                    return RawElement(
                        type: type, keyCount: name.count, valueStart: valueStart, valueEnd: valueStart &+ length)
                }
            }
            return search(name, in: buffer, from: begin, to: end)
                ?? search(name, in: buffer, from: element.valueStart + 4, to: begin)
        }
    }

    /// Finds a field between two places; `stop` is where a field begins, or the end.
    private func search(
        _ name: UnsafeBufferPointer<UInt8>, in buffer: UnsafeRawBufferPointer, from start: Int, to stop: Int
    ) -> RawElement? {
        var position = start
        let end = element.valueEnd - 1
        while position < stop, let field = RawElement(in: buffer, at: position, end: end) {
            position = field.valueEnd
            if field.keyEnd - field.keyStart == name.count, buffer.isKey(at: field.keyStart, name) {
                cursor = position
                return field
            }
        }
        return nil
    }

    var path: [any CodingKey] {
        var path: [any CodingKey] = []
        var level: DecodingLevel? = self
        while let current = level, let parent = current.parent {
            if !parent.isTransparent { path.append(current.pathKey) }
            level = parent
        }
        return path.reversed()
    }

    private var pathKey: PathKey {
        if let pathIndex { return PathKey(intValue: pathIndex) }
        return PathKey(stringValue: bytes.withUnsafeBytes { $0.text(from: element.keyStart, to: element.keyEnd) })
    }
}

extension UnsafeRawBufferPointer {
    /// Whether the bytes of a key that has no NUL stand at an offset; the caller has checked that there are as many.
    ///
    /// A key with a NUL is never found: it would be compared with what comes after the document's key.
    @inline(__always)
    func isKey(at offset: Int, _ key: UnsafeBufferPointer<UInt8>) -> Bool {
        let key = UnsafeRawBufferPointer(key)
        let count = key.count
        guard count >= 8 else {
            // Two loads that overlap instead of a loop.
            if count >= 4 {
                let word = key.pair(0, count &- 4)
                return pair(offset, offset &+ count &- 4) == word && word.zeroBytes == 0
            }
            var index = 0
            while index < count {
                let byte = key[index]
                if self[offset &+ index] != byte || byte == 0 { return false }
                index &+= 1
            }
            return true
        }
        var index = 0
        repeat {
            let word = key.uint64(at: index)
            if uint64(at: offset &+ index) != word || word.zeroBytes != 0 { return false }
            index &+= 8
        } while index &+ 8 <= count
        let last = key.uint64(at: count &- 8)
        return uint64(at: offset &+ count &- 8) == last && last.zeroBytes == 0
    }

    @inline(__always)
    private func pair(_ first: Int, _ second: Int) -> UInt64 {
        UInt64(uint32(at: first)) | UInt64(uint32(at: second)) << 32
    }

}

extension UInt64 {
    /// Not 0 when one of the bytes is 0.
    @inline(__always)
    var zeroBytes: UInt64 { (self &- 0x0101_0101_0101_0101) & ~self & 0x8080_8080_8080_8080 }
}

// MARK: - Decoder

extension DecodingLevel: Decoder {
    var codingPath: [any CodingKey] { path }

    var userInfo: [CodingUserInfoKey: Any] { root.options.userInfo }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard element.type == 0x03 else { throw mismatch([String: BSONValue].self, element) }
        try checkDepth()
        return KeyedDecodingContainer(KeyedDecoding<Key>(level: self))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard element.type == 0x04 else { throw mismatch([BSONValue].self, element) }
        try checkDepth()
        return UnkeyedDecoding(level: self)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        SingleValueDecoding(level: self)
    }

    func checkDepth() throws {
        guard depth <= Self.maximumDepth else {
            throw PersistenceError(.tooLarge, "the document is nested more than \(Self.maximumDepth) levels deep")
        }
    }
}

// MARK: - Errors

extension DecodingLevel {
    /// The path of a field of this level, or of the level itself.
    func path(of field: RawElement, index: Int? = nil) -> [any CodingKey] {
        if field.valueStart == element.valueStart { return path }
        return DecodingLevel(field, parent: self, pathIndex: index).path
    }

    func mismatch(_ type: Any.Type, _ field: RawElement, index: Int? = nil) -> DecodingError {
        let path = path(of: field, index: index)
        let found = BSONType(rawValue: field.type)
        if found == .null {
            return .valueNotFound(type, .init(codingPath: path, debugDescription: "expected \(type), found null"))
        }
        return .typeMismatch(
            type,
            .init(
                codingPath: path, debugDescription: "expected \(type), found \(found)",
                underlyingError: FoundType(type: found)))
    }

    func corrupted(_ summary: String, _ field: RawElement, index: Int? = nil) -> DecodingError {
        .dataCorrupted(.init(codingPath: path(of: field, index: index), debugDescription: summary))
    }

    func missing(_ key: some CodingKey) -> DecodingError {
        .keyNotFound(key, .init(codingPath: path, debugDescription: "there is no field \(key.stringValue)"))
    }
}
