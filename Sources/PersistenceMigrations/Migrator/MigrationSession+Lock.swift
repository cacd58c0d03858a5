import PersistenceCore
import PostgresEngine

extension MigrationSession {
    /// Runs `body` while no other migrator can work on the schema, golang-migrate included.
    ///
    /// The locks are asked for again and again and never waited for: a session that waits inside the server holds a
    /// snapshot, and `CREATE INDEX CONCURRENTLY` in the migrator that has the lock would wait for that snapshot to go.
    ///
    /// - Throws: What `body` throws; ``PersistenceError`` with the code `timeout` when the locks are not free in time.
    func withLock<Result>(
        timeout: Duration, observer: (@Sendable (MigrationEvent) -> Void)?, _ body: () async throws -> Result
    ) async throws -> Result {
        try await lock(timeout: timeout, observer: observer)
        observer?(.locked)
        let result: Result
        do {
            result = try await body()
        } catch {
            await unlock()
            throw error
        }
        await unlock()
        return result
    }

    private func lock(
        timeout: Duration, observer: (@Sendable (MigrationEvent) -> Void)?
    ) async throws {
        let end = ContinuousClock.now + timeout
        var pause = Duration.milliseconds(20)
        var isWaiting = false
        while try await !tryLock() {
            if !isWaiting {
                isWaiting = true
                observer?(.waitingForLock)
            }
            let left = ContinuousClock.now.duration(to: end)
            guard left > .zero else {
                throw PersistenceError(
                    .timeout,
                    "another migrator holds the lock of \(versionTable.quoted), and did not finish within "
                        + "\(timeout)", operation: "migrate", retrySafety: .safe
                ).with { $0.timeout = .lock }
            }
            // Jitter keeps instances that started together from asking together.
            try await Task.sleep(for: min(left, pause * Double.random(in: 0.5...1)))
            pause = min(pause * 2, .milliseconds(500))
        }
    }

    /// Takes all locks or none: who kept one while waiting for the other could block a third.
    private func tryLock() async throws(PersistenceError) -> Bool {
        for (index, identifier) in lockIdentifiers.enumerated() {
            let isTaken = try await connection.one("SELECT pg_try_advisory_lock(\(identifier))", as: Bool.self)
            if !isTaken {
                for taken in lockIdentifiers[..<index] {
                    try await connection.execute("SELECT pg_advisory_unlock(\(taken))")
                }
                return false
            }
        }
        return true
    }

    /// Gives the locks up even when the task is cancelled, so that the next migrator need not wait.
    ///
    /// Should that fail, the connection is lost, and the locks with it; or the pool resets it before it lends it on.
    private func unlock() async {
        // A file outside a transaction may have failed within one of its own, in which nothing else would run.
        let rollback = connection.isInTransaction ? "ROLLBACK; " : ""
        let unlocks = lockIdentifiers.reversed().map { "SELECT pg_advisory_unlock(\($0))" }
        try? await connection.cleanUp(rollback + unlocks.joined(separator: "; "))
    }
}
