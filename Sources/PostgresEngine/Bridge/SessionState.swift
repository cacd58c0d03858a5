internal import CLibPQ
internal import DequeModule
internal import PersistenceCore

/// Commands that are sent together, and the task that waits for their results.
struct FlightRecord {
    /// What a result on the wire belongs to.
    enum Step {
        /// Statements that the cache let go of.
        case deallocate(Int)
        /// A statement that the server parses on the way to its first execution.
        case prepare(PreparedStatement)
        /// A command of the caller.
        case command
        /// A command whose statement could not be prepared: the error stands for its result.
        case skipped
    }

    let id: UInt64
    /// `nil` once the waiter has been answered early; results that still come are freed.
    var continuation: UnsafeContinuation<RawReply, Never>?
    var reply = RawReply()
    // Optional, like the other parts that a single command has no use for: a record is copied, and copying nil is free.
    /// The steps whose results are still to come, when there are others than commands among them.
    private var steps: Deque<Step>?
    /// How many results of commands are still to come after ``steps``.
    private var commands = 0
    /// How many synchronisation points are still to come.
    var syncs = 0
    /// Every command has a synchronisation point of its own, at which the server commits it.
    var commitsEach = false
    /// The command before the next synchronisation point has had its result.
    var isAnswered = false
    /// When to interrupt, on the monotonic clock; 0 is never.
    var deadline: UInt64 = 0
    /// When to give up waiting for the server's answer to an interruption.
    var abandonAt: UInt64 = 0
    /// Asks for a sign of life only, so that there is nothing to stop on the server.
    var isProbe = false

    init(id: UInt64, continuation: UnsafeContinuation<RawReply, Never>?) {
        self.id = id
        self.continuation = continuation
    }

    /// Whether the flight goes through a pipeline: a single command outside of one has no steps.
    var isPipelined: Bool { syncs > 0 || awaitsResults }

    var awaitsResults: Bool { commands > 0 || steps?.isEmpty == false }

    /// Expects the result of a command.
    mutating func expectCommand() {
        if steps?.isEmpty == false { steps?.append(.command) } else { commands += 1 }
    }

    /// Expects the result of something that the caller did not ask for.
    mutating func expect(_ step: Step) {
        // In the order of sending: from here on every command is a step, too.
        var steps = steps.take() ?? []
        while commands > 0 {
            steps.append(.command)
            commands -= 1
        }
        steps.append(step)
        self.steps = steps
    }

    /// What the next result belongs to.
    mutating func nextStep() -> Step {
        if let step = steps?.popFirst() { return step }
        commands -= 1
        return .command
    }

    /// Makes the command after a failed preparation end with that failure.
    mutating func skipNext() {
        if steps?.isEmpty == false { steps?[0] = .skipped }
    }
}

/// A waiter and its answer, to be brought together after the lock is released.
struct Completion {
    let continuation: UnsafeContinuation<RawReply, Never>
    let reply: RawReply

    func resume() {
        continuation.resume(returning: reply)
    }
}

/// Completions gathered under the lock; the first needs no allocation.
struct Completions {
    private var first: Completion?
    private var rest: [Completion]?

    var isEmpty: Bool { first == nil }

    mutating func append(_ completion: Completion) {
        if first == nil {
            first = completion
        } else if rest == nil {
            rest = [completion]
        } else {
            rest?.append(completion)
        }
    }

    consuming func resume() {
        first?.resume()
        guard let rest else { return }
        for completion in rest { completion.resume() }
    }
}

/// Everything about a connection that its lock guards.
///
/// @unchecked: the libpq connection and the argument buffers move between threads only inside the session's mutex.
struct SessionState: ~Copyable, @unchecked Sendable {
    enum CopyPhase {
        case none
        case sending
        case receiving
    }

    /// `nil` once the connection is closed.
    var connection: OpaquePointer?
    /// Why it was closed.
    var closeReason: PersistenceError?
    var flights: Deque<FlightRecord> = []
    var cache: StatementCache
    var arguments = ArgumentArrays()
    var scratch = PostgresParameters()
    var copyPhase = CopyPhase.none
    /// Waits for room in the socket's buffer, or for COPY data.
    var copyWaiter: UnsafeContinuation<Void, Never>?
    /// Bytes wait in libpq's buffer for the socket to take them.
    var wantsWrite = false
    var isReading = true
    /// The socket holds back what it is given until it is told to send.
    var isGathering = false
    /// How many queries it holds back.
    var gathered = 0
    /// The reactor's thread will tell it.
    var isPushPending = false
    /// Cancel requests whose connection is still open: until they are closed, they could hit a later statement.
    var cancelsInFlight = 0
    /// Answers held back until no cancel request is on its way.
    var parked: [Completion] = []
    /// Until when they are held back, on the monotonic clock; 0 when there are none.
    var parkedUntil: UInt64 = 0
    /// The time that the reactor's timer is set to; 0 is not set.
    var timer: UInt64 = 0
    /// The session has settings, locks or listeners that the next user must not inherit.
    var isTouched = false
    /// The user has prepared statements under names of their own, which the next user must not find.
    var hasForeignStatements = false
    /// Why what comes next on the wire can no longer be told: the server has left the protocol, or memory ran out.
    var violation: PersistenceError?
    /// The connection stays in pipeline mode and serves many tasks at once.
    let isShared: Bool
    /// What the server says beside its answers.
    let notices: SessionNotices

