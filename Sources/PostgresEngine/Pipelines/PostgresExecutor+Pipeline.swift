internal import CLibPQ
public import PersistenceCore

/// Several queries in one flight: sent together, answered together, one wait for the network.
extension PostgresExecutor {
    /// Sends different queries together and returns all outputs.
    ///
    /// ```swift
    /// let (user, count) = try await transaction.pipeline(GetUser(id: id), CountWorkspaces(owner: id))
    /// ```
    ///
    /// The first error skips the queries after it. Outside a transaction the server runs the flight as one: an error
    /// undoes the queries before it, too.
    ///
    /// - Parameter query: The queries, in the order in which the server runs them.
    /// - Returns: Their outputs, in the same order.
    /// - Throws: ``PersistenceError`` of the first query that failed; its operation is that query's name.
    public func pipeline<each Query: PostgresQuery>(
        _ query: repeat each Query
    ) async throws(PersistenceError) -> (repeat (each Query).Output) {
        let flight = try PipelineFlight(repeat each query)
        let lease = try await lease()
        let span = lease.begin(.batch, batchSize: flight.commands.count)
        do throws(PersistenceError) {
            var outputs = PipelineOutputs(try await lease.fly(flight, syncEach: false))
            lease.end()
            let result = (repeat try outputs.next((each Query).self).get())
            span?.end(rows: nil)
            return result
        } catch {
            span?.end(throwing: error)
            throw error
        }
    }

    /// Sends different queries together, each standing for itself, and returns what became of each.
    ///
    /// Outside a transaction every query is its own transaction. In a transaction the first error aborts it, so the
    /// queries after it fail as well.
    ///
    /// - Parameter query: The queries, in the order in which the server runs them.
    /// - Returns: The output or error of each, in the same order.
    /// - Throws: ``PersistenceError`` when no query was sent, or when the connection was lost.
    public func pipelineResults<each Query: PostgresQuery>(
        _ query: repeat each Query
    ) async throws(PersistenceError) -> (repeat Result<(each Query).Output, PersistenceError>) {
        let flight = try PipelineFlight(repeat each query)
        let lease = try await lease()
        let span = lease.begin(.batch, batchSize: flight.commands.count)
        do throws(PersistenceError) {
            var outputs = PipelineOutputs(try await lease.fly(flight, syncEach: true))
            lease.end()
            span?.end(rows: nil)
            return (repeat outputs.next((each Query).self))
        } catch {
            span?.end(throwing: error)
            throw error
        }
    }

    /// Runs one query with many sets of parameters in one flight, all or nothing.
    ///
    /// - Parameter queries: The queries, in the order in which the server runs them; none is allowed.
    /// - Returns: Their outputs, in the same order.
    /// - Throws: ``PersistenceError`` of the first that failed, its summary naming the place in the batch. Outside a
    ///   transaction nothing of the batch remains; `tooLarge` when the batch exceeds ``PostgresBatch/maximumBytes``.
    @discardableResult
    public func batch<Query: PostgresQuery>(
        _ queries: some Sequence<Query>
    ) async throws(PersistenceError) -> [Query.Output] {
        let flight = try PipelineFlight(batch: queries)
        guard !flight.commands.isEmpty else { return [] }
        let lease = try await lease()
        let span = lease.begin(
            .batch, name: "BATCH \(Query.command)", summary: Query.name, collection: Query.collection, text: Query.sql,
            batchSize: flight.commands.count)
        do throws(PersistenceError) {
            var outputs = PipelineOutputs(try await lease.fly(flight, syncEach: false))
            lease.end()
            var values: [Query.Output] = []
            values.reserveCapacity(flight.commands.count)
            for _ in flight.commands { values.append(try outputs.next(Query.self).get()) }
            span?.end(rows: nil)
            return values
        } catch {
            span?.end(throwing: error)
            throw error
        }
    }

    /// Runs one query with many sets of parameters in one flight, each standing for itself.
    ///
    /// Outside a transaction every item is its own transaction: those that succeed remain, whatever becomes of the others.
    ///
    /// - Parameter queries: The queries, in the order in which the server runs them; none is allowed.
    /// - Returns: The output or error of each, in the same order.
    /// - Throws: ``PersistenceError`` when nothing was sent, or when the connection was lost.
    public func batchResults<Query: PostgresQuery>(
        _ queries: some Sequence<Query>
    ) async throws(PersistenceError) -> [Result<Query.Output, PersistenceError>] {
        let flight = try PipelineFlight(batch: queries)
        guard !flight.commands.isEmpty else { return [] }
        let lease = try await lease()
        let span = lease.begin(
            .batch, name: "BATCH \(Query.command)", summary: Query.name, collection: Query.collection, text: Query.sql,
            batchSize: flight.commands.count)
        do throws(PersistenceError) {
            var outputs = PipelineOutputs(try await lease.fly(flight, syncEach: true))
            lease.end()
            span?.end(rows: nil)
            return flight.commands.map { _ in outputs.next(Query.self) }
        } catch {
            span?.end(throwing: error)
            throw error
        }
    }
}

/// The limits of a batch.
public enum PostgresBatch {
    /// How many bytes of parameters one flight may have: it is held in memory until the server has taken it.
    public static let maximumBytes = 256 << 20
}

/// Queries encoded for one flight.
struct PipelineFlight {
    private(set) var commands: [FlightCommand] = []
    private var bytes = 0

    init<each Query: PostgresQuery>(_ query: repeat each Query) throws(PersistenceError) {
        for query in repeat each query {
            try append(query)
        }
    }

