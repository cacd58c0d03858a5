public import PersistenceCore
import Synchronization

/// Remembers what callers were told about their writes, and compares it with what a store holds in the end.
///
/// Every write has a key that its caller has made, and is tried once under it:
///
/// ```swift
/// let ledger = WriteLedger<UUID>()
/// let id = UUID()
/// await ledger.write(id) {
///     try await database.withTransaction { transaction in
///         _ = try await transaction.execute("INSERT INTO payments VALUES (\(id))")
///     }
/// }
/// // … servers are killed, connections are cut …
/// let audit = ledger.audit(of: try await database.all("SELECT id FROM payments", as: UUID.self))
/// precondition(audit.isClean, "\(audit)")
/// ```
///
/// What was acknowledged must be there, what was reported as failed must not, and an outcome may be either only when it
/// was called unknown.
public final class WriteLedger<Key: Hashable & Sendable>: Sendable {
    /// What the caller of a write was told.
    @nonexhaustive
    public enum Outcome: Sendable, Hashable {
        /// It was done.
        case acknowledged
        /// It was not done.
        case failed
        /// Nobody knows, or nobody has said yet.
        case unknown
    }

    /// What the comparison of a ledger and a store has brought.
    public struct Audit: Sendable {
        /// Acknowledged, and not there.
        public var lost: Set<Key> = []
        /// Reported as failed, and there.
        public var undead: Set<Key> = []
        /// There more than once.
        public var repeated: Set<Key> = []
        /// There, and never written.
        public var strange: Set<Key> = []
        /// How many writes of unknown outcome are there.
        public var unknownDone = 0
        /// How many writes of unknown outcome are not there.
        public var unknownUndone = 0

        /// Whether callers were told the truth about every write.
        public var isClean: Bool { lost.isEmpty && undead.isEmpty && repeated.isEmpty && strange.isEmpty }
    }

    private struct State: Sendable {
        var outcomes: [Key: Outcome] = [:]
        var counts: [Outcome: Int] = [:]
        var codes: [PersistenceError.Code: Int] = [:]

        mutating func note(_ outcome: Outcome, for key: Key) {
            if let before = outcomes.updateValue(outcome, forKey: key) { counts[before, default: 0] -= 1 }
            counts[outcome, default: 0] += 1
        }
    }

    private let state = Mutex(State())

    /// An empty ledger.
    public init() {}

    /// Makes a write and remembers what its caller is told.
    ///
    /// - Parameters:
    ///   - key: The write's key, which no other write has.
    ///   - body: Makes the write. An error that is no ``PersistenceError`` is its own, thrown to undo the write.
    /// - Returns: What `body` threw.
    @discardableResult
    public func write(_ key: Key, _ body: () async throws -> Void) async -> (any Error)? {
        // Until something is known, the outcome is not.
        state.withLock { $0.note(.unknown, for: key) }
        do {
            try await body()
            state.withLock { $0.note(.acknowledged, for: key) }
            return nil
        } catch {
            let failure = error as? PersistenceError
            state.withLock { state in
                state.note(failure.map(Self.outcome) ?? .failed, for: key)
                if let failure { state.codes[failure.code, default: 0] += 1 }
            }
            return error
        }
    }

    /// What an error says about the write that it ended.
    ///
    /// - Parameter error: The error.
    /// - Returns: `unknown` for an unknown commit, and for what is not known to be safe or unsafe to repeat.
    public static func outcome(of error: PersistenceError) -> Outcome {
        error.code == .commitUnknown || error.retrySafety == .unknown ? .unknown : .failed
    }

    /// How many writes have an outcome.
    ///
    /// - Parameter outcome: The outcome.
    /// - Returns: Their number.
    public func count(_ outcome: Outcome) -> Int {
        state.withLock { $0.counts[outcome, default: 0] }
    }

    /// How often each error was thrown.
    public var codes: [PersistenceError.Code: Int] { state.withLock { $0.codes } }

    /// Compares the ledger with what is there.
    ///
    /// Writes must have ended, and unknown ones must have been decided: a server that was cut off from its client can go on
    /// for a while.
    ///
    /// - Parameter keys: The keys of all rows, one for each row.
    /// - Returns: What does not agree.
    public func audit(of keys: some Sequence<Key>) -> Audit {
        let outcomes = state.withLock { $0.outcomes }
        var audit = Audit()
        var there: Set<Key> = []
        for key in keys {
            if !there.insert(key).inserted { audit.repeated.insert(key) }
            switch outcomes[key] {
            case .acknowledged?, .unknown?: break
            case .failed?: audit.undead.insert(key)
            case nil: audit.strange.insert(key)
            }
        }
        for (key, outcome) in outcomes {
            switch outcome {
            case .acknowledged: if !there.contains(key) { audit.lost.insert(key) }
            case .failed: break
            case .unknown:
                if there.contains(key) { audit.unknownDone += 1 } else { audit.unknownUndone += 1 }
            }
        }
        return audit
    }

    /// Forgets every write, for the next round.
    public func clear() {
        state.withLock { $0 = State() }
    }
}

extension WriteLedger.Audit: CustomStringConvertible {
    /// The numbers of what does not agree.
    public var description: String {
        "lost \(lost.count), undead \(undead.count), repeated \(repeated.count), strange \(strange.count), "
            + "unknown and done \(unknownDone), unknown and not done \(unknownUndone)"
    }
}
