internal import BSON
internal import CMongoC

/// Documents that have come from the server, in one buffer that they share.
struct DocumentBatch: Sendable {
    /// The documents that are left.
    var documents: DocumentSequence

    /// Makes room for a little more than another batch has had.
    ///
    /// - Parameter byteCount: How much that was.
    init(expecting byteCount: Int = 0) {
        documents = DocumentSequence(byteCount: byteCount + byteCount / 8)
    }

    /// How many documents are left.
    var count: Int { documents.count }

    /// The next document, or nil after the last.
    mutating func pop() -> Document? { documents.pop() }

    /// Reads from a cursor.
    ///
    /// - Parameters:
    ///   - cursor: A `mongoc_cursor_t`.
    ///   - count: After how many documents to stop, as long as the server has more. What the driver has in memory
    ///     after the server's last answer is read to its end, so that the client can go.
    /// - Returns: Whether there may be more.
    mutating func fill(from cursor: OpaquePointer, count: Int) -> Result<Bool, MongoFailure> {
        while documents.count < count && documents.byteCount < Self.byteLimit || mongoc_cursor_get_id(cursor) == 0 {
            var document: OpaquePointer?
            guard mongoc_cursor_next(cursor, &document), let document else {
                var error = bson_error_t()
                var reply: OpaquePointer?
                if mongoc_cursor_error_document(cursor, &error, &reply) {
                    // What came before the error is delivered first; the cursor keeps its error.
                    if documents.count > 0 { return .success(true) }
                    return .failure(MongoFailure(error, reply: reply.map { Document(copying: $0) } ?? Document()))
                }
                return .success(false)
            }
            documents.append(copying: BSONSlot.bytes(of: document))
        }
        return .success(true)
    }

    /// As much as one answer of a server can hold.
    private static var byteLimit: Int { 16 * 1024 * 1024 }
}
