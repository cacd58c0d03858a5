internal import BSON
internal import PersistenceCore
internal import PostgresEngine

// MARK: - Retryable writes

extension Gateway {
    /// Does a write once, however often the client sends it.
    func retryableWrite(
        _ command: Command, _ session: ClientSession, key: SessionKey, number: Int64
    ) async throws(CommandError) -> WireReply {
        switch await writes.begin(key, number) {
        case .tooOld:
            throw TransactionRegistry.tooOld(number)
        case .execute:
            break
        case .replay:
            if case .same(let reply) = try await record(key, number) { return try await replay(reply, command) }
            throw CommandError(217, "the reply of retryable write \(number) is not known any more")
        case .lookUp:
            do throws(CommandError) {
                switch try await record(key, number) {
                case .same(let reply):
                    writes.finish(key, number, outcome: .done)
                    return try await replay(reply, command)
                case .later:
                    writes.finish(key, number, outcome: .withoutEffect)
                    throw TransactionRegistry.tooOld(number)
                case .none: break
                }
            } catch {
                // Nothing was done now, and whether something was done before is as unknown as it was.
                if error.code != 225 { writes.finish(key, number, outcome: .unknown) }
                throw error
            }
        }
        do throws(CommandError) {
            let reply = try await run(command, session, record: (key, number))
            writes.finish(key, number, outcome: .done)
            return reply
        } catch {
            writes.finish(key, number, outcome: error.isOutcomeUnknown ? .unknown : .withoutEffect)
            throw error
        }
    }

    /// A recorded reply is the engine's own, whose errors are still in its terms.
    private func replay(_ reply: [UInt8], _ command: Command) async throws(CommandError) -> WireReply {
        do {
            return WireReply(try await translate(reply, command, documents: command.sequences.first?.bytes))
        } catch {
            throw CommandError(error, inTransaction: false)
        }
    }

    private enum Record {
        case none
        case same([UInt8])
        case later
    }

    private func record(_ key: SessionKey, _ number: Int64) async throws(CommandError) -> Record {
        do {
            guard let row = try await database.run(RecordedReplyQuery(session: key.bytes)) else { return .none }
            if row.number > number { return .later }
            return row.number == number ? .same(row.reply) : .none
        } catch {
            throw CommandError(error, inTransaction: false)
        }
    }
}

// MARK: - Transactions

extension Gateway {
    private static let rollback = CommandError(251, "the transaction is rolled back")

    /// Runs a statement of a transaction, which its first statement opens.
    func transactionStatement(_ command: Command, _ session: ClientSession) async throws(CommandError) -> WireReply {
        let (key, number) = try transactionKey(command, session)
        guard command.kind.isAllowedInTransaction else {
            throw CommandError(263, "Cannot run '\(command.name)' in a multi-document transaction.")
        }
        let transaction: OpenTransaction
        if command.startsTransaction {
            transaction = try open(key, number)
        } else {
            switch transactions.last(key) {
            case (let last, .open(let open))? where last == number: transaction = open
            case (let last, .committed)? where last == number:
                throw CommandError(256, "Transaction \(number) has been committed.")
            case (let last, _)? where last > number: throw TransactionRegistry.tooOld(number)
            default: throw .noSuchTransaction(number)
            }
        }
        guard let reply = try await transaction.perform({ .statement(command, session, $0) }) else {
            throw .noSuchTransaction(number)
        }
        return reply
    }

    func commit(_ command: Command, _ session: ClientSession) async throws(CommandError) -> WireReply {
        let (key, number) = try transactionKey(command, session)
        switch transactions.last(key) {
        case (let last, .open(let open))? where last == number:
            if let reply = try await open.perform({ .commit($0) }) { return reply }
            // A driver whose connection was cut asks again while its first commit is under way.
            return try await commit(command, session)
        case (let last, .committed)? where last == number:
            return WireReply(["ok": 1.0])
        case (let last, .aborted)? where last == number:
            throw .noSuchTransaction(number)
        case (let last, _)? where last > number:
            throw TransactionRegistry.tooOld(number)
        default:
            // Committed by a gateway before this one, or when the connection was lost: the record was part of it.
            if case .same = try await record(key, number) {
                transactions.record(key, number, as: .committed)
                return WireReply(["ok": 1.0])
            }
            transactions.record(key, number, as: .aborted)
            throw .noSuchTransaction(number)
        }
    }

