internal import CLibPQ
internal import DequeModule
internal import Logging
internal import PersistenceCore
internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// A session with a server: one libpq connection, the reactor's thread that it lives on, and the tasks that wait for it.
///
/// The caller's thread sends under the session's lock, the reactor's thread receives under it; neither holds it while it
/// waits. When the caller's thread is the reactor's, the lock is never contended.
final class PostgresSession: ReactorHandler {
    /// The database's own; here, so that a lease need not hold it beside the session.
    let context: EngineContext
    let reactor: ReactorThread
    /// Runs tasks on the connection's thread, once they have an answer from it.
    let executor: PostgresReactor
    let descriptor: Int32
    let backendProcess: Int32
    let serverVersion: Int
    let poolID: PoolConnectionID
    /// Whether what several tasks send can go out in one packet; only on shared connections.
    let canGather: Bool
    let cancelWorkers: BlockingWorkers
    /// How long the server may take to stop what it was asked to stop, in nanoseconds.
    let cancellationGrace: UInt64
    let state: SharedState<SessionState>
    private let notices: SessionNotices
    let token = Atomic<UInt64>(0)
    let alive = Atomic<Bool>(true)
    /// How many flights have no answer yet, as far as anybody knows; kept for shared connections.
    private let pending = Atomic<Int>(0)
    /// Known to be as it was lent, with nothing under way; when it is false, only the state can tell.
    private let pristine = Atomic<Bool>(true)
    private let nextFlight = Atomic<UInt64>(1)
    let eventHandler = Mutex<(@Sendable (SessionEvent) -> Void)?>(nil)

    /// Takes over an established connection, on the reactor's thread.
    init(
        stealing connection: consuming EstablishedConnection, context: EngineContext, reactor: ReactorThread,
        executor: PostgresReactor, cancelWorkers: BlockingWorkers, options: SessionOptions
    ) {
        let pointer = connection.take()
        self.context = context
        self.reactor = reactor
        self.executor = executor
        self.descriptor = PQsocket(pointer)
        self.backendProcess = PQbackendPID(pointer)
        self.serverVersion = Int(PQserverVersion(pointer))
        self.poolID = options.poolID
        self.canGather = options.isShared && SocketCork.isPossible(on: PQsocket(pointer))
        self.cancelWorkers = cancelWorkers
        self.cancellationGrace = options.cancellationGrace
        self.notices = SessionNotices(logger: options.logger)
        PQsetnonblocking(pointer, 1)
        notices.attach(to: pointer)
        if options.isShared { PQenterPipelineMode(pointer) }
        self.state = SharedState(
            SessionState(
                connection: pointer, cacheCapacity: options.statementCacheSize,
                number: UInt64.random(in: 1...UInt64.max), isShared: options.isShared, notices: notices))
    }

    /// Begins to watch the socket, on the reactor's thread.
    func start() throws(PersistenceError) {
        guard let token = reactor.register(descriptor, interest: .read, handler: self) else {
            close(reason: PersistenceError(.resourceExhausted, "the socket could not be watched"))
            throw PersistenceError(.resourceExhausted, "the socket could not be watched", operation: "connect")
        }
        self.token.store(token, ordering: .relaxed)
    }

    /// Whether the connection is open as far as anybody knows.
    var isAlive: Bool { alive.load(ordering: .relaxed) }

    /// Whether the connection is surely as it was lent: nothing is under way on it, and nothing is left to undo.
    var isPristine: Bool { pristine.load(ordering: .relaxed) }

    /// How many flights wait for their answer on a shared connection, roughly.
    var pendingCount: Int { pending.load(ordering: .relaxed) }

    /// Names a flight before it is sent, so that it can be interrupted at any time.
    func makeFlightID() -> UInt64 {
        nextFlight.wrappingAdd(1, ordering: .relaxed).oldValue
    }

    /// Whether statements run in a transaction, and whether that has failed.
    var transactionStatus: PGTransactionStatusType {
        state.withLock { state in
            guard let connection = state.connection else { return PQTRANS_UNKNOWN }
            return PQtransactionStatus(connection)
        }
    }

    /// Whether the next user would find something that this one has left behind.
    var isTouched: Bool { state.withLock { $0.isTouched } }

    /// Whether the user has prepared statements of their own.
    var hasForeignStatements: Bool { state.withLock { $0.hasForeignStatements } }

    /// Notes that the session is as new, because it has been reset.
    func clearTouched() {
        state.withLock { state in
            state.isTouched = false
            state.hasForeignStatements = false
        }
    }

