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
    /// How often work has been undone to a savepoint, which closes the cursors opened since.
    private(set) var rollbacks = 0
    /// Cursors of streams that were left before their end; they are closed before the next statement.
    private var abandonedCursors: [String] = []

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

    /// Checks that no statement has ended the transaction: the server would answer COMMIT with success all the same.
    func checkIsOpen(on session: PostgresSession) throws(PersistenceError) {
        guard session.isAlive, session.transactionStatus == PQTRANS_IDLE else { return }
        finish()
        throw PersistenceError(
            .transactionAborted,
            "a statement ended the transaction before its closure did; what came before it may be committed or not, and "
                + "what came after it was committed one by one", retrySafety: .unknown)
    }

    /// Remembers why the transaction has failed.
    ///
    /// - Returns: The error as the caller should see it: a connection that is lost before COMMIT was sent takes the whole
    ///   transaction with it, whoever ended it, so doing all of it again is safe; so does a statement that only another
    ///   connection of a pooler knew.
    func note(_ error: PersistenceError) -> PersistenceError {
        let isLost = error.code == .connection || error.code == .unavailable || error.serverCode == "26000"
        let error = isLost ? error.with { $0.retrySafety = .safe } : error
        if failure == nil { failure = error }
        return error
    }

    /// After a rollback to a savepoint the transaction goes on.
    func forgetFailure() {
        failure = nil
        rollbacks += 1
        // Which of them are gone is not known, and closing one that is gone would abort the transaction; its end
        // closes the others.
        abandonedCursors = []
    }

    /// Remembers a cursor that nobody reads any more.
    ///
    /// - Parameters:
    ///   - cursor: The cursor's name.
    ///   - rollbacks: ``rollbacks`` when it was opened.
    func abandon(_ cursor: String, rollbacks: Int) {
        guard rollbacks == self.rollbacks else { return }
        abandonedCursors.append(cursor)
    }

    var hasAbandonedCursors: Bool { !abandonedCursors.isEmpty }

    /// Closes the cursors that nobody reads any more.
    func closeAbandonedCursors(on session: PostgresSession) async {
        guard !abandonedCursors.isEmpty, failure == nil, hasBegun else { return }
        let commands = abandonedCursors.map { FlightCommand.text("CLOSE \($0)") }
        abandonedCursors = []
        let reply = await session.fly(deadline: 0, isCancellable: false) { state, flight in
            state.sendPipelined(commands, syncEach: false, flight: &flight) ? .sent : .failed
        }
        do throws(PersistenceError) {
            try reply.check(expecting: commands.count, session: session, sql: "CLOSE")
        } catch {
            // The next statement will fail; this says why.
            _ = note(error)
        }
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
