internal import CMongoC
internal import PersistenceCore
internal import Synchronization

/// What a session's handle and the collections bound to it share: the client, and whether the session has ended.
///
/// The driver's session is used by the lane's jobs alone, one after the other.
final class SessionScope: Sendable {
    private struct State {
        var isFinished = false
        /// The cursors that are open; they must go before the session does.
        var cursors: Set<CPointer> = []
        /// What has ended the transaction on the server.
        var failure: MongoFailure?
    }

    let lane: ClientLane
    let pointer: CPointer
    private let state = Mutex(State())

    /// Takes over a `mongoc_client_session_t` of the lane's client.
    init(stealing pointer: OpaquePointer, lane: ClientLane) {
        self.pointer = CPointer(pointer)
        self.lane = lane
    }

    deinit {
        // A cursor holds the session, so none is left.
        guard !state.withLock({ $0.isFinished }) else { return }
        lane.cleanUp { [pointer] _ in mongoc_client_session_destroy(pointer.raw) }
        lane.end()
    }

    func checkIsUsable(_ operation: String) throws(PersistenceError) {
        guard state.withLock({ $0.isFinished }) else { return }
        throw PersistenceError(
            .transactionFinished, "the session has ended; its handle cannot be used any more", operation: operation)
    }

    /// Ends the session, and gives its client back, whoever still has a handle.
    func finish() {
        let isFirst = state.withLock { state in
            defer { state.isFinished = true }
            return !state.isFinished
        }
        guard isFirst else { return }
        lane.cleanUp { [self] _ in
            // Only now: an operation that was abandoned may have opened another one until here.
            for cursor in state.withLock({ $0.cursors }) { mongoc_cursor_destroy(cursor.raw) }
            state.withLock { $0.cursors = [] }
            // Aborts a transaction that is still open.
            mongoc_client_session_destroy(pointer.raw)
        }
        lane.end()
    }

    // MARK: Cursors

    /// Remembers a cursor.
    ///
    /// Called by the lane's jobs, so that the session is still there.
    func add(_ cursor: CPointer) {
        state.withLock { _ = $0.cursors.insert(cursor) }
    }

    /// Destroys a cursor, unless the session's end has done so.
    func destroy(cursor: CPointer) {
        lane.cleanUp { [self] _ in
            guard state.withLock({ $0.cursors.remove(cursor) }) != nil else { return }
            mongoc_cursor_destroy(cursor.raw)
        }
    }

    // MARK: Failures

    /// Remembers what has ended the transaction: any error of the server's does.
    func note(_ failure: MongoFailure) {
        guard failure.isServerError else { return }
        state.withLock { if $0.failure == nil { $0.failure = failure } }
    }

    /// What has ended the transaction since the last call.
    func takeFailure() -> MongoFailure? {
        state.withLock { $0.failure.take() }
    }
}
