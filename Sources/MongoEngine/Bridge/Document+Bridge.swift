internal import BSON
internal import CMongoC

// A pointer to a `bson_t` is opaque to Swift, because C aligns the struct to more bytes than Swift's types can have.

extension Document {
    /// Lends the document's bytes to C, as a `bson_t`, without a copy.
    func withBSON<Result>(_ body: (OpaquePointer) -> Result) -> Result {
        withUnsafeBytes { bytes in
            BSONSlot.with { slot in
                bson_init_static(slot, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count)
                return body(slot)
            }
        }
    }

    /// Copies a document that belongs to C.
    init(copying bson: OpaquePointer) {
        self.init(uncheckedCopying: BSONSlot.bytes(of: bson))
    }
}

extension Document? {
    /// Lends the document's bytes to C; nothing where there is no document.
    func withBSON<Result>(_ body: (OpaquePointer?) -> Result) -> Result {
        guard let self else { return body(nil) }
        return self.withBSON { body($0) }
    }
}

/// Memory for a `bson_t`.
enum BSONSlot {
    /// The size and alignment of the struct, by the header's own static assertions.
    private static var size: Int { 128 }

    @inline(__always)
    static func with<Result>(_ body: (OpaquePointer) -> Result) -> Result {
        // Room to align it in, because what asks for more than the stack's own alignment is allocated.
        withUnsafeTemporaryAllocation(byteCount: 2 * size, alignment: 16) { memory in
            // Only an allocation of no bytes has no address.
            body(OpaquePointer(memory.baseAddress.unsafelyUnwrapped.alignedUp(toMultipleOf: size)))
        }
    }

    /// The bytes of a document that belongs to C.
    static func bytes(of bson: OpaquePointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(
            start: bson_get_data(bson), count: Int(UnsafePointer<bson_t>(bson).pointee.len))
    }

    /// Lends the bytes of many documents to C, each as a `bson_t`, without a copy.
    static func withAll<Result>(
        _ documents: [Document], _ body: (UnsafeMutableBufferPointer<OpaquePointer?>) -> Result
    ) -> Result {
        let slots = UnsafeMutableRawPointer.allocate(byteCount: documents.count * size, alignment: size)
        defer { slots.deallocate() }
        return withUnsafeTemporaryAllocation(of: OpaquePointer?.self, capacity: documents.count) { pointers in
            for (index, document) in documents.enumerated() {
                let slot = OpaquePointer(slots + index * size)
                document.withUnsafeBytes { bytes in
                    // Beyond this closure, too: they are in an array that nobody changes, because the list has it.
                    _ = bson_init_static(slot, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count)
                }
                pointers.initializeElement(at: index, to: slot)
            }
            return withExtendedLifetime(documents) { body(pointers) }
        }
    }

    /// Calls a function that fills a reply, and copies the reply.
    ///
    /// - Parameter body: Initialises the slot, as every function of the driver with a reply does, whether it succeeds or
    ///   not.
    static func reply<Result>(_ body: (OpaquePointer) -> Result) -> (Result, Document) {
        with { slot in
            // Should a function return before it has done so itself.
            bson_init(slot)
            let result = body(slot)
            let document = Document(copying: slot)
            bson_destroy(slot)
            return (result, document)
        }
    }
}

/// A `bson_t` that grows, for options that C appends to.
struct GrowingBSON: ~Copyable {
    let pointer: OpaquePointer

    init(copying document: Document) {
        pointer = document.withUnsafeBytes { bytes in
            // Only bytes that are no document give nil.
            bson_new_from_data(bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count) ?? bson_new()
        }
    }

    deinit {
        bson_destroy(pointer)
    }
}
