internal import CLibPQ
internal import PersistenceCore

/// The statements of one advisory lock.
struct AdvisoryLock {
    let key: PostgresAdvisoryKey
    let mode: PostgresLockMode

    enum Action: String {
        case lock = "pg_advisory_lock"
        case tryLock = "pg_try_advisory_lock"
        case unlock = "pg_advisory_unlock"
        case lockInTransaction = "pg_advisory_xact_lock"
        case tryLockInTransaction = "pg_try_advisory_xact_lock"
    }

    /// The statement with the key as its parameter.
    func sql(_ action: Action) -> String {
        let argument =
            switch key.value {
            case .number: "$1::bigint"
            case .name:
                """
                ('x' || pg_catalog.encode(pg_catalog.substr(pg_catalog.sha256(
                pg_catalog.convert_to($1, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint
                """
            }
        return "SELECT pg_catalog.\(action.rawValue)\(mode == .shared ? "_shared" : "")(\(argument))"
    }

    func parameters() throws(PersistenceError) -> PostgresParameters {
        var parameters = PostgresParameters()
        switch key.value {
        case .number(let number): try parameters.append(number)
        case .name(let name): try parameters.append(name)
        }
        return parameters
    }
}

extension PostgresLease {
    /// Runs a statement of an advisory lock.
    ///
    /// - Parameters:
    ///   - action: What to do.
    ///   - lock: The lock.
    ///   - timeout: How long to wait at most.
    /// - Returns: What the server answers; `true` when the function returns nothing.
    /// - Throws: ``PersistenceError``; a wait that ran out is a `timeout` of kind `lock`.
    func perform(
        _ action: AdvisoryLock.Action, _ lock: AdvisoryLock, timeout: Duration? = nil
    ) async throws(PersistenceError) -> Bool {
        let sql = lock.sql(action)
        let bound = try lock.parameters()
        let span = begin(.query, name: "SELECT", summary: action.rawValue, text: sql)
        do throws(PersistenceError) {
            let result = try await execute(
                .text(sql, bound.items.map(\.type)), sql: sql, waitingAtMost: timeout
            ) { (parameters) throws(PersistenceError) in parameters = bound }
            span?.end(rows: 1)
            return try result.firstRow { (row) throws(PersistenceError) in
                // The functions that wait return void, which has no bytes.
                PQftype(row.result, 0) == PostgresType.bool.oid ? try row.decode(0, as: Bool.self) : true
            } ?? false
        } catch {
            let error = error.with { error in
                error.operation = error.operation ?? action.rawValue
                guard error.timeout == .statement, action == .lock || action == .lockInTransaction else { return }
                error.timeout = .lock
                error.summary = "the advisory lock was not free in time"
            }
            span?.end(throwing: error)
            throw error
        }
    }

    private func execute(
        _ key: StatementKey, sql: String, waitingAtMost timeout: Duration?,
        _ bind: (inout PostgresParameters) throws(PersistenceError) -> Void
    ) async throws(PersistenceError) -> PostgresResult {
        var deadline = context.deadline
        if let timeout {
            let own = monotonicNanoseconds().addingReportingOverflow(max(timeout.wholeNanoseconds, 1))
            if !own.overflow { deadline = deadline == 0 ? own.partialValue : min(deadline, own.partialValue) }
        }
        return try await execute(key, sql: sql, deadline: deadline, bind)
    }
}
