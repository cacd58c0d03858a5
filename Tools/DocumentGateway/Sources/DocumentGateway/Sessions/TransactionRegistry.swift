internal import Synchronization

/// The multi-document transactions: one at most per session, each with a connection of its own while it is open.
final class TransactionRegistry: Sendable {
    /// How the last transaction of a session stands.
    enum State: Sendable {
        case open(OpenTransaction)
        case committed
        case aborted
        /// The connection was lost around COMMIT; the engine's record tells.
        case unknown
    }

    private struct Entry {
        var number: Int64
        var state: State
        var lastUsed: ContinuousClock.Instant
    }

    private let entries = Mutex<[SessionKey: Entry]>([:])

    /// What is known of a session's last transaction; `nil` when nothing is.
    func last(_ key: SessionKey) -> (number: Int64, state: State)? {
        entries.withLock { $0[key].map { ($0.number, $0.state) } }
    }

    /// Registers a new transaction.
    ///
    /// - Returns: One of an earlier number that is still open and must be ended.
    /// - Throws: ``CommandError`` when the number has been used.
    func open(_ transaction: OpenTransaction) throws(CommandError) -> OpenTransaction? {
        try entries.withLock { (entries) throws(CommandError) -> OpenTransaction? in
            var earlier: OpenTransaction?
            if let entry = entries[transaction.key] {
                guard transaction.number >= entry.number else { throw Self.tooOld(transaction.number) }
                if transaction.number == entry.number {
                    throw CommandError(
                        50911, "Cannot start a transaction at given transaction number \(entry.number) a second time")
                }
                if case .open(let open) = entry.state { earlier = open }
            }
            entries[transaction.key] = Entry(
                number: transaction.number, state: .open(transaction), lastUsed: .now)
            return earlier
        }
    }

    static func tooOld(_ number: Int64) -> CommandError {
        CommandError(225, "Cannot use transaction number \(number): a later one has started on this session")
    }

    /// Says how a transaction ended.
    func close(_ transaction: OpenTransaction, as state: State) {
        entries.withLock { entries in
            guard entries[transaction.key]?.number == transaction.number else { return }
            entries[transaction.key] = Entry(number: transaction.number, state: state, lastUsed: .now)
        }
    }

    /// Remembers what the engine's record said.
    func record(_ key: SessionKey, _ number: Int64, as state: State) {
        entries.withLock { $0[key] = Entry(number: number, state: state, lastUsed: .now) }
    }

    /// The open transactions.
    var open: [OpenTransaction] {
        entries.withLock { entries in
            entries.values.compactMap { if case .open(let transaction) = $0.state { transaction } else { nil } }
        }
    }

    /// Forgets sessions that no driver can use any more.
    func forget(unusedSince limit: ContinuousClock.Instant) {
        entries.withLock { entries in
            entries = entries.filter { _, entry in
                if case .open = entry.state { true } else { entry.lastUsed >= limit }
            }
        }
    }

    /// Forgets a session that its client has ended.
    ///
    /// - Returns: Its transaction, when one is open.
    func end(_ key: SessionKey) -> OpenTransaction? {
        entries.withLock { entries in
            let entry = entries.removeValue(forKey: key)
            guard case .open(let transaction)? = entry?.state else { return nil }
            return transaction
        }
    }
}
