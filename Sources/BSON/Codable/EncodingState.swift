/// What all levels of one encoding share: the bytes, and whose turn it is to write them.
final class EncodingState {
    let root: CodingRoot
    let limits: Document.Limits
    /// The bytes that have been written.
    ///
    /// Behind a pointer, because every write to a property of a class would be entered in the runtime's list of accesses
    /// and taken out again, at a fifth of the time of encoding. The levels use it one after the other: `top` says which,
    /// and nothing that a write calls comes back here.
    let writer: UnsafeMutablePointer<ByteWriter>
    /// The type of the outermost value.
    var rootType: UInt8?
    /// The level that writes now: those around it wait until it is done.
    var top: ObjectIdentifier?
    /// What a type did that cannot be made into a document, where it could not be told at once.
    var misuse: String?

    init(_ root: CodingRoot, limits: Document.Limits) {
        self.root = root
        self.limits = limits
        writer = .allocate(capacity: 1)
        writer.initialize(to: ByteWriter(capacity: 256))
        writer.pointee.limit = max(0, min(limits.byteCount, ByteWriter.maximumCount))
    }

    deinit {
        writer.deinitialize(count: 1)
        writer.deallocate()
    }

    /// The outermost value's type and bytes, which are the first `count` of the array.
    func finish() -> (type: UInt8, bytes: [UInt8], count: Int) {
        (rootType ?? 0x0A, writer.pointee.bytes, writer.pointee.count)
    }
}
