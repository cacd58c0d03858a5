public import PersistenceCore

extension PostgresTransaction {
    /// Sends the transaction's last queries and COMMIT in one flight, which saves the wait for each.
    ///
    /// ```swift
    /// try await database.withTransaction { transaction in
    ///     let account = try await transaction.run(LockAccount(id: id))
    ///     try await transaction.commit(Debit(id: id, amount: 10), RecordTransfer(account: id))
    /// }
    /// ```
    ///
    /// The transaction has ended when this returns; its handle cannot be used any more. When a query fails, nothing is
    /// committed, and the enclosing `withTransaction` rolls back as soon as the error reaches it.
    ///
    /// - Parameter query: The queries, in the order in which the server runs them.
    /// - Returns: Their outputs, in the same order.
    /// - Throws: ``PersistenceError`` of the first query that failed, or of COMMIT, as `withTransaction` does.
    @discardableResult
    public func commit<each Query: PostgresQuery>(
        _ query: repeat each Query
    ) async throws(PersistenceError) -> (repeat (each Query).Output) {
        guard !scope.isFinished else { throw TransactionScope.finishedError }
        let flight = try PipelineFlight(repeat each query)
        if scope.hasBegun { try scope.checkIsOpen(on: session) }
        let preamble = try scope.takePreamble()
        let queries = context.usesUnnamedStatements ? flight.commands.map(\.unnamed) : flight.commands
        let commands = preamble + queries + [.keyword("COMMIT")]
        let reply = await session.fly(deadline: context.deadline, isCancellable: false) { state, flight in
            state.sendPipelined(commands, syncEach: false, flight: &flight) ? .sent : .failed
        }
        let failure: PersistenceError?
        do throws(PersistenceError) {
            try scope.checkCommit(reply, at: commands.count - 1, session: session)
            // Committed, whatever decoding the outputs brings: nothing is left to roll back.
            scope.finish()
            failure = nil
        } catch {
            failure = scope.note(error)
        }
        let isQuerys = reply.serverError.map { $0.index >= preamble.count && !$0.error.endsConnection } ?? false
        if let failure, !isQuerys { throw failure }
        var outputs = PipelineOutputs(PipelineReply(reply: reply, skipping: preamble.count))
        // A query's own error comes first and knows the query's name.
        let result = (repeat try outputs.next((each Query).self).get())
        if let failure { throw failure }
        return result
    }
}