    /// Forgets statements that the server has forgotten.
    func forgetStatements() {
        state.withLock { $0.cache.removeAll() }
    }

    /// Forgets every statement when the server does not know one: a pooler has moved the client to another connection,
    /// where BEGIN and COMMIT are no better known.
    func forgetStatements(after error: PostgresServerError) {
        if error.isUnknownStatement { forgetStatements() }
    }

    /// Lets go of one statement: its plan no longer fits, or the server does not know it.
    func forgetStatement(_ key: StatementKey, deallocate: Bool) {
        state.withLock { $0.cache.remove(key, deallocate: deallocate) }
    }

    /// How many statements are prepared.
    var preparedCount: Int { state.withLock { $0.cache.count } }

    /// A run-time parameter that the server reports, such as `server_version`.
    func parameter(_ name: String) -> String? {
        state.withLock { state in
            guard let connection = state.connection, let value = PQparameterStatus(connection, name) else { return nil }
            return String(cString: value)
        }
    }

    /// Whether the connection is encrypted.
    var usesTLS: Bool {
        state.withLock { state in
            guard let connection = state.connection else { return false }
            return PQsslInUse(connection) == 1
        }
    }

    /// Runs `body` under the lock.
    func withState<R: Sendable>(_ body: (inout SessionState) -> R) -> R {
        state.withLock { state in body(&state) }
    }

    /// Tells `handler` about notifications and about the end of the connection, on the reactor's thread.
    func onEvent(_ handler: @escaping @Sendable (SessionEvent) -> Void) {
        eventHandler.withLock { $0 = handler }
    }
}

/// What happens on a connection without being asked for.
enum SessionEvent: Sendable {
    case notification(channel: String, payload: String, process: Int32)
    case closed(PersistenceError)
}

/// What a session needs to know of its configuration.
struct SessionOptions: Sendable {
    var statementCacheSize: Int
    /// In nanoseconds.
    var cancellationGrace: UInt64
    var isShared: Bool
    var poolID: PoolConnectionID
    var logger: Logger?
}

// MARK: - Flights

extension PostgresSession {
    /// What a flight consists of; called under the lock with the scratch parameters empty.
    enum Sending {
        case sent
        case refused(PersistenceError)
        case failed
    }

    /// Sends a flight and waits for its reply.
    ///
    /// - Parameters:
    ///   - deadline: When to ask the server to stop, on the monotonic clock in nanoseconds; 0 is never.
    ///   - isCancellable: Whether cancelling the task asks the server to stop.
    ///   - send: Sends the commands. It runs under the lock, exactly once, unless the task is cancelled before.
    func fly(
        deadline: UInt64, isCancellable: Bool = true,
        _ send: (inout SessionState, inout FlightRecord) -> Sending
    ) async -> ServerReply {
        let id = makeFlightID()
        guard isCancellable else {
            let raw = await withUnsafeContinuation { takeOff(id, deadline, checksCancellation: false, $0, send) }
            return ServerReply(raw)
        }
        let raw = await withTaskCancellationHandler {
            await withUnsafeContinuation { takeOff(id, deadline, checksCancellation: true, $0, send) }
        } onCancel: {
            interrupt(id, .task)
        }
        return ServerReply(raw)
    }

    private func takeOff(
        _ id: UInt64, _ deadline: UInt64, checksCancellation: Bool,
        _ continuation: UnsafeContinuation<RawReply, Never>,
        _ send: (inout SessionState, inout FlightRecord) -> Sending
    ) {
        var needsTimer = false
        var lost: PersistenceError?
        let refusal: PersistenceError? = state.withLock { state in
            // Checked under the lock: a cancellation that comes later finds the flight.
            if checksCancellation, Task.isCancelled {
                return PersistenceError(.cancelled, retrySafety: .safe)
            }
            guard state.connection != nil else {
                return (state.closeReason ?? PersistenceError(.connection, "the connection is closed"))
                    .with { $0.retrySafety = .safe }
            }
            guard state.isShared || (state.flights.isEmpty && state.copyPhase == .none) else {
                return PersistenceError(
                    .invalidArgument, "the connection is busy: one statement at a time, and none during COPY")
            }
            var flight = FlightRecord(id: id, continuation: continuation)
            flight.deadline = deadline
            pristine.store(false, ordering: .relaxed)
            switch send(&state, &flight) {
            case .refused(let error):
                return error
            case .failed:
                let message = state.libraryMessage
                lost = PersistenceError(.connection, "the connection was lost while sending", retrySafety: .unknown)
                    .with { $0.serverMessage = message }
                return lost
            case .sent:
                break
            }
            state.flights.append(flight)
            if let left = state.flush() {
                if left { watchForWriting(&state) }
            }
            if state.isShared {
                pending.store(state.flights.count, ordering: .relaxed)
                pushSoon(&state)
            }
            // A failed flush is found by reading: the server may have said why before it closed.
            if deadline != 0, state.timer == 0 || deadline < state.timer {
                state.timer = deadline
                needsTimer = true
            }
            return nil
        }
        if needsTimer { setTimer(deadline) }
        if let lost { close(reason: lost) }
        if let refusal {
            continuation.resume(returning: RawReply(failure: refusal))
        }
    }

