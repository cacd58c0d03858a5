internal import CLibPQ
internal import PersistenceCore
internal import Synchronization

/// A connection that libpq has opened, owned until a session takes it over.
struct EstablishedConnection: ~Copyable {
    private var pointer: OpaquePointer?

    init(stealing pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        if let pointer { PQfinish(pointer) }
    }

    consuming func take() -> OpaquePointer {
        // The pointer is there: nothing but this function, which consumes the value, takes it out.
        let taken = pointer.unsafelyUnwrapped
        pointer = nil
        return taken
    }
}

/// One attempt to open a connection to one address, driven by the reactor.
///
/// libpq may close its socket and open another on the way (when TLS is refused and allowed to be), so the socket is
/// registered anew for every step.
///
/// The answers to the server's requests for a password are computed on a worker: the server says how often SCRAM has to
/// hash, up to two thousand million times, and neither the deadline nor the reactor's other connections wait for that.
final class ConnectAttempt: ReactorHandler {
    /// How an attempt ended.
    enum Outcome: Sendable {
        case connected(PostgresSession)
        case failed(PersistenceError)
    }

    // @unchecked: the libpq connection moves between threads only inside the attempt's mutex.
    private struct State: ~Copyable, @unchecked Sendable {
        var connection: OpaquePointer?
        var continuation: UnsafeContinuation<Outcome, Never>?
        var descriptor: Int32 = -1
        var token: UInt64?
        var isCancelled = false
        /// A worker has the connection; nobody else may touch it.
        var isWorking = false
        /// Ends the attempt while a worker has the connection, when no socket is watched.
        var timer: Task<Void, Never>?
    }

    /// A connection on its way to a worker and back.
    ///
    /// @unchecked: `isWorking` bars everybody else meanwhile.
    private struct Lent: @unchecked Sendable {
        let connection: OpaquePointer
    }

    private let reactor: ReactorThread
    private let workers: BlockingWorkers
    private let deadline: UInt64
    private let describe: @Sendable (ConnectFailure) -> PersistenceError
    private let makeSession: @Sendable (consuming EstablishedConnection) -> PostgresSession
    private let state: Mutex<State>

    /// Creates an attempt.
    ///
    /// - Parameters:
    ///   - connection: A connection that `PQconnectStartParams` has begun to open.
    ///   - reactor: Watches the socket.
    ///   - workers: Compute what the server asks for.
    ///   - deadline: When to give up, on the monotonic clock in nanoseconds.
    ///   - describe: Makes an error of a failure.
    ///   - makeSession: Takes over the connection on the reactor's thread.
    init(
        stealing connection: consuming EstablishedConnection, reactor: ReactorThread, workers: BlockingWorkers,
        deadline: UInt64,
        describe: @escaping @Sendable (ConnectFailure) -> PersistenceError,
        makeSession: @escaping @Sendable (consuming EstablishedConnection) -> PostgresSession
    ) {
        self.reactor = reactor
        self.workers = workers
        self.deadline = deadline
        self.describe = describe
        self.makeSession = makeSession
        let pointer = connection.take()
        self.state = Mutex(State(connection: pointer))
    }

