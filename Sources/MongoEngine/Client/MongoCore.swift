internal import BSON
internal import CMongoC
internal import PersistenceCore

/// What everything that talks to one deployment shares.
final class MongoCore: Sendable {
    let configuration: MongoConfiguration
    let instrumentation: Instrumentation
    let target: DatabaseTarget
    let pool: MongoClientPool
    let monitor: MongoMonitor

    init(configuration: MongoConfiguration, instrumentation: Instrumentation) throws(PersistenceError) {
        self.configuration = configuration
        self.instrumentation = instrumentation
        let host = configuration.hosts.first
        target = DatabaseTarget(
            system: .mongodb, namespace: configuration.database,
            address: configuration.seedListHost ?? host?.name,
            port: host.flatMap { $0.isUnixSocket ? nil : $0.port })
        if let logger = instrumentation.logger { MongoLibrary.setLogger(logger) }
        monitor = MongoMonitor(logger: instrumentation.logger)
        let workers = DriverThreads(
            name: "mongo", limit: configuration.pool.maximum, patience: Self.threadPatience)
        let metrics = instrumentation.poolMetrics(name: target.poolName)
        pool = MongoClientPool(
            configuration: configuration,
            driver: try DriverPool(
                configuration: configuration, monitor: monitor, workers: workers,
                isRecorded: instrumentation.isEnabled, metrics: metrics),
            workers: workers, metrics: metrics)
    }

    private static let interruptionInterval = Duration.milliseconds(100)

    /// How long a thread without work waits for more: long enough that one operation after the other starts no threads.
    private static let threadPatience: UInt64 = 2_000_000_000
}

/// An operation, as errors and telemetry describe it.
struct MongoOperation {
    /// The command's name, such as `find`.
    var name: String
    var collection: String?
    var isWrite = false
    /// Whether it writes to any number of documents, so that a failure can leave a part of it done.
    var isMulti = false
    /// How many writes a batch has.
    var batchSize: Int?

    init(
        _ name: String, on collection: String? = nil, isWrite: Bool = false, isMulti: Bool = false,
        batchSize: Int? = nil
    ) {
        self.name = name
        self.collection = collection
        self.isWrite = isWrite
        self.isMulti = isMulti
        self.batchSize = batchSize
    }
}

extension MongoCore {
    /// Runs an operation on a thread that may block, and waits for it without blocking the caller's.
    ///
    /// The wait ends at once when the task is cancelled or the deadline passes. The thread then has
    /// `cancellationGrace` to come to an end by itself, before the client's connections are closed under it; the client
    /// serves the next caller either way.
    ///
    /// - Parameters:
    ///   - operation: What it is.
    ///   - session: The session that it is part of.
    ///   - lane: The lane to a client that the caller has already; without one, and without a session, the operation gets
    ///     one for itself.
    ///   - rows: How many documents a result stands for, for telemetry.
    ///   - body: The calls into the driver.
    /// - Throws: ``PersistenceError``.
    func run<Value: Sendable>(
        _ operation: MongoOperation, session: SessionScope? = nil, lane: ClientLane? = nil,
        rows: (Value) -> Int? = { _ in nil },
        _ body: @escaping @Sendable (inout MongoCall) -> Result<Value, MongoFailure>
    ) async throws(PersistenceError) -> Value {
        let span = instrumentation.begin(
            DatabaseOperation(
                .command, on: target, name: operation.name, collection: operation.collection,
                batchSize: operation.batchSize))
        do throws(PersistenceError) {
            let value = try await perform(operation, session: session, lane: lane, span, body)
            span?.end(rows: rows(value))
            return value
        } catch {
            span?.end(throwing: error)
            throw error
        }
    }

    private func perform<Value: Sendable>(
        _ operation: MongoOperation, session: SessionScope?, lane: ClientLane?, _ span: OperationSpan?,
        _ body: @escaping @Sendable (inout MongoCall) -> Result<Value, MongoFailure>
    ) async throws(PersistenceError) -> Value {
        let deadline = Deadline.current(within: configuration.operationTimeout)
        try deadline?.check(.statement, operation: operation.name)
        try session?.checkIsUsable(operation.name)
        let isOwn = lane == nil && session == nil
        let lane = if let lane = session?.lane ?? lane { lane } else { try await acquire(until: deadline) }
        let flight = OperationInFlight<Value>(operation: operation.name, isWrite: operation.isWrite)
        let database = configuration.database
        let target = target
        let timer = deadline.map { deadline in
            Task.detached { [self] in
                do { try await Task.sleep(until: deadline.instant, clock: .continuous) } catch { return }
                interrupt(flight, on: lane, .deadline)
            }
        }
        let outcome = await withTaskCancellationHandler {
            await withUnsafeContinuation {
                (continuation: UnsafeContinuation<OperationInFlight<Value>.Outcome, Never>) in
                if let error = flight.wait(continuation) {
                    continuation.resume(returning: .failure(error))
                    return
                }
                let isTaken = lane.submit { client in
                    guard flight.begin() else {
                        if isOwn { lane.endNow() }
                        return
                    }
                    guard let client else {
                        if isOwn { lane.endNow() }
                        return flight.finish(.failure(MongoFailure.poolClosed.persistenceError(of: operation)))
                    }
                    var call = MongoCall(
                        pooled: client, lane: lane, session: session?.pointer.raw,
                        maximumTime: deadline.map { max(1, $0.remaining.wholeMilliseconds) }, database: database)
                    var tally = CommandTally()
                    let result = tally.gather { body(&call) }
                    if let server = tally.server { span?.answered(by: server, insteadOf: target) }
                    if tally.failures > 0 { self.pool.countRetry(of: tally, result) }
                    // Before the caller goes on, so that what he does next finds the client.
                    if isOwn, !call.keepsClient { lane.endNow() }
                    flight.finish(
                        result.mapError { failure in
                            session?.note(failure)
                            return failure.persistenceError(of: operation, after: tally.failures)
                        })
                }
                if !isTaken {
                    flight.finish(.failure(PersistenceError(.transactionFinished, operation: operation.name)))
                }
            }
        } onCancel: {
            interrupt(flight, on: lane, .task)
        }
        timer?.cancel()
        return try outcome.get()
    }

    private func acquire(until deadline: Deadline?) async throws(PersistenceError) -> ClientLane {
        guard instrumentation.isEnabled else { return try await pool.lane(until: deadline) }
        let span = instrumentation.begin(DatabaseOperation(.acquire, on: target))
        do throws(PersistenceError) {
            let lane = try await pool.lane(until: deadline)
            span?.end()
            return lane
        } catch {
            span?.end(throwing: error)
            throw error
        }
    }

    private func interrupt<Value>(
        _ flight: OperationInFlight<Value>, on lane: ClientLane, _ reason: OperationInFlight<Value>.Interruption
    ) {
        guard flight.interrupt(reason) else { return }
        pool.countInterruption()
        let grace = configuration.cancellationGrace
        Task.detached {
            var pause = grace
            // More than once, because the driver tries what can be retried again, on a new connection.
            while true {
                do { try await Task.sleep(for: pause) } catch { return }
                if flight.hasEnded { return }
                lane.interrupt(olderThan: grace)
                pause = max(grace, Self.interruptionInterval)
            }
        }
    }
}

extension OperationSpan {
    /// Records the member of the deployment that answered, where it is another than the one that was configured.
    fileprivate func answered(by server: MongoHost, insteadOf target: DatabaseTarget) {
        guard server.name != target.address || server.port != target.port ?? target.system.defaultPort else { return }
        answered(by: server.name, port: server.isUnixSocket ? nil : server.port)
    }
}