    func setTimer(_ deadline: UInt64) {
        reactor.perform { [self] in
            reactor.schedule(at: deadline, token: token.load(ordering: .relaxed))
        }
    }

    func watchForWriting(_ state: inout SessionState) {
        guard !state.wantsWrite else { return }
        state.wantsWrite = true
        updateInterest(state)
    }

    func updateInterest(_ state: borrowing SessionState) {
        var interest: Readiness = state.isReading ? .read : []
        if state.wantsWrite { interest.insert(.write) }
        reactor.setInterest(interest, descriptor: descriptor, token: token.load(ordering: .relaxed))
    }
}

// MARK: - The reactor's side

extension PostgresSession {
    func socketReady(_ readiness: Readiness) {
        var completions = Completions()
        var copyWaiter: UnsafeContinuation<Void, Never>?
        var isLost = false
        var events: [SessionEvent] = []
        state.withLock { state in
            guard state.connection != nil else { return }
            if state.copyPhase == .receiving {
                // The reader takes the data itself; more is not asked for until it has.
                pauseReading(&state)
                copyWaiter = state.copyWaiter.take()
            } else {
                isLost = !state.receive(&completions)
            }
            if !isLost, state.wantsWrite {
                switch state.flush() {
                case true?: break
                case false?:
                    state.wantsWrite = false
                    updateInterest(state)
                    pushSoon(&state)
                    if state.copyPhase == .sending { copyWaiter = state.copyWaiter.take() }
                case nil: isLost = true
                }
            }
            state.takeNotifications(&events)
            // Before the caller goes on, who gives the connection back.
            if !completions.isEmpty { pristine.store(state.isPristine, ordering: .relaxed) }
            if state.isShared { pending.store(state.flights.count, ordering: .relaxed) }
        }
        if isLost {
            closeLost(&completions)
        }
        if !events.isEmpty, let handler = eventHandler.withLock({ $0 }) {
            for event in events { handler(event) }
        }
        copyWaiter?.resume()
        completions.resume()
    }

    private func closeLost(_ completions: inout Completions) {
        let error = state.withLock { state in
            // Results that came before the loss are answers: the server may have said why it ends the session.
            if let connection = state.connection { _ = state.advance(connection, &completions) }
            return state.violation ?? state.lossError()
        }
        close(reason: error)
    }

    func timerFired() {
        let now = monotonicNanoseconds()
        var overdue: [UInt64] = []
        var isAbandoned = false
        var next: UInt64 = 0
        state.withLock { state in
            state.timer = 0
            for index in state.flights.indices {
                let flight = state.flights[index]
                if flight.abandonAt != 0 {
                    if flight.abandonAt <= now { isAbandoned = true } else { next = earlier(next, flight.abandonAt) }
                } else if flight.deadline != 0, flight.continuation != nil || state.copyPhase != .none {
                    if flight.deadline <= now {
                        overdue.append(flight.id)
                    } else {
                        next = earlier(next, flight.deadline)
                    }
                }
            }
            if state.parkedUntil != 0 {
                // The answer has come, and the cancel request still hangs: the caller gets the one, and nobody the
                // connection, whose next statement the other could hit.
                if state.parkedUntil <= now { isAbandoned = true } else { next = earlier(next, state.parkedUntil) }
            }
            if next != 0 { state.timer = next }
        }
        if next != 0 { reactor.schedule(at: next, token: token.load(ordering: .relaxed)) }
        if isAbandoned {
            close(
                reason: PersistenceError(
                    .connection, "the server did not answer a cancel request in time", retrySafety: .unknown))
        }
        for id in overdue { interrupt(id, .deadline) }
    }

    private func earlier(_ left: UInt64, _ right: UInt64) -> UInt64 {
        left == 0 ? right : min(left, right)
    }
}
