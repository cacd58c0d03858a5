internal import CLibPQ
public import PersistenceCore

extension PostgresConnection {
    /// Holds an advisory lock of the session while `body` runs.
    ///
    /// The lock is the connection's: it is released when `body` ends in whatever way, and by the server when the
    /// connection is lost. It can be taken again while it is held. A transaction's end does not release it.
    ///
    /// - Parameters:
    ///   - key: What is locked.
    ///   - mode: Whom to keep out.
    ///   - timeout: How long to wait for it, at most; the scope's deadline limits the wait as well.
    ///   - body: The work.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws, unwrapped; ``PersistenceError``: `timeout` of kind `lock` when it was not free in
    ///   time, `cancelled`, `deadlock`, and `connection` when `body` had succeeded but the connection had been lost, so
    ///   that somebody else may have had the lock at the same time.
    @discardableResult
    public func withAdvisoryLock<Result>(
        _ key: PostgresAdvisoryKey, mode: PostgresLockMode = .exclusive, timeout: Duration? = nil,
        _ body: () async throws -> Result
    ) async throws -> Result {
        let lock = AdvisoryLock(key: key, mode: mode)
        _ = try await acquire(lock, .lock, timeout: timeout)
        return try await holding(lock, body)
    }

    /// Holds an advisory lock of the session while `body` runs, if it is free now.
    ///
    /// - Parameters:
    ///   - key: What is locked.
    ///   - mode: Whom to keep out.
    ///   - body: The work.
    /// - Returns: What `body` returns; `nil` when the lock was not free, and then `body` did not run.
    /// - Throws: As ``withAdvisoryLock(_:mode:timeout:_:)``, without the wait.
    public func tryAdvisoryLock<Result>(
        _ key: PostgresAdvisoryKey, mode: PostgresLockMode = .exclusive, _ body: () async throws -> Result
    ) async throws -> Result? {
        let lock = AdvisoryLock(key: key, mode: mode)
        guard try await acquire(lock, .tryLock, timeout: nil) else { return nil }
        return try await holding(lock, body)
    }

    private func acquire(
        _ lock: AdvisoryLock, _ action: AdvisoryLock.Action, timeout: Duration?
    ) async throws(PersistenceError) -> Bool {
        try checkIsUsable()
        let isTouched = session.isTouched
        let lease = try await lease()
        let isLocked = try await lease.perform(action, lock, timeout: timeout)
        // The scope undoes the lock itself, so the connection need not be reset for it.
        if !isTouched { session.clearTouched() }
        return isLocked
    }

    private func holding<Result>(
        _ lock: AdvisoryLock, _ body: () async throws -> Result
    ) async throws -> Result {
        let result: Result
        do {
            result = try await body()
        } catch {
            // The error of the work is what the caller must see.
            do throws(PersistenceError) { try await release(lock) } catch {}
            throw error
        }
        try await release(lock)
        return result
    }

    /// Releases the lock whatever the task's state is; a connection that cannot is closed, which releases it as well.
    private func release(_ lock: AdvisoryLock) async throws(PersistenceError) {
        let sql = lock.sql(.unlock)
        let bound = try lock.parameters()
        guard session.isAlive else { throw Self.lostLock(nil) }
        let grace = monotonicNanoseconds() &+ 10_000_000_000
        let reply = await session.fly(deadline: grace, isCancellable: false) { state, flight in
            state.sendPipelined([.unnamed(sql, bound)], syncEach: false, flight: &flight) ? .sent : .failed
        }
        let wasHeld: Bool?
        do throws(PersistenceError) {
            try reply.check(expecting: 1, session: session, sql: sql)
            wasHeld = try reply.take(0).firstRow { (row) throws(PersistenceError) in try row.decode(0, as: Bool.self) }
        } catch {
            session.close(reason: error)
            throw Self.lostLock(error)
        }
        guard wasHeld == true else {
            throw PersistenceError(
                .invalidArgument, "the work has released the advisory lock itself",
                operation: AdvisoryLock.Action.unlock.rawValue)
        }
    }

    private static func lostLock(_ cause: PersistenceError?) -> PersistenceError {
        PersistenceError(
            .connection, "the connection that held the advisory lock was lost, so the lock may have been free",
            operation: AdvisoryLock.Action.unlock.rawValue, retrySafety: .unknown
        ).with { $0.underlying = cause }
    }
}

extension PostgresDatabase {
    /// Holds an advisory lock on a connection of the pool while `body` runs.
    ///
    /// - Parameters:
    ///   - key: What is locked.
    ///   - mode: Whom to keep out.
    ///   - timeout: How long to wait for it, at most; the scope's deadline limits the wait as well.
    ///   - body: The work; the connection that holds the lock may be used in it.
    /// - Returns: What `body` returns.
    /// - Throws: As ``PostgresConnection/withAdvisoryLock(_:mode:timeout:_:)``, and what the pool throws.
    @discardableResult
    public func withAdvisoryLock<Result>(
        _ key: PostgresAdvisoryKey, mode: PostgresLockMode = .exclusive, timeout: Duration? = nil,
        _ body: (PostgresConnection) async throws -> Result
    ) async throws -> Result {
        try await withConnection { connection in
            try await connection.withAdvisoryLock(key, mode: mode, timeout: timeout) { try await body(connection) }
        }
    }

    /// Holds an advisory lock on a connection of the pool while `body` runs, if it is free now.
    ///
    /// - Parameters:
    ///   - key: What is locked.
    ///   - mode: Whom to keep out.
    ///   - body: The work; the connection that holds the lock may be used in it.
    /// - Returns: What `body` returns; `nil` when the lock was not free, and then `body` did not run.
    /// - Throws: As ``PostgresConnection/withAdvisoryLock(_:mode:timeout:_:)``, and what the pool throws.
    public func tryAdvisoryLock<Result>(
        _ key: PostgresAdvisoryKey, mode: PostgresLockMode = .exclusive,
        _ body: (PostgresConnection) async throws -> Result
    ) async throws -> Result? {
        try await withConnection { connection in
            try await connection.tryAdvisoryLock(key, mode: mode) { try await body(connection) }
        }
    }
}

extension PostgresTransaction {
    /// Takes an advisory lock until the transaction's end.
    ///
    /// - Parameters:
    ///   - key: What is locked.
    ///   - mode: Whom to keep out.
    ///   - timeout: How long to wait for it, at most; the scope's deadline limits the wait as well.
    /// - Throws: ``PersistenceError``: `timeout` of kind `lock` when it was not free in time, `cancelled`, `deadlock`.
    ///   The transaction is lost then, as after any error.
    public func advisoryLock(
        _ key: PostgresAdvisoryKey, mode: PostgresLockMode = .exclusive, timeout: Duration? = nil
    ) async throws(PersistenceError) {
        let lease = try await lease()
        _ = try await lease.perform(.lockInTransaction, AdvisoryLock(key: key, mode: mode), timeout: timeout)
    }

    /// Takes an advisory lock until the transaction's end, if it is free now.
    ///
    /// - Parameters:
    ///   - key: What is locked.
    ///   - mode: Whom to keep out.
    /// - Returns: Whether the transaction has it; when not, the transaction goes on all the same.
    /// - Throws: ``PersistenceError``.
    public func tryAdvisoryLock(
        _ key: PostgresAdvisoryKey, mode: PostgresLockMode = .exclusive
    ) async throws(PersistenceError) -> Bool {
        let lease = try await lease()
        return try await lease.perform(.tryLockInTransaction, AdvisoryLock(key: key, mode: mode))
    }
}