    init(
        connection: OpaquePointer, cacheCapacity: Int, number: UInt64, isShared: Bool, notices: SessionNotices
    ) {
        self.connection = connection
        self.notices = notices
        self.cache = StatementCache(capacity: cacheCapacity, session: number)
        self.isShared = isShared
    }

    /// A statement runs, or data of a COPY is on its way.
    var isBusy: Bool { !flights.isEmpty || copyPhase != .none }

    /// Whether the next user finds the connection as this one has found it.
    var isPristine: Bool {
        guard let connection, !isBusy else { return false }
        return PQtransactionStatus(connection) == PQTRANS_IDLE && !isTouched
    }

    /// The text of libpq's last error, without the newline it ends with.
    var libraryMessage: String {
        guard let connection, let text = PQerrorMessage(connection) else { return "" }
        return Self.trimmed(String(cString: text))
    }

    /// What everybody gets who waits for an answer that can no longer come.
    ///
    /// - Parameter message: libpq's own words, where there are any.
    func lossError(_ message: String? = nil) -> PersistenceError {
        PersistenceError(.connection, "the server closed the connection", retrySafety: .unknown)
            .with { $0.serverMessage = message.map(Self.trimmed) ?? libraryMessage }
    }

    private mutating func noteViolation(_ message: String?) {
        violation =
            violation
            ?? PersistenceError(.connection, "the server's answer could not be read", retrySafety: .unknown)
            .with { $0.serverMessage = message.map(Self.trimmed) }
    }

    /// What a caller hears whose commit is on this server alone, although the server was to wait for its replicas.
    private static var unreplicatedCommit: PersistenceError {
        PersistenceError(
            .commitUnknown,
            "the wait for synchronous replication was cancelled: the change is committed here, and is lost if a replica "
                + "takes over that has not received it")
    }

    private static func trimmed(_ text: String) -> String {
        var message = text
        while message.last?.isNewline == true { message.removeLast() }
        return message
    }
}

// MARK: - Reading

extension SessionState {
    /// Takes in what the socket has and completes the flights that it answers.
    ///
    /// - Returns: `false` when the connection is lost.
    mutating func receive(_ completions: inout Completions) -> Bool {
        guard let connection else { return true }
        guard PQconsumeInput(connection) == 1 else { return false }
        return advance(connection, &completions)
    }

    /// Completes the flights whose results have arrived already.
    mutating func advance(_ connection: OpaquePointer, _ completions: inout Completions) -> Bool {
        var emptyAnswers = 0
        while !flights.isEmpty, copyPhase == .none, violation == nil {
            if PQisBusy(connection) == 1 { break }
            guard let result = PQgetResult(connection) else {
                if !flights[0].isPipelined {
                    finishFirst(connection, &completions)
                    continue
                }
                // One follows the results of each command. More in a row mean that the server has left the protocol.
                emptyAnswers += 1
                if emptyAnswers > 4 { return false }
                continue
            }
            emptyAnswers = 0
            take(result, connection, &completions)
        }
        return PQstatus(connection) != CONNECTION_BAD && violation == nil
    }

    private static func hasNoState(_ result: OpaquePointer) -> Bool {
        PQresultErrorField(result, Int32(UInt8(ascii: "C"))) == nil
    }

