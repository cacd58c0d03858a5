internal import CLibPQ
internal import PersistenceCore
internal import Synchronization

/// One run of a streamed query: a cursor on the server, the chunk that is being consumed, and the chunk on its way.
///
/// On a connection of its own the cursor lives in a transaction of its own, and the next chunk is fetched while the
/// consumer works. On a caller's connection it lives in the caller's transaction, and nothing is fetched ahead, because
/// the caller may want the connection for other statements in between.
final class RowCursor<Row> {
    private enum Phase {
        case new
        case open
        /// The last rows are in memory.
        case exhausted
        case ended
    }

    private let statement: CursorStatement
    private let decode: (borrowing PostgresRow) throws(PersistenceError) -> Row
    private let borrow: () async throws(PersistenceError) -> PostgresLease
    private let cursor = CursorStatement.makeCursorName()

    private var phase = Phase.new
    private var chunk: PostgresResult?
    private var rows: OpaquePointer?
    private var index: Int32 = 0
    private var count: Int32 = 0
    private var size = ChunkSize()
    private var requested = 0
    private var delivered = 0
    private var span: OperationSpan?

    /// The connection, when it is the stream's own.
    private var own: OwnedLease?
    /// What has been sent ahead on it.
    private var pending: PendingReply?
    /// The caller's transaction, when the cursor lives in one.
    private var scope: TransactionScope?
    private var rollbacks = 0

    init(
        _ statement: CursorStatement, decode: @escaping (borrowing PostgresRow) throws(PersistenceError) -> Row,
        borrow: @escaping () async throws(PersistenceError) -> PostgresLease
    ) {
        self.statement = statement
        self.decode = decode
        self.borrow = borrow
    }

    deinit {
        // Nothing here waits: a chunk on its way is cancelled and keeps the connection until it has come; the pool
        // then ends the transaction.
        pending?.cancel()
        abandonCursor()
        span?.end(rows: delivered)
    }

    /// The next row of the chunk in memory.
    func buffered() throws(PersistenceError) -> Row? {
        guard index < count, let rows else { return nil }
        let row: Row
        do throws(PersistenceError) {
            row = try decode(PostgresRow(result: rows, index: index))
        } catch {
            throw fail(error)
        }
        index += 1
        delivered += 1
        return row
    }

    /// Brings the next chunk into memory.
    ///
    /// - Returns: Whether there can be more rows.
    func fetch() async throws(PersistenceError) -> Bool {
        guard phase != .ended else { return false }
        do throws(PersistenceError) {
            guard !Task.isCancelled else { throw PersistenceError(.cancelled) }
            switch phase {
            case .new: try await open()
            case .open: try await fetchNext()
            case .exhausted:
                try await close()
                return false
            case .ended: return false
            }
            return true
        } catch {
            throw fail(error)
        }
    }

    private func fail(_ error: PersistenceError) -> PersistenceError {
        let error = error.with { $0.operation = $0.operation ?? statement.operation }
        span?.end(throwing: error)
        abandonCursor()
        finish()
        return error
    }

    /// Has the caller's transaction close the cursor when it is used next.
    private func abandonCursor() {
        guard phase == .open || phase == .exhausted, let scope else { return }
        scope.abandon(cursor, rollbacks: rollbacks)
    }

    private func finish() {
        phase = .ended
        drop()
        pending?.cancel()
        pending = nil
        own = nil
        scope = nil
    }

    private func drop() {
        rows = nil
        chunk = nil
        index = 0
        count = 0
    }
}

// MARK: - Opening and closing

