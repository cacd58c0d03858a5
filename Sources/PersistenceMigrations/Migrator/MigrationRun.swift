import PersistenceCore
import PostgresEngine

/// Runs the files of a plan, one by one, while the lock is held.
struct MigrationRun {
    let session: MigrationSession
    let configuration: Migrator.Configuration
    let checksums: [Int64: String]
    let instrumentation: Instrumentation
    let target: DatabaseTarget
    let observer: (@Sendable (MigrationEvent) -> Void)?
    private(set) var applied: [MigrationReport.Applied] = []

    init(
        session: MigrationSession, configuration: Migrator.Configuration, checksums: [Int64: String],
        instrumentation: Instrumentation, target: DatabaseTarget, observer: (@Sendable (MigrationEvent) -> Void)?
    ) {
        self.session = session
        self.configuration = configuration
        self.checksums = checksums
        self.instrumentation = instrumentation
        self.target = target
        self.observer = observer
    }

    /// Runs one file and records it.
    mutating func perform(_ step: MigrationPlan.Step, number: Int, of count: Int) async throws {
        observer?(.started(step, number: number, of: count))
        let span = instrumentation.begin(
            DatabaseOperation(.migration, on: target, name: "\(step.direction)", summary: step.operation))
        let start = ContinuousClock.now
        do {
            try await span.withContext {
                if step.script.runsInTransaction {
                    try await runInTransaction(step, since: start)
                } else {
                    try await runOutsideTransaction(step, since: start)
                }
            }
        } catch let error as PersistenceError {
            span?.end(throwing: error)
            observer?(.failed(step, error))
            throw error
        }
        span?.end()
        let duration = ContinuousClock.now - start
        applied.append(
            MigrationReport.Applied(
                version: step.migration.version, title: step.migration.title, direction: step.direction,
                duration: duration))
        observer?(.finished(step, duration: duration))
    }

    // MARK: - In a transaction

    private func runInTransaction(_ step: MigrationPlan.Step, since start: ContinuousClock.Instant) async throws {
        do {
            try await session.inTransaction { transaction in
                try await session.applySettings(isLocal: true)
                try await runStatements(step)
                // Back from whatever role and settings the file has chosen, before the migrator's own rows are written.
                try await session.restoreSettings()
                try await session.setVersion(SchemaVersion(step.to), on: transaction)
                try await record(step, since: start, on: transaction)
            }
        } catch let error as PersistenceError {
            throw describe(error, of: step)
        }
    }

    /// Adds to an error what it means for the schema.
    private func describe(_ error: PersistenceError, of step: MigrationPlan.Step) -> PersistenceError {
        switch error.code {
        case .commitUnknown:
            return error.with { error in
                error.operation = step.operation
                error.summary =
                    "the connection was lost while \(step.path) was committed; either all of it is applied or nothing, "
                    + "and the version table tells which"
            }
        case .cancelled:
            return error.with { error in
                error.operation = step.operation
                error.summary = "cancelled while \(step.path) ran; nothing of it is applied"
            }
        case .connection, .unavailable:
            return error.with { error in
                error.operation = step.operation
                error.summary = "the connection was lost while \(step.path) ran; nothing of it is applied"
            }
        case .migration:
            return error
        default:
            // COMMIT checks deferred constraints, which belong to no statement; the rows of the migrator come before it.
            return failure(error, of: step, at: step.path, "\(step.path) failed: \(error.summary)")
        }
    }

    // MARK: - Outside a transaction

    private func runOutsideTransaction(_ step: MigrationPlan.Step, since start: ContinuousClock.Instant) async throws {
        // The order of golang-migrate: whoever finds the row dirty knows that the file may have run in part.
        try await session.inTransaction { transaction in
            try await session.setVersion(SchemaVersion(step.to, isDirty: true), on: transaction)
        }
        do {
            try await session.applySettings(isLocal: false)
            try await runStatements(step)
            try await checkNoTransactionIsOpen(step)
            try await session.restoreSettings()
            try await session.inTransaction { transaction in
                try await session.setVersion(SchemaVersion(step.to), on: transaction)
                try await record(step, since: start, on: transaction)
            }
        } catch let error as PersistenceError {
            let version = step.to ?? -1
            throw error.with { error in
                error.operation = step.operation
                let reason = error.code == .migration ? error.summary : "\(step.path) failed: \(error.summary)"
                error.summary =
                    "\(reason); it ran outside a transaction, so what came before stands and the database is dirty at "
                    + "version \(version): repair the schema by hand, then force its version"
            }
        }
    }