    init<Query: PostgresQuery>(batch queries: some Sequence<Query>) throws(PersistenceError) {
        commands.reserveCapacity(queries.underestimatedCount)
        for query in queries {
            try append(query)
        }
    }

    private mutating func append<Query: PostgresQuery>(_ query: Query) throws(PersistenceError) {
        do throws(PersistenceError) {
            var parameters = PostgresParameters()
            try query.bind(to: &parameters)
            try parameters.checkLimits()
            bytes += parameters.writer.count
            guard bytes <= PostgresBatch.maximumBytes else {
                throw PersistenceError(.tooLarge, "a batch takes at most \(PostgresBatch.maximumBytes >> 20) MB")
            }
            commands.append(.statement(.query(ObjectIdentifier(Query.self)), sql: Query.sql, parameters))
        } catch {
            throw error.with { $0.operation = $0.operation ?? Query.name }
        }
    }
}

extension PostgresLease {
    /// Sends a flight and waits for all of its results.
    ///
    /// - Throws: ``PersistenceError`` when the flight was not sent, or when what comes first in it failed: BEGIN.
    func fly(_ flight: PipelineFlight, syncEach: Bool) async throws(PersistenceError) -> PipelineReply {
        let preamble = try transaction?.takePreamble() ?? []
        let commands = context.usesUnnamedStatements ? flight.commands.map(\.unnamed) : flight.commands
        let reply = await session.fly(deadline: context.deadline) { state, flight in
            state.sendPipelined(preamble + commands, syncEach: syncEach, flight: &flight) ? .sent : .failed
        }
        let said = reply.serverError
        // Results alone are not enough: the server commits a flight outside a transaction at its very end, after them.
        if let failure = reply.failure, said == nil {
            throw transaction?.note(failure) ?? failure
        }
        if let (index, error) = said {
            session.forgetStatements(after: error)
            let failure = error.persistenceError(interruption: reply.interruption)
            let noted = transaction?.note(failure) ?? failure
            // Before the caller's queries it is BEGIN's, after all of them it is that of the commit which ends a flight
            // outside a transaction: a deferred constraint, or a conflict.
            if index < preamble.count || index >= preamble.count + commands.count { throw noted }
        }
        // With the connection goes the whole transaction, so all of it may be done again.
        let isUndone = transaction != nil && said?.error.endsConnection == true
        return PipelineReply(reply: reply, skipping: preamble.count, isUndone: isUndone)
    }
}

extension FlightCommand {
    /// The same command without a name on the server.
    var unnamed: FlightCommand {
        if case .statement(_, let sql, let parameters) = self { .unnamed(sql, parameters) } else { self }
    }
}

/// The results of a flight without those of the commands before the caller's.
struct PipelineReply: ~Copyable {
    var reply: ServerReply
    let preambleCount: Int
    /// The connection was lost in a transaction, so that nothing of it remains.
    let isUndone: Bool

    init(reply: consuming ServerReply, skipping count: Int, isUndone: Bool = false) {
        self.reply = reply
        self.preambleCount = count
        self.isUndone = isUndone
    }
}

/// Decodes the results of a flight one after the other.
struct PipelineOutputs: ~Copyable {
    private let reply: ServerReply
    private var index: Int
    private let preambleCount: Int
    private let isUndone: Bool

    init(_ pipeline: consuming PipelineReply) {
        preambleCount = pipeline.preambleCount
        isUndone = pipeline.isUndone
        index = preambleCount
        reply = pipeline.reply
    }

    mutating func next<Query: PostgresQuery>(_ type: Query.Type) -> Result<Query.Output, PersistenceError> {
        defer { index += 1 }
        guard index < reply.count else {
            return .failure(
                (reply.failure ?? PersistenceError(.internal, "the server sent fewer results than commands"))
                    .with { error in
                        error.operation = Query.name
                        if isUndone { error.retrySafety = .safe }
                    })
        }
        let result = reply.result(index)
        switch PQresultStatus(result) {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK:
            do throws(PersistenceError) {
                return .success(
                    try PostgresResult.borrowing(result) { (result) throws(PersistenceError) in
                        try Query.output(of: result)
                    })
            } catch {
                return .failure(error.with { $0.operation = $0.operation ?? Query.name })
            }
        case PGRES_PIPELINE_ABORTED:
            return .failure(
                PersistenceError(
                    .transactionAborted, "not run, because an earlier query of the flight failed", operation: Query.name
                ))
        default:
            return .failure(failure(result, at: index - preambleCount).with { $0.operation = Query.name })
        }
    }

    private func failure(_ result: OpaquePointer, at place: Int) -> PersistenceError {
        let error =
            PostgresServerError(result: result)?.persistenceError(interruption: reply.interruption)
            ?? reply.failure ?? PersistenceError(.internal, "the server sent a result of an unexpected kind")
        return error.with { error in
            error.summary = "query \(place + 1) of the flight: \(error.summary)"
            if isUndone { error.retrySafety = .safe }
        }
    }
}

extension PostgresResult {
    /// Lends a result that somebody else owns.
    static func borrowing<R>(
        _ pointer: OpaquePointer, _ body: (borrowing PostgresResult) throws(PersistenceError) -> R
    ) throws(PersistenceError) -> R {
        let result = PostgresResult(stealing: pointer)
        do throws(PersistenceError) {
            let value = try body(result)
            result.relinquish()
            return value
        } catch {
            result.relinquish()
            throw error
        }
    }

    /// Gives up the result without freeing it.
    private consuming func relinquish() {
        discard self
    }
}
