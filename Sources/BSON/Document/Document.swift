public import PersistenceCore

/// A BSON document: fields in order, each a key and a ``BSONValue``, kept as the bytes that travel to the server.
///
/// Reading happens in place. ``subscript(_:)-(String)`` walks over the fields before the wanted one without decoding
/// them, nested documents and binaries share the bytes of the document they came from, and iterating decodes one field
/// at a time. Changing a document changes its bytes in place when nobody shares them, and copies them first when
/// somebody does.
///
/// ```swift
/// var order: Document = ["_id": .objectID(ObjectID()), "status": "paid", "lines": [["sku": "A-1", "count": 2]]]
/// order["status"] = "shipped"
/// order["note"] = nil
/// ```
///
/// A key may occur more than once in BSON. Such documents are read as they are: iterating gives every field, looking up
/// by key gives the first. ``validateForStorage(limits:)`` refuses them.
///
/// Two documents are equal when their bytes are: the order of fields counts, and so does the type of a number.
///
/// The format is that of BSON specification 1.1 (bsonspec.org).
public struct Document: Sendable {
    /// The bytes that hold the document, and perhaps others beside it.
    @usableFromInline var bytes: [UInt8]
    /// Where the document begins.
    ///
    /// The highest bit is a fault, see `Document+Faults.swift`.
    var startAndFault: UInt32
    /// How many bytes it has.
    ///
    /// The highest bit is a fault.
    var countAndFault: UInt32

    /// Creates a document without fields.
    public init() {
        bytes = Self.emptyBytes
        startAndFault = 0
        countAndFault = 5
    }

    static let emptyBytes: [UInt8] = [5, 0, 0, 0, 0]

    /// Takes a part of `bytes` that is known to begin with a length, which is known to be `count`.
    @inline(__always)
    init(sharing bytes: [UInt8], start: Int, count: Int) {
        self.bytes = bytes
        startAndFault = UInt32(truncatingIfNeeded: start)
        countAndFault = UInt32(truncatingIfNeeded: count)
    }

    /// Takes bytes that a trusted library made, without looking at more than the length they begin with.
    ///
    /// This is for bytes of which somebody else knows that they are a document: libbson made them, or the server sent
    /// them. It is safe with any bytes, because reading checks every length against the end of the document: of a
    /// malformed document the fields before the first malformed one can be read, and ``validate(limits:)`` tells what
    /// is wrong. Text that is not UTF-8 reads with U+FFFD in its place.
    ///
    /// - Parameter bytes: The document. When its length is less than 5 or more than there is, the result has no
    ///   fields and ``validate(limits:)`` says so; bytes after the document are ignored.
    public init(unchecked bytes: [UInt8]) {
        self.init(unchecked: bytes, at: 0)
    }

    /// Takes a document that begins somewhere in a larger buffer, without looking at more than its length.
    ///
    /// The buffer is shared, not copied, and lives as long as the document does; ``detached()`` lets go of it.
    ///
    /// - Parameters:
    ///   - bytes: The buffer, for example a batch of documents; at most 2 GiB of it can be reached.
    ///   - offset: Where the document begins.
    public init(unchecked bytes: [UInt8], at offset: Int) {
        if let length = bytes.withUnsafeBytes({ Self.byteCount(in: $0, at: offset) }) {
            self.init(sharing: bytes, start: offset, count: length)
        } else {
            self.init()
            fault = .malformed
        }
    }

    /// How many bytes a document has that begins somewhere in a larger buffer, or `nil` when it does not fit there.
    @inline(__always)
    static func byteCount(in buffer: UnsafeRawBufferPointer, at offset: Int) -> Int? {
        guard offset >= 0, offset <= buffer.count - 5, buffer.count <= Int(Int32.max) else { return nil }
        let length = Int(buffer.int32(at: offset))
        return length >= 5 && length <= buffer.count - offset && buffer[offset + length - 1] == 0 ? length : nil
    }

    /// Checks bytes and takes them as a document.
    ///
    /// The whole structure is checked once: lengths, types, terminators, UTF-8, booleans, and the limits. Reading the
    /// document afterwards meets no surprise.
    ///
    /// - Parameters:
    ///   - bytes: Exactly one document.
    ///   - limits: The size and the depth that are allowed.
    /// - Throws: ``PersistenceCore/PersistenceError`` with the code `decoding` when the bytes are not a document, with
    ///   `tooLarge` when it is larger or nested more deeply than `limits` allow. `location` says at which byte.
    public init(validating bytes: [UInt8], limits: Limits = .standard) throws(PersistenceError) {
        try self.init(validating: bytes, at: 0, limits: limits)
        guard byteCount == bytes.count else {
            throw BSONFault(.decoding, "the length of the document is not that of the bytes", at: 0).error
        }
    }

    /// Checks bytes and takes them as a document.
    ///
    /// - Parameters:
    ///   - bytes: Exactly one document.
    ///   - limits: The size and the depth that are allowed.
    /// - Throws: What ``init(validating:limits:)-([UInt8],_)`` throws.
    public init(validating bytes: some Sequence<UInt8>, limits: Limits = .standard) throws(PersistenceError) {
        try self.init(validating: [UInt8](bytes), limits: limits)
    }

    /// Checks a document that begins somewhere in a larger buffer, which is shared and not copied.
    ///
    /// - Parameters:
    ///   - bytes: The buffer; what comes after the document is not looked at.
    ///   - offset: Where the document begins.
    ///   - limits: The size and the depth that are allowed.
    /// - Throws: What ``init(validating:limits:)-([UInt8],_)`` throws.
    public init(validating bytes: [UInt8], at offset: Int, limits: Limits = .standard) throws(PersistenceError) {
        let document = Document(unchecked: bytes, at: offset)
        if document.fault != nil {
            throw BSONFault(.decoding, "the bytes do not hold a document of the length they begin with", at: offset)
                .error
        }
        try document.validate(limits: limits)
        self = document
    }