extension RowCursor {
    private func open() async throws(PersistenceError) {
        let cursor = cursor
        let declare = try statement.declare(cursor)
        let lease = try await borrow()
        try lease.checkIsNotShared("a stream")
        let session = lease.session
        span = lease.begin(
            .query, name: statement.command, summary: statement.summary, collection: statement.collection,
            text: statement.sql)
        var commands: [FlightCommand]
        if let transaction = lease.transaction {
            commands = try transaction.takePreamble()
            scope = transaction
            rollbacks = transaction.rollbacks
        } else if lease.isPooled {
            commands = [.keyword("BEGIN")]
        } else {
            commands = []
            guard session.transactionStatus == PQTRANS_INTRANS else {
                throw PersistenceError(
                    .invalidArgument,
                    "a stream on a held connection needs a transaction, in which its cursor lives: use withTransaction")
            }
        }
        requested = size.rows
        commands += [declare, .text("FETCH \(requested) FROM \(cursor)")]
        // The tag of DECLARE makes the connection look changed, which the end of the transaction undoes.
        let isTouched = session.isTouched || StatementText.touchesSession(statement.sql)
        let reply = await session.fly(deadline: lease.context.deadline) { state, flight in
            state.sendPipelined(commands, syncEach: false, flight: &flight) ? .sent : .failed
        }
        if !isTouched { session.clearTouched() }
        phase = .open
        do throws(PersistenceError) {
            if let (index, result) = reply.firstError, index == commands.count - 2,
                let error = PostgresServerError(result: result)
            {
                throw statement.error(error, cursor: cursor, interruption: reply.interruption)
            }
            try reply.check(expecting: commands.count, session: session, sql: statement.sql)
        } catch {
            phase = .ended
            throw scope?.note(error) ?? error
        }
        let deadline = lease.context.deadline
        if lease.isPooled { own = OwnedLease(lease) }
        take(reply.take(commands.count - 1))
        sendAhead(deadline)
    }

    /// Keeps a chunk that has come.
    private func take(_ result: consuming PostgresResult) {
        drop()
        rows = result.pointer
        count = PQntuples(result.pointer)
        size.learn(rows: Int(count), bytes: PQresultMemorySize(result.pointer))
        if count < requested { phase = .exhausted }
        chunk = consume result
    }

    /// Asks for what comes next while the consumer works: more rows, or after the last of them COMMIT.
    private func sendAhead(_ deadline: UInt64) {
        guard let own else { return }
        if phase == .exhausted {
            pending = PendingReply(own, deadline: deadline, isCancellable: false) { state, flight in
                state.sendPipelined([.keyword("COMMIT")], syncEach: false, flight: &flight) ? .sent : .failed
            }
            // The connection goes back as soon as COMMIT is answered, even when the consumer is slow.
            self.own = nil
        } else {
            requested = size.rows
            let fetch = fetchText
            pending = PendingReply(own, deadline: deadline, isCancellable: true) { state, _ in
                state.scratch.removeAll()
                return state.sendUnnamedAlone(fetch) ? .sent : .failed
            }
        }
    }

    private var fetchText: String { "FETCH \(requested) FROM \(cursor)" }

    private func fetchNext() async throws(PersistenceError) {
        drop()
        if let pending {
            self.pending = nil
            let reply = await pending.reply()
            try reply.check(expecting: 1, session: pending.session, sql: fetchText)
            take(reply.take(0))
            sendAhead(pending.context.deadline)
            return
        }
        let lease = try await borrow()
        requested = size.rows
        let sql = fetchText
        let reply = await lease.session.fly(deadline: lease.context.deadline) { state, _ in
            state.scratch.removeAll()
            return state.sendUnnamedAlone(sql) ? .sent : .failed
        }
        do throws(PersistenceError) {
            try reply.check(expecting: 1, session: lease.session, sql: sql)
        } catch {
            throw scope?.note(error) ?? error
        }
        take(reply.take(0))
    }

    /// Ends the run after the last row.
    private func close() async throws(PersistenceError) {
        drop()
        if let pending {
            self.pending = nil
            try checkCommit(await pending.reply(), pending.session)
        } else {
            let lease = try await borrow()
            let sql = "CLOSE \(cursor)"
            let reply = await lease.session.fly(deadline: lease.context.deadline) { state, _ in
                state.scratch.removeAll()
                return state.sendUnnamedAlone(sql) ? .sent : .failed
            }
            do throws(PersistenceError) {
                try reply.check(expecting: 1, session: lease.session, sql: sql)
            } catch {
                throw scope?.note(error) ?? error
            }
        }
        span?.end(rows: delivered)
        finish()
    }

    private func checkCommit(
        _ reply: borrowing ServerReply, _ session: PostgresSession
    ) throws(PersistenceError) {
        if let failure = reply.failure, reply.count == 0 {
            throw PersistenceError(.commitUnknown, operation: "COMMIT").with { $0.underlying = failure }
        }
        try reply.check(expecting: 1, session: session, sql: "COMMIT")
        let tag = PQcmdStatus(reply.result(0)).map { String(cString: $0) }
        guard tag == "COMMIT" else { throw PersistenceError(.transactionAborted, operation: "COMMIT") }
    }
}
