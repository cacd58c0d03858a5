internal import Synchronization

/// The open cursors: what the engine wants back for the next page.
///
/// The engine keeps the rest in a file of its own, so a cursor holds no connection.
final class CursorRegistry: Sendable {
    struct Cursor: Sendable {
        let namespace: String
        let owner: String?
        var continuation: [UInt8]
        var lastUsed: ContinuousClock.Instant
    }

    private enum Slot {
        case idle(Cursor)
        /// A getMore has it. A kill meanwhile is remembered.
        case busy(isKilled: Bool)
    }

    private let slots = Mutex<[Int64: Slot]>([:])

    /// Keeps a new cursor, or one that has another page.
    func keep(_ id: Int64, _ cursor: Cursor) {
        slots.withLock { slots in
            if case .busy(isKilled: true)? = slots[id] {
                slots[id] = nil
            } else {
                slots[id] = .idle(cursor)
            }
        }
    }

    /// Takes a cursor for its next page; ``keep(_:_:)`` or ``finish(_:)`` must follow.
    ///
    /// - Throws: ``CommandError`` when there is no such cursor, or somebody else reads from it.
    func take(_ id: Int64, namespace: String, owner: String?) throws(CommandError) -> Cursor {
        try slots.withLock { (slots) throws(CommandError) -> Cursor in
            switch slots[id] {
            case .idle(let cursor)?:
                guard cursor.owner == owner else { throw CommandError(13, "cursor \(id) belongs to another user") }
                guard cursor.namespace == namespace else {
                    throw CommandError(13, "cursor \(id) was created on another namespace than \(namespace)")
                }
                slots[id] = .busy(isKilled: false)
                return cursor
            case .busy?:
                throw CommandError(12051, "cursor \(id) is already in use")
            case nil:
                throw CommandError(43, "cursor id \(id) not found")
            }
        }
    }

    /// Forgets a cursor that has no more pages, or failed.
    func finish(_ id: Int64) {
        slots.withLock { $0[id] = nil }
    }

    /// Ends a cursor on behalf of a client.
    ///
    /// - Returns: Whether there was one of that owner's.
    func kill(_ id: Int64, owner: String?) -> Bool {
        slots.withLock { slots in
            switch slots[id] {
            case .idle(let cursor)?:
                guard cursor.owner == owner else { return false }
                slots[id] = nil
                return true
            case .busy?:
                slots[id] = .busy(isKilled: true)
                return true
            case nil:
                return false
            }
        }
    }

    /// Forgets cursors that nobody has used for long.
    func forget(unusedSince limit: ContinuousClock.Instant) {
        slots.withLock { slots in
            slots = slots.filter { _, slot in
                if case .idle(let cursor) = slot { cursor.lastUsed >= limit } else { true }
            }
        }
    }

    /// How many cursors are open.
    var count: Int { slots.withLock { $0.count } }
}
