/// An array of BSON values: a document whose keys are "0", "1" and so on.
///
/// Like a ``Document`` it is read in place. It is not a `RandomAccessCollection`, because finding an element walks over
/// those before it: iterate, or make an `Array` of it when you need elements by index.
public struct BSONArray: Sendable {
    /// The array as the document it is stored as.
    var storage: Document
    /// The next index, when it is known because the array was built here.
    var knownCount: UInt32?

    /// Creates an array without elements.
    public init() {
        storage = Document()
        knownCount = 0
    }

    init(storage: Document) {
        self.storage = storage
        knownCount = nil
    }

    /// Creates an array of values.
    ///
    /// - Parameter values: The values, in order.
    public init(_ values: some Sequence<BSONValue>) {
        var count = 0
        storage = Document(writing: { writer in
            for value in values {
                IndexKey.with(count) { writer.append($0, value) }
                count += 1
            }
        })
        knownCount = UInt32(clamping: count)
    }

    /// How many elements there are.
    ///
    /// Walks over all of them when the array was read.
    public var count: Int { knownCount.map(Int.init) ?? storage.count }

    /// Whether there are no elements.
    public var isEmpty: Bool { storage.isEmpty }

    /// How many bytes the array has.
    public var byteCount: Int { storage.byteCount }

    /// Appends a value.
    ///
    /// - Parameter value: The value.
    public mutating func append(_ value: BSONValue) {
        let count = count
        storage.appendIndexed(count, value)
        knownCount = UInt32(clamping: count + 1)
    }

    /// The element at an index, or `nil` when there are not as many.
    ///
    /// Walks over those before it.
    ///
    /// The elements' keys are not looked at: what comes first has index 0.
    ///
    /// - Parameter index: The index, from 0.
    /// - Returns: The element.
    public func element(at index: Int) -> BSONValue? {
        guard index >= 0 else { return nil }
        var remaining = index
        for field in storage.fields {
            if remaining == 0 { return field.value }
            remaining -= 1
        }
        return nil
    }

    /// Calls a closure with the array's bytes.
    ///
    /// - Parameter body: Reads the bytes. The pointer is valid during the call only.
    /// - Returns: What `body` returns.
    public func withUnsafeBytes<Result, Failure>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try storage.withUnsafeBytes(body)
    }

    /// The array as a document with the keys "0", "1" and so on.
    public var asDocument: Document { storage }
}

extension BSONArray: Sequence {
    /// Starts before the first element.
    public func makeIterator() -> Iterator {
        Iterator(fields: storage.fields.makeIterator())
    }

    /// Decodes element after element.
    public struct Iterator: IteratorProtocol {
        var fields: Document.Fields.Iterator

        /// The next element, or `nil` after the last.
        public mutating func next() -> BSONValue? {
            fields.next()?.value
        }
    }

    /// No number, because counting may walk over all elements.
    public var underestimatedCount: Int { 0 }
}

extension BSONArray: ExpressibleByArrayLiteral {
    /// Creates an array of the literal's values.
    public init(arrayLiteral elements: BSONValue...) {
        self.init(elements)
    }
}

extension BSONArray: Hashable {
    /// Whether two arrays have the same bytes.
    public static func == (left: BSONArray, right: BSONArray) -> Bool {
        left.storage == right.storage
    }

    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) {
        storage.hash(into: &hasher)
    }
}