    /// A file that leaves its own transaction open would take the migrator's row into it.
    private func checkNoTransactionIsOpen(_ step: MigrationPlan.Step) async throws(PersistenceError) {
        guard session.connection.isInTransaction else { return }
        try await session.connection.executeScript("ROLLBACK")
        throw PersistenceError(
            .migration, "\(step.path) leaves a transaction open, which was rolled back; it must end with COMMIT"
        ).with { $0.location = step.path }
    }

    // MARK: - Statements

    private func runStatements(_ step: MigrationPlan.Step) async throws(PersistenceError) {
        let statements = step.script.statements
        for (index, statement) in statements.enumerated() {
            do throws(PersistenceError) {
                try await session.connection.executeScript(statement.text)
            } catch {
                throw locate(error, statement, in: step)
            }
            observer?(.progressed(step, statement: index + 1, of: statements.count))
        }
    }

    private func locate(
        _ error: PersistenceError, _ statement: SQLStatement, in step: MigrationPlan.Step
    ) -> PersistenceError {
        // What happened to the task or the connection is no fault of the statement.
        switch error.code {
        case .cancelled, .connection, .unavailable: return error
        default: break
        }
        let location =
            ServerPosition(error.location).map { step.script.location(of: $0, in: statement) }
            ?? step.script.location(of: statement)
        var summary = "\(location): \(error.summary)"
        if step.script.runsInTransaction, error.serverCode == "25001" || error.serverCode == "2D000" {
            summary +=
                "; this cannot run in a transaction: put \"-- persistence:no-transaction\" before the first "
                + "statement of the file"
        }
        return failure(error, of: step, at: location, summary)
    }

    /// The error of a file: the server's error is what it is about, so that its fields stay.
    private func failure(
        _ error: PersistenceError, of step: MigrationPlan.Step, at location: String, _ summary: String
    ) -> PersistenceError {
        PersistenceError(.migration, summary, operation: step.operation, retrySafety: error.retrySafety).with {
            $0.serverCode = error.serverCode
            $0.serverMessage = error.serverMessage
            $0.constraint = error.constraint
            $0.collection = error.collection
            $0.column = error.column
            $0.location = location
            $0.underlying = error
        }
    }

    private func record(
        _ step: MigrationPlan.Step, since start: ContinuousClock.Instant, on transaction: PostgresTransaction
    ) async throws(PersistenceError) {
        try await session.record(
            step.direction == .up ? .up : .down, version: step.migration.version, title: step.migration.title,
            checksum: checksums[step.migration.version], duration: ContinuousClock.now - start, on: transaction)
    }
}

extension MigrationPlan.Step {
    /// The file's path.
    var path: String { script.file.path }

    /// The name of the step in errors and traces.
    var operation: String { "migrate \(direction) \(migration.version)" }
}

/// A line and a column in one statement, as the engine reports where the server has found an error.
struct ServerPosition: Hashable {
    var line: Int
    var column: Int

    init?(_ location: String?) {
        guard let location else { return nil }
        let numbers = location.split { !$0.isASCII || !$0.isNumber }.compactMap { Int($0) }
        guard numbers.count == 2, numbers[0] >= 1, numbers[1] >= 1 else { return nil }
        line = numbers[0]
        column = numbers[1]
    }
}

extension MigrationScript {
    /// Where a place of a statement is in the file: `file:line:column`.
    func location(of place: ServerPosition, in statement: SQLStatement) -> String {
        let start = script.position(utf8Offset: statement.utf8Offset)
        let position = SQLPosition(
            line: start.line + place.line - 1,
            column: place.line == 1 ? start.column + place.column - 1 : place.column)
        return "\(file.path):\(position)"
    }
}
