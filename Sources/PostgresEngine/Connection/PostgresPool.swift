internal import PersistenceCore
internal import Synchronization

/// The connections of a database that nobody uses.
final class PostgresPool: Sendable {
    private let connector: PostgresConnector
    private let idle = Mutex<[PostgresSession]>([])

    init(connector: PostgresConnector) {
        self.connector = connector
    }

    deinit {
        for session in idle.withLock({ $0 }) { session.close() }
    }

    func acquire() async throws(PersistenceError) -> PostgresSession {
        if let session = idle.withLock({ $0.popLast() }), session.isAlive { return session }
        return try await connector.connect(deadline: Deadline.current)
    }

    func giveBack(_ session: PostgresSession) {
        idle.withLock { $0.append(session) }
    }
}
