internal import CLibPQ
internal import PersistenceCore
internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Opens connections: looks names up, tries each host and address in turn, and says what went wrong with each.
final class PostgresConnector: Sendable {
    let configuration: PostgresConfiguration
    private let context: EngineContext
    private let reactorUse: ReactorUse
    // Apart, so that a name server that does not answer cannot hold up cancel requests.
    private let resolveWorkers = BlockingWorkers(name: "pg-connect", limit: 4)
    private let cancelWorkers = BlockingWorkers(name: "pg-cancel", limit: 4)
    // As many as a server may keep computing at once.
    private let authenticationWorkers = BlockingWorkers(name: "pg-authenticate", limit: 2)

    /// What a connection is opened for.
    private struct Request {
        var deadline: Deadline?
        var isShared: Bool
        var poolID: PoolConnectionID
    }

    init(configuration: PostgresConfiguration, context: EngineContext, reactorUse: ReactorUse) {
        self.configuration = configuration
        self.context = context
        self.reactorUse = reactorUse
    }

    /// Opens a connection to the first host that accepts one.
    ///
    /// - Parameters:
    ///   - deadline: When to give up altogether.
    ///   - isShared: Whether the connection serves many tasks at once, in pipeline mode.
    ///   - poolID: The connection's place in its pool.
    /// - Returns: The session.
    /// - Throws: ``PersistenceError`` of the host that tells most; with several hosts, its summary names each.
    func connect(
        deadline: Deadline?, isShared: Bool = false, poolID: PoolConnectionID = .none
    ) async throws(PersistenceError) -> PostgresSession {
        let request = Request(deadline: deadline, isShared: isShared, poolID: poolID)
        let span = context.instrumentation.begin(DatabaseOperation(.connect, on: context.target))
        do throws(PersistenceError) {
            let session = try await connectToAny(request)
            span?.end(rows: nil)
            return session
        } catch {
            let named = error.with { $0.operation = $0.operation ?? "connect" }
            span?.end(throwing: named)
            throw named
        }
    }

    private func connectToAny(_ request: Request) async throws(PersistenceError) -> PostgresSession {
        let hosts = configuration.hostOrder == .shuffled ? configuration.hosts.shuffled() : configuration.hosts
        let wanted: [PostgresConfiguration.TargetSession] =
            configuration.targetSession == .preferStandby ? [.standby, .any] : [configuration.targetSession]
        var failures: [(host: PostgresHost, error: PersistenceError)] = []
        for target in wanted {
            failures = []
            for host in hosts {
                do throws(PersistenceError) {
                    return try await connect(to: host, target: target, request)
                } catch {
                    // The same credentials fail on every host; trying them again could lock the account.
                    guard error.code != .cancelled, error.code != .authentication else { throw error }
                    failures.append((host, error))
                    if let deadline = request.deadline, deadline.isPassed { throw error }
                }
            }
        }
        throw PostgresConnectFailure.persistenceError(for: failures.map(\.error))
    }

    private func connect(
        to host: PostgresHost, target: PostgresConfiguration.TargetSession, _ request: Request
    ) async throws(PersistenceError) -> PostgresSession {
        let end = endOfAttempt(request.deadline)
        var lastError = PersistenceError(.connection, "\(host) has no address", operation: "connect")
        for address in try await addresses(of: host, until: end) {
            do throws(PersistenceError) {
                return try await connect(to: host, address, target: target, until: end, request)
            } catch {
                lastError = error
                // Another address of the same server would not answer these differently.
                guard error.code == .connection, error.timeout == nil else { throw error }
            }
        }
        throw lastError
    }

    private func endOfAttempt(_ deadline: Deadline?) -> UInt64 {
        var limit = configuration.connectTimeout
        if let deadline { limit = min(limit, deadline.remaining) }
        return monotonicNanoseconds() &+ max(limit.wholeNanoseconds, 0)
    }

    private func addresses(of host: PostgresHost, until end: UInt64) async throws(PersistenceError) -> [String?] {
        guard let name = host.name, host.address == nil, !host.isUnixSocket else { return [host.address] }
        let lookup = Race<Result<[String], ResolverFailure>>()
        resolveWorkers.submit { lookup.finish(AddressResolver.addresses(of: name)) }
        let outcome = await lookup.wait(until: end)
        switch outcome {
        case .finished(.success(let addresses)):
            return addresses
        case .finished(.failure(let failure)):
            throw PersistenceError(
                .connection, "the host \(name) is not known (\(failure.message))", operation: "connect",
                retrySafety: .safe)
        case .timeout:
            throw PersistenceError(
                .timeout, "looking up the host \(name) took too long", operation: "connect", retrySafety: .safe
            ).with { $0.timeout = .connect }
        case .cancelled:
            throw PersistenceError(.cancelled, operation: "connect", retrySafety: .safe)
        }
    }