    /// Runs the attempt to its end; cancelling the task ends it at once.
    func run() async -> Outcome {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                state.withLock { $0.continuation = continuation }
                reactor.perform { [self] in step(nil) }
            }
        } onCancel: {
            state.withLock { $0.isCancelled = true }
            reactor.perform { [self] in step(nil) }
        }
    }

    func socketReady(_ readiness: Readiness) {
        step(nil)
    }

    func timerFired() {
        step(.timeout)
    }

    /// Takes the handshake as far as it goes without waiting, on the reactor's thread.
    private func step(_ failure: ConnectFailure?) {
        var outcome: Outcome?
        var waiter: UnsafeContinuation<Outcome, Never>?
        state.withLock { state in
            guard let connection = state.connection, state.continuation != nil else { return }
            // While a worker has the connection, only the end of the attempt is news.
            guard !state.isWorking || failure != nil || state.isCancelled else { return }
            unwatch(&state)
            if let failure {
                outcome = .failed(describe(failure))
            } else if state.isCancelled {
                outcome = .failed(PersistenceError(.cancelled, operation: "connect", retrySafety: .safe))
            } else if PQstatus(connection) == CONNECTION_AWAITING_RESPONSE {
                authenticate(connection, &state)
            } else {
                // A failed connection no longer tells how far it had come.
                let status = PQstatus(connection)
                outcome = advance(PQconnectPoll(connection), from: status, connection, &state)
            }
            if outcome != nil { waiter = end(&state) }
        }
        if let outcome { waiter?.resume(returning: outcome) }
    }

    /// Takes the one who waits, and closes the connection unless a worker has it.
    private func end(_ state: inout State) -> UnsafeContinuation<Outcome, Never>? {
        state.timer?.cancel()
        if !state.isWorking, let connection = state.connection.take() { PQfinish(connection) }
        return state.continuation.take()
    }

    private func authenticate(_ connection: OpaquePointer, _ state: inout State) {
        state.isWorking = true
        let deadline = deadline
        state.timer =
            state.timer
            ?? Task { [weak self] in
                let now = monotonicNanoseconds()
                if deadline > now { try? await Task.sleep(for: .nanoseconds(deadline - now)) }
                guard !Task.isCancelled, let self else { return }
                reactor.perform { [self] in step(.timeout) }
            }
        let lent = Lent(connection: connection)
        workers.submit { [self] in
            // With many attempts the turn may come when nobody waits any more.
            let isWanted = self.state.withLock { $0.continuation != nil }
            let result = isWanted ? PQconnectPoll(lent.connection) : PGRES_POLLING_FAILED
            reactor.perform { [self] in finishWork(lent, result) }
        }
    }

    /// Takes the connection back, on the reactor's thread.
    private func finishWork(_ lent: Lent, _ result: PostgresPollingStatusType) {
        var outcome: Outcome?
        var waiter: UnsafeContinuation<Outcome, Never>?
        state.withLock { state in
            state.isWorking = false
            guard state.continuation != nil else {
                if let connection = state.connection.take() { PQfinish(connection) }
                return
            }
            outcome = advance(result, from: CONNECTION_AWAITING_RESPONSE, lent.connection, &state)
            if outcome != nil { waiter = end(&state) }
        }
        if let outcome { waiter?.resume(returning: outcome) }
    }

    private func advance(
        _ result: PostgresPollingStatusType, from status: ConnStatusType, _ connection: OpaquePointer,
        _ state: inout State
    ) -> Outcome? {
        switch result {
        case PGRES_POLLING_OK:
            state.connection = nil
            let session = makeSession(EstablishedConnection(stealing: connection))
            do throws(PersistenceError) {
                try session.start()
            } catch {
                return .failed(error)
            }
            return .connected(session)
        case PGRES_POLLING_READING:
            return watch(connection, .read, &state)
        case PGRES_POLLING_WRITING:
            return watch(connection, .write, &state)
        default:
            let message = PQerrorMessage(connection).map { String(cString: $0) } ?? ""
            let needsPassword = PQconnectionNeedsPassword(connection) != 0
            let phase = PostgresConnectFailure.Phase(status)
            return .failed(describe(.message(message, phase: phase, needsPassword: needsPassword)))
        }
    }

    private func watch(_ connection: OpaquePointer, _ interest: Readiness, _ state: inout State) -> Outcome? {
        state.descriptor = PQsocket(connection)
        guard let token = reactor.register(state.descriptor, interest: interest, handler: self) else {
            return .failed(
                PersistenceError(.resourceExhausted, "the socket could not be watched", operation: "connect"))
        }
        state.token = token
        // Timers die with their registration, so each step sets its own.
        reactor.schedule(at: deadline, token: token)
        return nil
    }

    private func unwatch(_ state: inout State) {
        guard let token = state.token.take() else { return }
        reactor.deregister(state.descriptor, token: token)
    }
}

/// Why an attempt to connect failed, before it is described.
enum ConnectFailure: Sendable {
    /// libpq's own words, how far the connection had come, and whether the server asked for a password in vain.
    case message(String, phase: PostgresConnectFailure.Phase, needsPassword: Bool)
    /// The time for this host ran out.
    case timeout
}
