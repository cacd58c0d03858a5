internal import CLibPQ
internal import PersistenceCore

/// One run of a COPY to the client, read in pieces as they are asked for.
final class CopyOutReader {
    private enum Phase {
        case new
        case reading
        /// The last piece has been read; the final result has not.
        case drained
        case ended
    }

    /// How much is read at once, in bytes; a single row can be larger.
    private static let piece = 64 << 10

    private let source: CopySource
    private let borrow: () async throws(PersistenceError) -> PostgresLease
    private var phase = Phase.new
    private var lease: PostgresLease?
    private var session: PostgresSession?
    /// The caller's transaction, when the data flows in one.
    private var scope: TransactionScope?
    private var flight: UInt64 = 0
    private var command = ""
    private var span: OperationSpan?
    /// The types of the columns, for those who decode them.
    private(set) var columns = CopyColumns()

    init(_ source: CopySource, borrow: @escaping () async throws(PersistenceError) -> PostgresLease) {
        self.source = source
        self.borrow = borrow
    }

    deinit {
        guard phase == .reading || phase == .drained else { return }
        session?.abandonCopy(flight)
        span?.end()
    }

    /// The next piece, or `nil` after the last one.
    func next() async throws(PersistenceError) -> [UInt8]? {
        guard phase != .ended else { return nil }
        do throws(PersistenceError) {
            if phase == .new { try await begin() }
            var chunk: [UInt8] = []
            // Rows come whole, so the last one of a piece makes it a little larger.
            chunk.reserveCapacity(Self.piece + (Self.piece >> 3))
            if phase == .reading, await !read(&chunk) { phase = .drained }
            // What has come is delivered even when an error follows.
            guard chunk.isEmpty else { return chunk }
            try await finish()
            return nil
        } catch {
            if phase == .reading || phase == .drained { session?.abandonCopy(flight) }
            phase = .ended
            lease = nil
            let error = error.with { $0.operation = $0.operation ?? "COPY" }
            span?.end(throwing: error)
            throw error
        }
    }

    private func begin() async throws(PersistenceError) {
        let sql = try source.command()
        let lease = try await borrow()
        span = lease.begin(.copy, collection: source.table, text: sql)
        if let probe = try source.probe() {
            let result = try await lease.execute(.text(probe, []), sql: probe) { _ throws(PersistenceError) in }
            columns = CopyColumns(names: result.columnNames, types: result.columnTypes)
        }
        flight = try await lease.beginCopy(sql, PGRES_COPY_OUT, deadline: lease.context.deadline)
        session = lease.session
        scope = lease.transaction
        command = sql
        phase = .reading
        self.lease = consume lease
    }

    /// Reads a piece, waiting for it if need be.
    ///
    /// - Returns: Whether there can be more.
    private func read(_ chunk: inout [UInt8]) async -> Bool {
        guard let session else { return false }
        let flight = flight
        while true {
            switch session.takeCopyData(&chunk, limit: Self.piece) {
            case .done, .stopped: return false
            case .blocked: break
            }
            if !chunk.isEmpty { return true }
            await withTaskCancellationHandler {
                await session.untilReadable()
            } onCancel: {
                session.interrupt(flight, .task)
            }
        }
    }

    private func finish() async throws(PersistenceError) {
        guard let session else { return }
        let flight = flight
        let raw = await withTaskCancellationHandler {
            await session.endCopy(isComplete: true)
        } onCancel: {
            session.interrupt(flight, .task)
        }
        phase = .ended
        let rows = try concludeCopy(ServerReply(raw))
        lease = nil
        span?.end(rows: rows)
    }

    private func concludeCopy(_ reply: consuming ServerReply) throws(PersistenceError) -> Int {
        guard let session else { return 0 }
        do throws(PersistenceError) {
            try reply.check(expecting: 1, session: session, sql: command)
        } catch {
            throw scope?.note(error) ?? error
        }
        return reply.take(0).affectedRows
    }
}

/// What is copied out.
struct CopySource {
    enum Content {
        case table(PostgresIdentifier, columns: [String])
        case statement(PostgresStatement)
    }

    let content: Content
    let format: PostgresCopyFormat
    /// Whether the types of the columns are asked for first, which binary data does not carry.
    let needsTypes: Bool

    var table: String? {
        guard case .table(let table, _) = content else { return nil }
        return table.parts.joined(separator: ".")
    }

    /// The COPY command.
    func command() throws(PersistenceError) -> String {
        "COPY \(try what()) TO STDOUT (\(try format.options()))"
    }

    /// A statement with the same columns and no rows.
    func probe() throws(PersistenceError) -> String? {
        guard needsTypes else { return nil }
        switch content {
        case .table(let table, let columns):
            var names: [String] = []
            for column in columns { names.append(try PostgresIdentifier(column).quoted) }
            return "SELECT \(names.isEmpty ? "*" : names.joined(separator: ", ")) FROM \(table.quoted) LIMIT 0"
        case .statement:
            return "SELECT * FROM \(try what()) AS copied LIMIT 0"
        }
    }

    private func what() throws(PersistenceError) -> String {
        switch content {
        case .table(let table, let columns):
            return try "\(table.quoted)\(PostgresIdentifier.columnList(columns))"
        case .statement(let statement):
            if let failure = statement.failure { throw failure }
            guard statement.parameters.count == 0 else {
                throw PersistenceError(
                    .invalidArgument,
                    "COPY takes no parameters (PostgreSQL has none for it): use stream(_:as:), or copy from a view")
            }
            let text = statement.sql.trimmingStatementEnd
            guard !text.isEmpty else { throw PersistenceError(.invalidStatement, "the statement is empty") }
            // A line of its own for the bracket, because the statement can end with a comment.
            return "(\(text)\n)"
        }
    }
}

extension String {
    /// The text without the white space and semicolons that it ends with.
    fileprivate var trimmingStatementEnd: String {
        var rest = self[...]
        while let last = rest.last, last == ";" || last.isWhitespace { rest.removeLast() }
        return String(rest)
    }
}