    func abort(_ command: Command, _ session: ClientSession) async throws(CommandError) -> WireReply {
        let (key, number) = try transactionKey(command, session)
        switch transactions.last(key) {
        case (let last, .open(let open))? where last == number:
            if let reply = try await open.perform({ .abort($0) }) { return reply }
            return try await abort(command, session)
        case (let last, .committed)? where last == number:
            throw CommandError(256, "Transaction \(number) has been committed.")
        default:
            throw .noSuchTransaction(number)
        }
    }

    private func transactionKey(
        _ command: Command, _ session: ClientSession
    ) throws(CommandError) -> (SessionKey, Int64) {
        guard let id = command.sessionID, let number = command.transactionNumber, command.isInTransaction else {
            throw CommandError(72, "'\(command.name)' must be part of a transaction")
        }
        return (SessionKey(id: id, user: session.user?.name), number)
    }

    private func open(_ key: SessionKey, _ number: Int64) throws(CommandError) -> OpenTransaction {
        let (work, continuation) = AsyncStream.makeStream(of: OpenTransaction.Work.self)
        let transaction = OpenTransaction(key: key, number: number, work: continuation)
        // A session has one transaction; beginning the next one gives the one before up.
        try transactions.open(transaction)?.expire()
        Task(executorPreference: reactor) { [self] in await serve(transaction, work) }
        return transaction
    }

    /// Holds a transaction's connection and does its work, until it ends.
    private func serve(_ transaction: OpenTransaction, _ work: AsyncStream<OpenTransaction.Work>) async {
        var options = PostgresTransactionOptions.repeatableRead
        options.lockTimeout = configuration.transactionLockTimeout
        let milliseconds = Int(configuration.transactionLifetime / .milliseconds(1))
        options.settings["transaction_timeout"] = "\(milliseconds)ms"
        var iterator = work.makeAsyncIterator()
        // Who waits for the end, and hears of it once the connection has been let go of and with it all locks.
        var waiting: OpenTransaction.Answer?
        var failure: CommandError?
        // What that one is told, where it is not of a failure.
        var last: WireReply?
        do {
            try await transactionDatabase.withTransaction(options) { (executor) async throws in
                while true {
                    guard let next = await iterator.next(isolation: #isolation) else { throw Self.rollback }
                    switch next {
                    case .statement(let command, let session, let answer):
                        waiting = answer
                        let outcome = try await limited(command) { try await execute(command, session, on: executor) }
                        if outcome.hasErrors {
                            last = outcome.reply
                            throw Self.rollback
                        }
                        waiting = nil
                        answer.resume(returning: .success(outcome.reply))
                    case .commit(let answer):
                        waiting = answer
                        try await executor.commit(
                            RecordCommitQuery(session: transaction.key.bytes, number: transaction.number))
                        return
                    case .abort(let answer):
                        waiting = answer
                        last = WireReply(["ok": 1.0])
                        throw Self.rollback
                    case .expiry:
                        throw Self.rollback
                    }
                }
            }
            transactions.close(transaction, as: .committed)
        } catch {
            var described = CommandError(error, inTransaction: true)
            let isUnknown = (error as? PersistenceError)?.code == .commitUnknown
            // The whole transaction must not be done again then, only its commit.
            if isUnknown { described.labels = [] }
            failure = described
            transactions.close(transaction, as: isUnknown ? .unknown : .aborted)
        }
        transaction.close()
        if let failure, last == nil {
            waiting?.resume(returning: .failure(failure))
        } else {
            waiting?.resume(returning: .success(last ?? WireReply(["ok": 1.0])))
        }
        // Work that came when the end was decided already.
        while let late = await iterator.next(isolation: #isolation) {
            switch late {
            case .statement(_, _, let answer), .commit(let answer), .abort(let answer):
                answer.resume(returning: nil)
            case .expiry: break
            }
        }
    }
}