    /// Copies a document out of memory that belongs to somebody else, without looking at more than its length.
    ///
    /// - Parameter buffer: The document; see ``init(unchecked:)`` for what becomes of malformed ones.
    public init(uncheckedCopying buffer: UnsafeRawBufferPointer) {
        self.init(unchecked: [UInt8](buffer))
    }
}

extension Document {
    /// Where the document begins in ``bytes``.
    @inline(__always)
    var start: Int { Int(startAndFault & 0x7FFF_FFFF) }

    /// Where the document's closing NUL is in ``bytes``.
    @inline(__always)
    var end: Int { start + byteCount - 1 }

    /// How many bytes the document has; 5 when it is empty.
    @inline(__always)
    public var byteCount: Int { Int(countAndFault & 0x7FFF_FFFF) }

    /// Whether there are no fields.
    public var isEmpty: Bool { byteCount == 5 }

    /// How many fields there are.
    ///
    /// Walks over all of them.
    public var count: Int {
        var count = 0
        bytes.withUnsafeBytes { buffer in
            var position = start + 4
            while let element = RawElement(in: buffer, at: position, end: end) {
                count += 1
                position = element.valueEnd
            }
        }
        return count
    }

    /// The keys, in the order of the fields.
    public var keys: [String] {
        fields.map(\.key)
    }

    /// The values, in the order of the fields.
    public var values: [BSONValue] {
        fields.map(\.value)
    }

    /// Calls a closure with the document's bytes.
    ///
    /// - Parameter body: Reads the bytes. The pointer is valid during the call only.
    /// - Returns: What `body` returns.
    public func withUnsafeBytes<Result, Failure>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try bytes.withUnsafeBufferPointer { (buffer) throws(Failure) in
            try body(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[start..<start + byteCount]))
        }
    }

    /// A copy of the document's bytes; shared with the document when they are nothing else.
    public var byteArray: [UInt8] {
        start == 0 && byteCount == bytes.count ? bytes : [UInt8](bytes[start..<start + byteCount])
    }

    /// The same document with bytes of its own, so that a larger buffer it was read from can be freed.
    ///
    /// - Returns: An equal document.
    public func detached() -> Document {
        if start == 0, byteCount == bytes.count { return self }
        var copy = Document(sharing: byteArray, start: 0, count: byteCount)
        copy.fault = fault
        return copy
    }

    /// The value of the first field with a key.
    ///
    /// Setting replaces the first field with that key at its place, appends one when there is none, and removes every
    /// field with that key when the new value is `nil`. See ``append(_:_:)`` for keys that BSON cannot hold.
    ///
    /// - Parameter key: The field's key, compared byte by byte.
    public subscript(_ key: String) -> BSONValue? {
        get {
            bytes.withUnsafeBytes { buffer -> BSONValue? in
                guard let element = firstElement(key, in: buffer) else { return nil }
                return value(of: element, in: buffer)
            }
        }
        set {
            if let newValue { set(key, newValue) } else { removeValue(forKey: key) }
        }
    }

    /// The value of the first field with a key, or another one when there is none.
    ///
    /// - Parameters:
    ///   - key: The field's key.
    ///   - defaultValue: What to use without such a field.
    public subscript(_ key: String, default defaultValue: @autoclosure () -> BSONValue) -> BSONValue {
        get { self[key] ?? defaultValue() }
        set { self[key] = newValue }
    }

    /// Whether there is a field with that key.
    ///
    /// - Parameter key: The field's key.
    /// - Returns: `true` also when its value is null.
    public func contains(key: String) -> Bool {
        bytes.withUnsafeBytes { firstElement(key, in: $0) != nil }
    }

    func firstElement(_ key: String, in buffer: UnsafeRawBufferPointer) -> RawElement? {
        var key = key
        return key.withUTF8 { wanted in
            if wanted.contains(0) {
                // Stored with the NUL spelled C0 80, see `ByteWriter.writeCString`.
                let escaped = ByteWriter.escapingNUL(wanted)
                return escaped.withUnsafeBufferPointer { firstElement($0, in: buffer) }
            }
            return firstElement(wanted, in: buffer)
        }
    }

    @inline(__always)
    func firstElement(_ key: UnsafeBufferPointer<UInt8>, in buffer: UnsafeRawBufferPointer) -> RawElement? {
        let end = end
        var position = start + 4
        while let element = RawElement(in: buffer, at: position, end: end) {
            if element.keyEnd - element.keyStart == key.count, buffer.isEqual(at: element.keyStart, to: key) {
                return element
            }
            position = element.valueEnd
        }
        return nil
    }
}

extension Document: Hashable {
    /// Whether two documents have the same bytes.
    public static func == (left: Document, right: Document) -> Bool {
        left.fault == right.fault
            && left.withUnsafeBytes { left in right.withUnsafeBytes { left.hasSameBytes(as: $0) } }
    }

    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) {
        withUnsafeBytes { hasher.combine(bytes: $0) }
    }
}

extension UnsafeRawBufferPointer {
    /// Whether the bytes of a key stand at an offset; the caller has checked that there are as many.
    @inline(__always)
    func isEqual(at offset: Int, to key: UnsafeBufferPointer<UInt8>) -> Bool {
        var index = 0
        while index < key.count {
            if self[offset + index] != key[index] { return false }
            index += 1
        }
        return true
    }
}
