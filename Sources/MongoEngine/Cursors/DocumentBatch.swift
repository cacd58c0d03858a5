internal import BSON
internal import CMongoC

/// Documents that have come from the server, in one buffer that they share.
struct DocumentBatch: Sendable {
    private var bytes: [UInt8] = []
    private var offsets: [Int] = []
    private var next = 0

    /// How much a batch has had.
    struct Size: Sendable {
        var bytes = 0
        var documents = 0
    }

    /// Makes room for a little more than another batch has had.
    init(expecting size: Size = Size()) {
        bytes.reserveCapacity(size.bytes + size.bytes / 8)
        offsets.reserveCapacity(size.documents)
    }

    /// How much came, read or not.
    var size: Size { Size(bytes: bytes.count, documents: offsets.count) }

    /// How many documents are left.
    var count: Int { offsets.count - next }

    /// The next document, or nil after the last.
    mutating func pop() -> Document? {
        guard next < offsets.count else { return nil }
        defer { next += 1 }
        return Document(unchecked: bytes, at: offsets[next])
    }

    /// Reads from a cursor.
    ///
    /// - Parameters:
    ///   - cursor: A `mongoc_cursor_t`.
    ///   - count: After how many documents to stop, as long as the server has more. What the driver has in memory
    ///     after the server's last answer is read to its end, so that the client can go.
    /// - Returns: Whether there may be more.
    mutating func fill(from cursor: OpaquePointer, count: Int) -> Result<Bool, MongoFailure> {
        while offsets.count < count && bytes.count < Self.byteLimit || mongoc_cursor_get_id(cursor) == 0 {
            var document: OpaquePointer?
            guard mongoc_cursor_next(cursor, &document), let document else {
                var error = bson_error_t()
                var reply: OpaquePointer?
                if mongoc_cursor_error_document(cursor, &error, &reply) {
                    // What came before the error is delivered first; the cursor keeps its error.
                    if !offsets.isEmpty { return .success(true) }
                    return .failure(MongoFailure(error, reply: reply.map { Document(copying: $0) } ?? Document()))
                }
                return .success(false)
            }
            append(document)
        }
        return .success(true)
    }

    private mutating func append(_ document: OpaquePointer) {
        offsets.append(bytes.count)
        bytes.append(contentsOf: BSONSlot.bytes(of: document))
    }

    /// As much as one answer of a server can hold.
    private static var byteLimit: Int { 16 * 1024 * 1024 }
}