    private func connect(
        to host: PostgresHost, _ address: String?, target: PostgresConfiguration.TargetSession, until end: UInt64,
        _ request: Request
    ) async throws(PersistenceError) -> PostgresSession {
        let keywords = configuration.keywords(for: host, address: address, targetSession: target)
        // Reads certificates and password files, so it may block.
        let started = await resolveWorkers.run { StartedConnection(keywords: keywords) }
        guard let pointer = started.pointer else {
            throw PersistenceError(.resourceExhausted, "no memory for a connection", operation: "connect")
        }
        let executor = reactorUse.reactor
        let thread = executor.threadForConnection()
        let options = SessionOptions(
            statementCacheSize: context.usesUnnamedStatements ? 0 : configuration.statementCacheSize,
            cancellationGrace: configuration.cancellationGrace.wholeNanoseconds,
            isShared: request.isShared, poolID: request.poolID, logger: context.instrumentation.logger)
        let timeout = configuration.connectTimeout
        let (context, cancelWorkers) = (context, cancelWorkers)
        let attempt = ConnectAttempt(
            stealing: EstablishedConnection(stealing: pointer), reactor: thread, workers: authenticationWorkers,
            deadline: end,
            describe: { [configuration] failure in
                switch failure {
                case .timeout:
                    PersistenceError(
                        .timeout, "\(host) did not answer within \(timeout)", operation: "connect", retrySafety: .safe
                    ).with { $0.timeout = .connect }
                case .message(let message, let phase, let needsPassword):
                    PostgresConnectFailure(
                        message: message, phase: phase, needsPassword: needsPassword, host: host,
                        configuration: configuration
                    ).persistenceError
                }
            },
            makeSession: { connection in
                PostgresSession(
                    stealing: connection, context: context, reactor: thread, executor: executor,
                    cancelWorkers: cancelWorkers, options: options)
            })
        switch await attempt.run() {
        case .connected(let session): return session
        case .failed(let error): throw error
        }
    }
}

/// A connection that libpq has begun to open, on its way from a worker thread.
///
/// @unchecked: made on the worker, then handed to exactly one attempt, which owns it.
private struct StartedConnection: @unchecked Sendable {
    let pointer: OpaquePointer?

    init(keywords: [PostgresConfiguration.Keyword]) {
        var names = keywords.map { UnsafePointer(strdup($0.keyword)) }
        var values = keywords.map { UnsafePointer(strdup($0.value)) }
        names.append(nil)
        values.append(nil)
        defer {
            for pointer in names + values { free(UnsafeMutablePointer(mutating: pointer)) }
        }
        pointer = PQconnectStartParams(names, values, 0)
        guard let pointer else { return }
        PQsetErrorVerbosity(pointer, PQERRORS_VERBOSE)
        // Until the session takes notices over, libpq would print them: a server that stops says so to everybody.
        PQsetNoticeReceiver(pointer, { _, _ in }, nil)
    }
}

/// The first of: a result from a thread that blocks, a deadline, the task's cancellation.
private final class Race<Value: Sendable>: Sendable {
    enum Outcome: Sendable {
        case finished(Value)
        case timeout
        case cancelled
    }

    private struct State {
        var continuation: UnsafeContinuation<Outcome, Never>?
        var outcome: Outcome?
    }

    private let state = Mutex(State())

    func finish(_ value: Value) {
        settle(.finished(value))
    }

    func wait(until end: UInt64) async -> Outcome {
        let timer = Task {
            let now = monotonicNanoseconds()
            if end > now { try await Task.sleep(for: .nanoseconds(end - now)) }
            settle(.timeout)
        }
        defer { timer.cancel() }
        return await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let outcome = state.withLock { state in
                    if state.outcome == nil { state.continuation = continuation }
                    return state.outcome
                }
                if let outcome { continuation.resume(returning: outcome) }
            }
        } onCancel: {
            settle(.cancelled)
        }
    }

    private func settle(_ outcome: Outcome) {
        let continuation = state.withLock { state in
            if state.outcome == nil { state.outcome = outcome }
            return state.continuation.take()
        }
        continuation?.resume(returning: outcome)
    }
}
