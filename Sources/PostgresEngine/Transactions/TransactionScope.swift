internal import CLibPQ
internal import PersistenceCore

/// What a transaction's handle and its leases share: whether it has begun, has failed, has ended.
///
/// BEGIN travels with the first statement, so a transaction costs no flight of its own until it is used.
final class TransactionScope {
    private enum Phase {
        /// Nothing has been sent.
        case pending([FlightCommand])
        case active
        case finished
    }

    private var phase: Phase
    /// The first failure that the server has answered with; it has aborted the transaction.
    private(set) var failure: PersistenceError?
    private var savepoints = 0

    init(preamble: [FlightCommand]) {
        phase = .pending(preamble)
    }

    /// The commands to send before the next statement.
    func takePreamble() throws(PersistenceError) -> [FlightCommand] {
        switch phase {
        case .pending(let commands):
            phase = .active
            return commands
        case .active:
            return []
        case .finished:
            throw Self.finishedError
        }
    }

    static var finishedError: PersistenceError {
        PersistenceError(.transactionFinished, "the transaction has ended; its handle cannot be used any more")
    }

    var hasBegun: Bool {
        if case .active = phase { true } else { false }
    }

    /// Remembers why the transaction has failed.
    ///
    /// - Returns: The error as the caller should see it: a connection that is lost before COMMIT was sent takes the whole
    ///   transaction with it, so doing all of it again is safe.
    func note(_ error: PersistenceError) -> PersistenceError {
        let error = error.code == .connection ? error.with { $0.retrySafety = .safe } : error
        if failure == nil { failure = error }
        return error
    }

    /// After a rollback to a savepoint the transaction goes on.
    func forgetFailure() {
        failure = nil
    }

    /// Ends the use of the handle.
    func finish() {
        phase = .finished
    }

    var isFinished: Bool {
        if case .finished = phase { true } else { false }
    }

    func nextSavepoint() -> String {
        savepoints += 1
        return "sp_\(savepoints)"
    }
}
