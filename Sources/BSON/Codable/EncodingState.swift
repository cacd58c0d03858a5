/// What all levels of one encoding share: the bytes, and whose turn it is to write them.
final class EncodingState {
    let options: BSONCodingOptions
    let limits: Document.Limits
    var writer = ByteWriter(capacity: 256)
    /// The type of the outermost value.
    var rootType: UInt8?
    /// The level that writes now: those around it wait until it is done.
    var top: ObjectIdentifier?
    /// What a type did that cannot be made into a document, where it could not be told at once.
    var misuse: String?

    init(options: BSONCodingOptions, limits: Document.Limits) {
        self.options = options
        self.limits = limits
    }

    /// The outermost value's type and bytes, which are the first `count` of the array.
    func finish() -> (type: UInt8, bytes: [UInt8], count: Int) {
        (rootType ?? 0x0A, writer.bytes, writer.count)
    }
}
