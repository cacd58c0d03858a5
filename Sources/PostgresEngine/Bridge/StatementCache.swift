internal import PersistenceCore

/// What a statement is known by on a connection.
@usableFromInline
enum StatementKey: Hashable, Sendable {
    /// A query type, whose SQL text never changes.
    case query(ObjectIdentifier)
    /// A text with the types of its parameters.
    case text(String, [PostgresType])

    /// Compares texts byte by byte.
    ///
    /// For Swift "é" as one character equals "e" with an accent; for the server they are two literals, and two names.
    @usableFromInline
    static func == (lhs: StatementKey, rhs: StatementKey) -> Bool {
        switch (lhs, rhs) {
        case (.query(let left), .query(let right)): left == right
        case (.text(let left, let leftTypes), .text(let right, let rightTypes)):
            left.hasSameBytes(as: right) && leftTypes == rightTypes
        default: false
        }
    }
}

/// A statement that a server connection knows by name.
///
/// @unchecked: `lastUse` is written only by the cache, inside its session's mutex; everything else is immutable.
final class PreparedStatement: @unchecked Sendable {
    let name: UnsafeMutablePointer<CChar>
    let key: StatementKey
    /// Executing it can change the state of the session, so that the connection must be reset afterwards.
    let touchesSession: Bool
    /// When the statement was used last, on the cache's own count.
    fileprivate(set) var lastUse: UInt64 = 0

    init(name: String, key: StatementKey, touchesSession: Bool) {
        let bytes = name.utf8CString
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
        for (index, byte) in bytes.enumerated() { copy[index] = byte }
        self.name = copy
        self.key = key
        self.touchesSession = touchesSession
    }

    deinit {
        name.deallocate()
    }

    var nameText: String { String(cString: name) }
}

/// The prepared statements of one connection, the least recently used leaving first.
struct StatementCache: ~Copyable {
    private let capacity: Int
    private var entries: [StatementKey: PreparedStatement] = [:]
    /// The statements of query types that were used last, by a part of their type's address: found without hashing.
    private var recent: [PreparedStatement?] = Array(repeating: nil, count: 16)
    private var clock: UInt64 = 0
    private var nextNumber: UInt64 = 0
    private let prefix: String
    /// Statements that the server still holds although the cache has let go of them.
    private(set) var pendingDeallocation: [PreparedStatement] = []

    /// Creates an empty cache.
    ///
    /// - Parameters:
    ///   - capacity: How many statements to keep; 0 turns the cache off.
    ///   - session: A number that no other client of the server shares. Names are unique to it, so that behind a pooler
    ///     that hands a server connection from client to client a name never means somebody else's statement.
    init(capacity: Int, session: UInt64) {
        self.capacity = capacity
        self.prefix = "p" + String(session, radix: 36) + "_"
    }

    var isEnabled: Bool { capacity > 0 }
    var count: Int { entries.count }

    mutating func statement(for key: StatementKey) -> PreparedStatement? {
        clock &+= 1
        guard case .query(let query) = key else {
            guard let entry = entries[key] else { return nil }
            entry.lastUse = clock
            return entry
        }
        // Metadata is aligned to 8 bytes, so the lowest bits say nothing.
        let place = (Int(bitPattern: query) >> 4) & 15
        if let entry = recent[place], case .query(query) = entry.key {
            entry.lastUse = clock
            return entry
        }
        guard let entry = entries[key] else { return nil }
        entry.lastUse = clock
        recent[place] = entry
        return entry
    }

    private mutating func forgetRecent() {
        for place in recent.indices { recent[place] = nil }
    }

    mutating func makeStatement(for key: StatementKey, touchesSession: Bool) -> PreparedStatement {
        nextNumber &+= 1
        return PreparedStatement(
            name: prefix + String(nextNumber, radix: 36), key: key, touchesSession: touchesSession)
    }

    /// Keeps a statement that the server has accepted.
    mutating func insert(_ statement: PreparedStatement) {
        clock &+= 1
        statement.lastUse = clock
        if let replaced = entries.updateValue(statement, forKey: statement.key) {
            pendingDeallocation.append(replaced)
            forgetRecent()
        }
        while entries.count > capacity, let oldest = entries.values.min(by: { $0.lastUse < $1.lastUse }) {
            entries[oldest.key] = nil
            forgetRecent()
            pendingDeallocation.append(oldest)
        }
    }

    /// Lets go of a statement whose plan no longer fits, or that the server has forgotten.
    mutating func remove(_ key: StatementKey, deallocate: Bool) {
        guard let removed = entries.removeValue(forKey: key) else { return }
        forgetRecent()
        if deallocate { pendingDeallocation.append(removed) }
    }

    mutating func didDeallocate(_ count: Int) {
        pendingDeallocation.removeFirst(count)
    }

    /// Forgets everything, because the server has.
    mutating func removeAll() {
        entries.removeAll()
        forgetRecent()
        pendingDeallocation.removeAll()
    }
}
