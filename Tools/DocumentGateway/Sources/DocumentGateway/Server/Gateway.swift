internal import BSON
internal import Logging
internal import PersistenceCore
internal import PostgresEngine
internal import Synchronization

/// Answers commands: everything but the sockets.
final class Gateway: Sendable {
    let configuration: GatewayConfiguration
    let logger: Logger
    /// Where commands run.
    let database: PostgresDatabase
    /// The connections of open transactions, apart, so that these cannot keep other commands from theirs.
    let transactionDatabase: PostgresDatabase
    /// The one thread that serves clients and the engine's connections; commands run there, too.
    let reactor: PostgresReactor
    let cursors = CursorRegistry()
    let writes = RetryableWrites()
    let transactions = TransactionRegistry()
    let failPoints = FailPoints()
    let indexes = IndexCatalog()
    let address: Mutex<String>
    let started = ContinuousClock.now
    /// How many clients are connected.
    let tracker = ConnectionTracker()

    init(configuration: GatewayConfiguration, logger: Logger) throws(PersistenceError) {
        self.configuration = configuration
        self.logger = logger
        reactor = try PostgresReactor(threadCount: 1)
        var engine = configuration.engine
        engine.applicationName = engine.applicationName ?? "document-gateway"
        engine.sessionParameters["documentdb.useFileBasedPersistedCursors"] = "on"
        engine.pool.maximum = configuration.engineConnections
        engine.pool.minimum = min(2, configuration.engineConnections)
        database = try PostgresDatabase(configuration: engine, reactor: reactor)
        engine.pool.minimum = 0
        engine.applicationName = "document-gateway transactions"
        transactionDatabase = try PostgresDatabase(configuration: engine, reactor: reactor)
        address = Mutex(configuration.advertisedAddress ?? "\(configuration.host):\(configuration.port)")
    }

    /// Answers a request; `nil` when the client waits for no answer.
    func respond(to request: WireRequest, session: ClientSession) async -> WireReply? {
        let reply: WireReply
        do throws(CommandError) {
            let command = try Command(request)
            reply = try await respond(to: command, session: session)
        } catch {
            reply = WireReply(error.document)
        }
        return request.expectsReply || reply.closesConnection ? reply : nil
    }

    private func respond(to command: Command, session: ClientSession) async throws(CommandError) -> WireReply {
        let effect =
            configuration.allowsFailPoints
            ? failPoints.effect(on: command.kind.rawValue, application: session.application) : nil
        if let delay = effect?.delay { try? await Task.sleep(for: delay) }
        if effect?.closesConnection == true {
            var reply = WireReply([])
            reply.closesConnection = true
            return reply
        }
        do throws(CommandError) {
            try authorize(command, session)
            if let code = effect?.errorCode {
                var error = CommandError(code, "Failing command via 'failCommand' failpoint")
                if let labels = effect?.labels, !labels.isEmpty {
                    error.labels = labels
                } else {
                    error = label(error, command)
                }
                throw error
            }
            var reply: WireReply
            if command.kind == .commitTransaction {
                reply = try await commit(command, session)
            } else if command.kind == .abortTransaction {
                reply = try await abort(command, session)
            } else if command.isInTransaction {
                reply = try await transactionStatement(command, session)
            } else if command.kind.isRetryableWrite, let number = command.transactionNumber, let id = command.sessionID
            {
                reply = try await retryableWrite(
                    command, session, key: SessionKey(id: id, user: session.user?.name), number: number)
            } else {
                reply = try await run(command, session)
            }
            if let concern = effect?.writeConcernError {
                var document = Document(unchecked: reply.bytes)
                document["writeConcernError"] = .document(concern)
                if let labels = effect?.labels, !labels.isEmpty {
                    document["errorLabels"] = .array(BSONArray(labels.map { BSONValue.string($0) }))
                }
                reply.bytes = document.byteArray
            }
            return reply
        } catch {
            throw effect?.errorCode == nil ? label(error, command) : error
        }
    }

    /// Runs a command outside of transactions, again when it met another one's changes.
    func run(
        _ command: Command, _ session: ClientSession, record: (key: SessionKey, number: Int64)? = nil
    ) async throws(CommandError) -> WireReply {
        var attempt = 0
        while true {
            do {
                let outcome = try await limited(command) {
                    try await execute(command, session, on: database, record: record)
                }
                return outcome.reply
            } catch {
                let failure = CommandError(error, inTransaction: false)
                guard failure.code == 112, attempt < 10 else { throw failure }
                attempt += 1
                try? await Task.sleep(for: .milliseconds(Int.random(in: 1...(1 << min(attempt, 6)))))
            }
        }
    }

    /// Applies a command's `maxTimeMS`: when it passes, the statement is cancelled on the engine.
    func limited<Result>(_ command: Command, _ body: () async throws -> Result) async throws -> Result {
        guard let limit = command.timeLimit else { return try await body() }
        let deadline = Deadline.after(limit)
        do {
            return try await withDeadline(deadline, body)
        } catch let error as PersistenceError where error.code == .timeout && deadline.isPassed {
            // Whatever was waited for, be it a connection to the engine: the client knows that limit as its own.
            throw CommandError.timeLimitPassed
        }
    }

    /// Adds the label that lets drivers repeat a write.
    private func label(_ error: CommandError, _ command: Command) -> CommandError {
        let isRetryable =
            switch command.kind {
            case .commitTransaction, .abortTransaction: true
            case let kind: kind.isRetryableWrite && command.transactionNumber != nil && !command.isInTransaction
            }
        guard isRetryable, Self.retryableCodes.contains(error.code) else { return error }
        return error.adding(label: CommandError.retryableWrite)
    }

    /// The codes of the specification of retryable writes.
    private static let retryableCodes: Set<Int32> = [
        6, 7, 89, 91, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436,
    ]
}
