extension Document {
    /// One field of a document, of which nothing is decoded until it is asked for.
    public struct Field: Sendable {
        private let bytes: [UInt8]
        private let element: RawElement

        init(bytes: [UInt8], element: RawElement) {
            self.bytes = bytes
            self.element = element
        }

        /// The field's key.
        public var key: String {
            bytes.withUnsafeBytes { $0.text(from: element.keyStart, to: element.keyEnd) }
        }

        /// The type of the field's value.
        public var type: BSONType { BSONType(rawValue: element.type) }

        /// The field's value; nested documents and binaries share the bytes.
        public var value: BSONValue {
            bytes.withUnsafeBytes { BSONValue(reading: element, in: $0, of: bytes) }
        }

        /// How many bytes the value has, without its type and key.
        public var valueByteCount: Int { element.valueEnd - element.valueStart }

        /// Whether the field has a key, without making a string of it.
        ///
        /// - Parameter other: The key to compare with, byte by byte.
        /// - Returns: Whether it is this field's.
        public func hasKey(_ other: StaticString) -> Bool {
            guard other.hasPointerRepresentation, other.utf8CodeUnitCount == element.keyEnd - element.keyStart else {
                return !other.hasPointerRepresentation && key == other.description
            }
            let wanted = UnsafeBufferPointer(start: other.utf8Start, count: other.utf8CodeUnitCount)
            return bytes.withUnsafeBytes { $0.isEqual(at: element.keyStart, to: wanted) }
        }

        /// Calls a closure with the bytes of the key, which have no NUL among or after them.
        ///
        /// - Parameter body: Reads the bytes. The pointer is valid during the call only.
        /// - Returns: What `body` returns.
        public func withUnsafeKeyBytes<Result, Failure>(
            _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
        ) throws(Failure) -> Result {
            try bytes.withUnsafeBufferPointer { (buffer) throws(Failure) in
                let bytes = UnsafeRawBufferPointer(buffer)
                return try body(UnsafeRawBufferPointer(rebasing: bytes[element.keyStart..<element.keyEnd]))
            }
        }

        /// Calls a closure with the bytes of the value as they stand in the document.
        ///
        /// - Parameter body: Reads the bytes. The pointer is valid during the call only.
        /// - Returns: What `body` returns.
        public func withUnsafeValueBytes<Result, Failure>(
            _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
        ) throws(Failure) -> Result {
            try bytes.withUnsafeBufferPointer { (buffer) throws(Failure) in
                let bytes = UnsafeRawBufferPointer(buffer)
                return try body(UnsafeRawBufferPointer(rebasing: bytes[element.valueStart..<element.valueEnd]))
            }
        }
    }

    /// The fields of a document, found one after the other.
    public struct Fields: Sequence, Sendable {
        let document: Document

        /// Starts before the first field.
        public func makeIterator() -> Iterator {
            Iterator(document: document, position: document.start + 4)
        }

        /// Walks from field to field.
        public struct Iterator: IteratorProtocol {
            let document: Document
            var position: Int

            /// The next field, or `nil` after the last.
            public mutating func next() -> Field? {
                let position = position
                let end = document.end
                guard let element = document.bytes.withUnsafeBytes({ RawElement(in: $0, at: position, end: end) })
                else { return nil }
                self.position = element.valueEnd
                return Field(bytes: document.bytes, element: element)
            }
        }
    }

    /// The fields, undecoded: for those who look at keys and types, or want a few of many.
    public var fields: Fields { Fields(document: self) }

    func value(of element: RawElement, in buffer: UnsafeRawBufferPointer) -> BSONValue {
        BSONValue(reading: element, in: buffer, of: bytes)
    }
}

extension Document: Sequence {
    /// A key and its value.
    public typealias Element = (key: String, value: BSONValue)

    /// Starts before the first field.
    public func makeIterator() -> Iterator {
        Iterator(fields: fields.makeIterator())
    }

    /// Decodes field after field.
    public struct Iterator: IteratorProtocol {
        var fields: Fields.Iterator

        /// The next key and value, or `nil` after the last.
        public mutating func next() -> Element? {
            guard let field = fields.next() else { return nil }
            return (field.key, field.value)
        }
    }

    /// No number, because counting walks over all fields.
    public var underestimatedCount: Int { 0 }
}
