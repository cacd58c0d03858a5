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
    @inline(__always)
    func run<Value: Sendable>(
        _ operation: MongoOperation, session: SessionScope? = nil, lane: ClientLane? = nil,
        rows: (Value) -> Int? = { _ in nil },
        _ body: @escaping @Sendable (inout MongoCall) -> Result<Value, MongoFailure>
    ) async throws(PersistenceError) -> Value {
        let answer = OperationAnswer<Value>()
        let span = begin(operation)
        let failure = await perform(operation, session: session, lane: lane, span) { call in
            switch body(&call) {
            case .success(let value):
                answer.value = value
                return nil
            case .failure(let failure): return failure
            }
        }
        // Without an error alone: a thread may still be at work for a caller who was told of one.
        guard failure == nil, let value = answer.value else {
            let error = failure ?? PersistenceError(.internal)
            span?.end(throwing: error)
            throw error
        }
        if let span { span.end(rows: rows(value)) }
        return value
    }

    private func begin(_ operation: MongoOperation) -> OperationSpan? {
        instrumentation.begin(
            DatabaseOperation(
                .command, on: target, name: operation.name, collection: operation.collection,
                batchSize: operation.batchSize))
    }

    /// - Returns: The error, or nil when the operation was done.
    private func perform(
        _ operation: MongoOperation, session: SessionScope?, lane: ClientLane?, _ span: OperationSpan?,
        _ body: @escaping OperationInFlight.Body
    ) async -> PersistenceError? {
        let deadline = Deadline.current(within: configuration.operationTimeout)
        let lane = session?.lane ?? lane
        do throws(PersistenceError) {
            try deadline?.check(.statement, operation: operation.name)
            try session?.checkIsUsable(operation.name)
            if lane == nil, !takePermitAtOnce() { try await acquire(until: deadline) }
        } catch {
            return error
        }
        let flight = OperationInFlight(operation, session: session, deadline: deadline, span: span, body: body)
        let timer = deadline.map { deadline in
            Task.detached { [self] in
                do { try await Task.sleep(until: deadline.instant, clock: .continuous) } catch { return }
                interrupt(flight, .deadline)
            }
        }
        let error = await withTaskCancellationHandler {
            await withUnsafeContinuation { (waiter: OperationInFlight.Waiter) in
                if let error = flight.wait(waiter) {
                    if lane == nil { pool.release() }
                    return waiter.resume(returning: error)
                }
                guard let lane else { return pool.workers.submit { [self] in carryOut(flight) } }
                let isTaken = lane.submit { [self] client in carryOut(flight, on: client, of: lane) }
                if !isTaken {
                    flight.end()?.resume(
                        returning: PersistenceError(.transactionFinished, operation: operation.name))
                }
            }
        } onCancel: {
            interrupt(flight, .task)
        }
        timer?.cancel()
        return error
    }

    /// Carries an operation out whose caller has taken a permit for it, on a client of its own.
    private func carryOut(_ flight: OperationInFlight) {
        guard let client = pool.pop() else {
            // Freed in the meantime.
            pool.release()
            flight.end()?.resume(returning: MongoFailure.poolClosed.persistenceError(of: flight.operation))
            return
        }
        carryOut(flight, on: client, of: nil)
    }

    private func carryOut(_ flight: OperationInFlight, on client: PooledClient, of lane: ClientLane?) {
        guard let body = flight.begin(on: client) else {
            if lane == nil { pool.push(client) }
            return
        }
        var call = MongoCall(
            pooled: client, pool: pool, lane: lane, session: flight.session?.pointer.raw,
            maximumTime: flight.deadline.map { max(1, $0.remaining.wholeMilliseconds) },
            database: configuration.database)
        var tally = CommandTally()
        let failure = tally.gather { body(&call) }
        if let server = tally.server { flight.span?.answered(by: server, insteadOf: target) }
        if tally.failures > 0 { pool.countRetry(of: tally, failure) }
        let waiter = flight.end()
        // Before the caller goes on, so that what he does next finds the client.
        if call.lane == nil { pool.push(client) }
        guard let failure else {
            waiter?.resume(returning: nil)
            return
        }
        flight.session?.note(failure)
        waiter?.resume(returning: failure.persistenceError(of: flight.operation, after: tally.failures))
    }

    /// Takes a permit for a client when nobody waits for one, and nobody wants to know of it.
    private func takePermitAtOnce() -> Bool {
        !instrumentation.isEnabled && pool.takePermitAtOnce()
    }

    private func acquire(until deadline: Deadline?) async throws(PersistenceError) {
        guard instrumentation.isEnabled else { return try await pool.permit(until: deadline) }
        let span = instrumentation.begin(DatabaseOperation(.acquire, on: target))
        do throws(PersistenceError) {
            try await pool.permit(until: deadline)
            span?.end()
        } catch {
            span?.end(throwing: error)
            throw error
        }
    }

    private func interrupt(_ flight: OperationInFlight, _ reason: OperationInFlight.Interruption) {
        guard flight.interrupt(reason) else { return }
        pool.countInterruption()
        let grace = configuration.cancellationGrace
        Task.detached {
            var pause = grace
            // More than once, because the driver tries what can be retried again, on a new connection.
            while true {
                do { try await Task.sleep(for: pause) } catch { return }
                guard flight.interruptClient(olderThan: grace) else { return }
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