    private mutating func take(
        _ result: OpaquePointer, _ connection: OpaquePointer, _ completions: inout Completions
    ) {
        let status = PQresultStatus(result)
        switch status {
        case PGRES_PIPELINE_SYNC:
            PQclear(result)
            flights[0].syncs -= 1
            flights[0].isAnswered = false
            guard flights[0].syncs <= 0 else { return }
            if flights[0].awaitsResults {
                noteViolation("the server sent fewer results than commands")
            } else {
                finishFirst(connection, &completions)
            }
            return
        case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
            copyPhase = status == PGRES_COPY_IN ? .sending : .receiving
            flights[0].reply.append(result)
            finishFirst(connection, &completions)
            return
        case PGRES_BAD_RESPONSE,
            PGRES_FATAL_ERROR where Self.hasNoState(result):
            // Not the server's: libpq has made it because the connection broke or its memory ran out. It keeps its place
            // among the results, and can never pass for an answer.
            let message = PQresultErrorMessage(result).map { String(cString: $0) }
            if PQstatus(connection) != CONNECTION_BAD { noteViolation(message) }
            flights[0].reply.failure = violation ?? lossError(message)
        default:
            break
        }
        guard flights[0].isPipelined else {
            noteTag(result)
            flights[0].reply.append(result)
            return
        }
        takePipelined(result, status)
    }

    private mutating func takePipelined(_ result: OpaquePointer, _ status: ExecStatusType) {
        let isError = status == PGRES_FATAL_ERROR || status == PGRES_PIPELINE_ABORTED
        if isError, flights[0].commitsEach, flights[0].isAnswered {
            // The command had succeeded, and its commit has not: a deferred constraint, or a conflict.
            flights[0].reply.replaceLast(result)
            return
        }
        switch flights[0].nextStep() {
        case .deallocate(let count):
            if !isError { cache.didDeallocate(count) }
            PQclear(result)
        case .prepare(let statement):
            if isError {
                flights[0].reply.append(result)
                flights[0].skipNext()
            } else {
                cache.insert(statement)
                PQclear(result)
            }
        case .command:
            noteTag(result)
            flights[0].reply.append(result)
            flights[0].isAnswered = true
        case .skipped:
            PQclear(result)
        }
    }

    private mutating func finishFirst(_ connection: OpaquePointer, _ completions: inout Completions) {
        var flight = flights.removeFirst()
        if !isShared, flights.isEmpty, PQpipelineStatus(connection) != PQ_PIPELINE_OFF {
            _ = PQexitPipelineMode(connection)
        }
        guard let continuation = flight.continuation else {
            flight.reply.discard()
            return
        }
        if notices.takeUnreplicatedCommit() { flight.reply.failure = Self.unreplicatedCommit }
        let completion = Completion(continuation: continuation, reply: flight.reply)
        if cancelsInFlight > 0 {
            // It is the interrupted flight that waits for its own cancel request, and the timer is set to its grace.
            parked.append(completion)
            parkedUntil = max(flight.abandonAt, 1)
        } else {
            completions.append(completion)
        }
    }

    /// Looks at a command's tag for what the next user of the connection must not inherit.
    private mutating func noteTag(_ result: OpaquePointer) {
        guard PQresultStatus(result) == PGRES_COMMAND_OK, let tag = PQcmdStatus(result) else { return }
        // SET and its kin leave settings, LISTEN leaves a listener, PREPARE and DECLARE leave names, LOAD leaves code.
        switch (UInt8(bitPattern: tag[0]), UInt8(bitPattern: tag[1])) {
        case (UInt8(ascii: "S"), UInt8(ascii: "E")), (UInt8(ascii: "L"), UInt8(ascii: "I")),
            (UInt8(ascii: "L"), UInt8(ascii: "O")), (UInt8(ascii: "P"), UInt8(ascii: "R")),
            (UInt8(ascii: "R"), UInt8(ascii: "E")), (UInt8(ascii: "D"), UInt8(ascii: "E")):
            let text = String(cString: tag)
            if ["SET", "LISTEN", "LOAD", "PREPARE", "RESET", "DECLARE CURSOR", "DEALLOCATE"].contains(text) {
                isTouched = true
            }
            if text == "PREPARE" { hasForeignStatements = true }
        default:
            break
        }
    }

    /// Takes out the notifications that have arrived.
    mutating func takeNotifications(_ events: inout [SessionEvent]) {
        guard let connection else { return }
        while let notification = PQnotifies(connection) {
            events.append(
                .notification(
                    channel: String(cString: notification.pointee.relname),
                    payload: notification.pointee.extra.map { String(cString: $0) } ?? "",
                    process: notification.pointee.be_pid))
            PQfreemem(notification)
        }
    }

    /// Answers every waiter with `error`.
    mutating func failAll(_ error: PersistenceError, _ completions: inout Completions) {
        while var flight = flights.popFirst() {
            guard let continuation = flight.continuation else {
                flight.reply.discard()
                continue
            }
            flight.reply.failure = error
            completions.append(Completion(continuation: continuation, reply: flight.reply))
        }
        for completion in parked { completions.append(completion) }
        parked = []
        parkedUntil = 0
    }
}
