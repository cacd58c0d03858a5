internal import BSON
internal import CMongoC
internal import Logging
internal import PersistenceCore

/// Begins, commits, aborts and begins again: the one place that knows how a transaction ends.
struct TransactionRun {
    let session: MongoSession
    let options: MongoTransactionOptions

    private var core: MongoCore { session.core }
    private var scope: SessionScope { session.scope }

    private static let transient = "TransientTransactionError"
    private static let unknownCommit = "UnknownTransactionCommitResult"

    func run<Result>(_ body: (MongoSession) async throws -> Result) async throws -> Result {
        let end = ContinuousClock.now.advanced(by: min(max(options.retryTimeLimit, .zero), .seconds(86_400)))
        var attempt = 0
        while true {
            attempt += 1
            let span = core.instrumentation.begin(DatabaseOperation(.transaction, on: core.target))
            do {
                let result = try await once(body, until: end, span)
                span?.end()
                return result
            } catch let retry as TransientFailure {
                span?.end(throwing: retry.persistenceError)
                guard ContinuousClock.now < end, attempt < Self.attemptLimit, !Task.isCancelled else {
                    throw retry.failure
                }
                // Those that conflicted must not come back at the same moment.
                await Self.pause(after: attempt)
            } catch {
                let reason = PersistenceError(.transactionAborted, "the transaction's closure threw, so it was aborted")
                span?.end(throwing: error as? PersistenceError ?? reason)
                throw error
            }
        }
    }

    /// A failure that is worth another attempt.
    private struct TransientFailure: Error {
        var failure: any Error

        var persistenceError: PersistenceError {
            failure as? PersistenceError ?? PersistenceError(.transactionAborted)
        }
    }

    private typealias DriverResult = Result<Void, MongoFailure>

    private static var attemptLimit: Int { 1000 }

    private static func pause(after attempt: Int) async {
        let longest = min(500, 5 << min(attempt, 7))
        try? await Task.sleep(for: .milliseconds(Int.random(in: 0...longest)))
    }

    private func once<Result>(
        _ body: (MongoSession) async throws -> Result, until end: ContinuousClock.Instant, _ span: OperationSpan?
    ) async throws -> Result {
        try await start()
        let result: Result
        do {
            result = try await span.withContext { try await body(session) }
        } catch {
            let isTransient = isTransient(error)
            await abort()
            if isTransient { throw TransientFailure(failure: error) }
            throw error
        }
        if let failure = scope.takeFailure() {
            // The server has ended the transaction, and the body has swallowed that.
            await abort()
            let cause = failure.persistenceError(of: MongoOperation("transaction", isWrite: true))
            if failure.labels.contains(Self.transient) { throw TransientFailure(failure: cause) }
            throw PersistenceError(.transactionAborted, operation: "commitTransaction").with {
                $0.serverCode = cause.serverCode
                $0.underlying = cause
            }
        }
        try await commit(until: end)
        return result
    }

    /// Whether an error that the body has thrown comes from a failure that the server marked as transient.
    private func isTransient(_ error: any Error) -> Bool {
        switch (error as? PersistenceError)?.underlying {
        case let server as MongoServerError: server.labels.contains(Self.transient)
        case let bulk as MongoBulkWriteFailure: bulk.labels.contains(Self.transient)
        default: false
        }
    }

    private func start() async throws(PersistenceError) {
        let options = options
        let scope = scope
        try await core.run(MongoOperation("startTransaction"), session: scope) { _ -> DriverResult in
            let choices = options.makeDriverOptions()
            defer { mongoc_transaction_opts_destroy(choices) }
            var error = bson_error_t()
            guard mongoc_client_session_start_transaction(scope.pointer.raw, choices, &error) else {
                return .failure(MongoFailure(error))
            }
            return .success(())
        }
        _ = scope.takeFailure()
    }

    private func commit(until end: ContinuousClock.Instant) async throws {
        while true {
            do throws(PersistenceError) {
                return try await sendCommit()
            } catch {
                let labels = (error.underlying as? MongoServerError)?.labels ?? []
                // A commit that runs into its own time limit would do so again.
                let ranOut = error.serverCode == "50"
                let mayRetry = ContinuousClock.now < end && !Task.isCancelled && !ranOut
                if labels.contains(Self.unknownCommit), mayRetry { continue }
                if labels.contains(Self.transient) { throw TransientFailure(failure: error) }
                if labels.contains(Self.unknownCommit) || error.retrySafety == .unknown {
                    throw Self.unknown(error)
                }
                throw error
            }
        }
    }

    /// Cancelling a commit would only make its outcome a question, so it is not interrupted; the deadline still ends the
    /// wait, and then the outcome is unknown.
    private func sendCommit() async throws(PersistenceError) {
        let core = core
        let scope = scope
        let deadline = Deadline.current
        let operation = MongoOperation("commitTransaction", isWrite: true)
        let result = await Task.detached { () async -> Result<Void, PersistenceError> in
            func send() async -> Result<Void, PersistenceError> {
                do throws(PersistenceError) {
                    _ = try await core.run(operation, session: scope) { _ in
                        DriverAnswer { mongoc_client_session_commit_transaction(scope.pointer.raw, $0, $1) }.result
                    }
                    return .success(())
                } catch {
                    return .failure(error)
                }
            }
            guard let deadline else { return await send() }
            return await withDeadline(deadline) { await send() }
        }.value
        try result.get()
    }

    private static func unknown(_ error: PersistenceError) -> PersistenceError {
        PersistenceError(.commitUnknown, operation: "commitTransaction").with {
            $0.serverCode = error.serverCode
            $0.serverMessage = error.serverMessage
            $0.underlying = error
        }
    }

    /// Aborts whatever the task's state is.
    ///
    /// A server that cannot be told forgets the transaction by itself.
    private func abort() async {
        let scope = scope
        let core = core
        // Detached, so that neither the task's cancellation nor its deadline is in the way.
        await Task.detached {
            do throws(PersistenceError) {
                try await core.run(MongoOperation("abortTransaction"), session: scope) { _ -> DriverResult in
                    var error = bson_error_t()
                    guard mongoc_client_session_abort_transaction(scope.pointer.raw, &error) else {
                        return .failure(MongoFailure(error))
                    }
                    return .success(())
                }
            } catch {
                core.instrumentation.logger?.debug("a transaction could not be aborted: \(error)")
            }
        }.value
    }
}
