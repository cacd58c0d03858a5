internal import CMongoC

/// Owns a cursor of the driver, and the client that it was opened on.
///
/// The driver's cursor is used by the lane's jobs alone, one after the other.
final class CursorHandle: Sendable {
    let pointer: CPointer
    let lane: ClientLane
    /// The session that the cursor belongs to, whose client it shares.
    let session: SessionScope?

    /// Takes over a `mongoc_cursor_t`, and the lane unless it is the session's.
    init(stealing pointer: OpaquePointer, lane: ClientLane, session: SessionScope?) {
        self.pointer = CPointer(pointer)
        self.lane = lane
        self.session = session
        session?.add(self.pointer)
    }

    deinit {
        if let session { return session.destroy(cursor: pointer) }
        // Closes the cursor on the server when it is still open there.
        lane.cleanUp { [pointer] _ in mongoc_cursor_destroy(pointer.raw) }
        lane.end()
    }
}

/// What one visit to the server has brought.
struct CursorPage: Sendable {
    var batch: DocumentBatch
    /// The cursor, when there may be more.
    var handle: CursorHandle?
}

extension MongoCall {
    /// Reads the first documents of a new cursor, and keeps the client when there may be more.
    ///
    /// - Parameters:
    ///   - cursor: A `mongoc_cursor_t`, which is taken over.
    ///   - session: The session that the operation belongs to.
    ///   - count: How many documents to read.
    mutating func firstPage(
        stealing cursor: OpaquePointer, session: SessionScope?, count: Int
    ) -> Result<CursorPage, MongoFailure> {
        var batch = DocumentBatch()
        switch batch.fill(from: cursor, count: count) {
        case .failure(let failure):
            mongoc_cursor_destroy(cursor)
            return .failure(failure)
        case .success(false):
            mongoc_cursor_destroy(cursor)
            return .success(CursorPage(batch: batch, handle: nil))
        case .success(true):
            let handle = CursorHandle(stealing: cursor, lane: keepClient(), session: session)
            return .success(CursorPage(batch: batch, handle: handle))
        }
    }
}
