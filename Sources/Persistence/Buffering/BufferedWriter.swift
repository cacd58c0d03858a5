import DequeModule
public import PersistenceCore
public import ServiceLifecycle
import Synchronization

/// Takes items one by one, fast, and writes them in batches, in order.
///
/// A batch is written when it has enough items or bytes, when its oldest item has waited long enough, or when somebody
/// flushes. One batch is written at a time. When as many items or bytes are held as the bounds allow, ``write(_:)`` waits:
/// whoever produces goes no faster than the store.
///
/// Items that were accepted are written or reported: what could not be written goes to the function that the writer was
/// given for losses, also when the writer is cancelled or nobody refers to it any more. What a process holds when it is
/// killed is lost without a report, as in every buffer in memory.
///
/// The writer is a service. On graceful shutdown it accepts no more, writes what it holds, and ends; in a group, list it
/// after its database, because groups shut down in the opposite order.
///
/// ```swift
/// let writer = BufferedWriter<ActivityMetadata>(
///     sizeOf: { $0.payload.encodedSize },
///     onLoss: { loss in logger.error("\(loss.items.count) activities lost", metadata: ["error": "\(loss.error)"]) },
///     write: { batch in
///         try await metadata.insertManyIfAbsent(batch)
///         return []
///     })
/// ```
public final class BufferedWriter<Item: Sendable>: Service, Sendable {
    /// Writes a batch in the order given, and returns the items that the store refused while it took the others.
    ///
    /// When it throws, the whole batch counts as not written; the writer tries again as its policy says, so it should be
    /// safe to write a batch twice.
    public typealias Write = @Sendable (_ batch: [Item]) async throws -> [BufferedWriterRejection]

    private struct Shared {
        var state: BufferedWriterState<Item>
        var nextID: UInt64 = 0
        var loop: CheckedContinuation<Void, Never>?
        var isSignalled = false

        /// Wakes the loop, or has it not fall asleep.
        mutating func takeLoop() -> CheckedContinuation<Void, Never>? {
            guard let loop else {
                isSignalled = true
                return nil
            }
            self.loop = nil
            return loop
        }

        /// Removes who waits under an identifier.
        mutating func remove(_ id: UInt64) -> CheckedContinuation<Void, any Error>? {
            if let index = state.producers.firstIndex(where: { $0.id == id }) {
                return state.producers.remove(at: index).continuation
            }
            if let index = state.flushes.firstIndex(where: { $0.id == id }) {
                return state.flushes.remove(at: index).continuation
            }
            return nil
        }
    }

    private let shared: Mutex<Shared>
    private let bounds: BufferedWriterConfiguration
    private let retryPolicy: RetryPolicy
    private let sizeOf: @Sendable (Item) -> Int
    private let onLoss: @Sendable (BufferedWriterLoss<Item>) -> Void
    private let writeBatch: Write
    private let elapsed: @Sendable () -> Duration
    private let sleep: @Sendable (Duration) async throws -> Void

    /// Creates a writer; it writes once it runs.
    ///
    /// - Parameters:
    ///   - configuration: Its bounds.
    ///   - retryPolicy: How often a batch that could not be written is tried, and after which errors. The standard tries
    ///     again only what the store has surely not done; when writing twice does no harm, allow more.
    ///   - clock: Measures how long items wait.
    ///   - sizeOf: How many bytes an item counts for; less than 1 counts as 1. It is called once per item.
    ///   - onLoss: Receives the items that were accepted and could not be written. It is called on the writer's task and
    ///     must not block.
    ///   - write: Writes a batch.
    public init(
        configuration: BufferedWriterConfiguration = .standard, retryPolicy: RetryPolicy = .default,
        clock: some Clock<Duration> = ContinuousClock(), sizeOf: @escaping @Sendable (Item) -> Int,
        onLoss: @escaping @Sendable (BufferedWriterLoss<Item>) -> Void, write: @escaping Write
    ) {
        let start = clock.now
        self.shared = Mutex(Shared(state: BufferedWriterState(configuration)))
        self.bounds = configuration
        self.retryPolicy = retryPolicy
        self.sizeOf = sizeOf
        self.onLoss = onLoss
        self.writeBatch = write
        self.elapsed = { start.duration(to: clock.now) }
        self.sleep = { try await clock.sleep(for: $0) }
    }

    deinit {
        let loss = shared.withLock { $0.state.abandon(Self.closed) }
        if let loss { onLoss(loss) }
    }

    /// What the writer has done so far and holds now.
    public var statistics: BufferedWriterStatistics { shared.withLock { $0.state.snapshot } }

    // MARK: Producing

    /// Hands an item over, and waits for room when there is none.
    ///
    /// - Parameter item: The item. Once the call returns, the item will be written or reported as lost.
    /// - Throws: `PersistenceError` with the code `poolClosed` when the writer is shutting down, `tooLarge` when the item
    ///   alone is more than may be held, `cancelled` when the task was cancelled before there was room, and `timeout` when
    ///   there was none by the scope's deadline (``PersistenceCore/withDeadline(_:_:)-(Duration,_)``). The item was not
    ///   accepted then.
    public func write(_ item: Item) async throws(PersistenceError) {
        let size = max(1, sizeOf(item))
        guard size <= bounds.maximumBufferedSize else {
            throw PersistenceError(
                .tooLarge, "one item is larger than what the writer may hold", operation: "BufferedWriter")
        }
        if try accept(item, size) { return }
        try await suspend { shared, id, continuation in
            guard shared.state.phase == .open else { return .failure(Self.closed) }
            guard !shared.state.hasRoom(for: size) || !shared.state.producers.isEmpty else {
                shared.state.accept(item, size: size, now: self.elapsed())
                return .success(())
            }
            shared.state.producers.append(.init(id: id, item: item, size: size, continuation: continuation))
            return nil
        }
    }

    /// Waits until everything that was accepted so far is written or reported as lost.
    ///
    /// - Throws: `PersistenceError` that led to the first loss among it; `cancelled` when the task was cancelled, `timeout`
    ///   at the scope's deadline; `poolClosed` when the writer ended before it ran.
    public func flush() async throws(PersistenceError) {
        try await suspend { shared, id, continuation in
            let target = shared.state.snapshot.accepted
            if target <= shared.state.settled { return .success(()) }
            if shared.state.phase == .closed { return .failure(Self.closed) }
            shared.state.flushes.append(.init(id: id, target: target, continuation: continuation))
            return nil
        }
    }

    /// Takes the item when there is room and nobody waits.
    private func accept(_ item: Item, _ size: Int) throws(PersistenceError) -> Bool {
        let (isAccepted, loop) = try shared.withLock {
            shared throws(PersistenceError) -> (Bool, CheckedContinuation<Void, Never>?) in
            guard shared.state.phase == .open else { throw Self.closed }
            guard shared.state.producers.isEmpty, shared.state.hasRoom(for: size) else { return (false, nil) }
            shared.state.accept(item, size: size, now: elapsed())
            // The loop wakes for the first item, whose wait it times, and for a full batch.
            let isUrgent =
                shared.state.pending.count == 1 || shared.state.pending.count == bounds.maximumBatchCount
                || shared.state.pendingSize >= bounds.maximumBatchSize
            return (true, isUrgent ? shared.takeLoop() : nil)
        }
        loop?.resume()
        return isAccepted
    }

    /// Waits under an identifier, unless `register` has a result at once.
    private func suspend(
        _ register: (inout Shared, UInt64, CheckedContinuation<Void, any Error>) -> Result<Void, PersistenceError>?
    ) async throws(PersistenceError) {
        let id = shared.withLock { shared in
            shared.nextID += 1
            return shared.nextID
        }
        let alarm = Deadline.current.map { deadline in
            Task {
                try? await Task.sleep(until: deadline.instant, clock: .continuous)
                guard !Task.isCancelled else { return }
                shared.withLock { $0.remove(id) }?.resume(throwing: Self.tooLate)
            }
        }
        defer { alarm?.cancel() }
        do {
            try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { continuation in
                    let (result, loop) = shared.withLock {
                        shared -> (Result<Void, PersistenceError>?, CheckedContinuation<Void, Never>?) in
                        // The handler below may have run already; it comes after the task's flag is set.
                        guard !Task.isCancelled else { return (.failure(Self.cancelled), nil) }
                        let result = register(&shared, id, continuation)
                        if result == nil, Deadline.current?.isPassed == true {
                            // The alarm may have rung already, too.
                            _ = shared.remove(id)
                            return (.failure(Self.tooLate), nil)
                        }
                        return (result, shared.takeLoop())
                    }
                    loop?.resume()
                    if let result { continuation.resume(with: result.mapError { $0 as any Error }) }
                }
            } onCancel: {
                shared.withLock { $0.remove(id) }?.resume(throwing: Self.cancelled)
            }
        } catch {
            throw error as? PersistenceError ?? PersistenceError(.internal, operation: "BufferedWriter")
        }
    }

    // MARK: Writing

    /// Writes until the service shuts down.
    ///
    /// - Throws: `PersistenceError` with the code `invalidArgument` when the writer runs already, `poolClosed` when it has
    ///   ended.
    public func run() async throws {
        try begin()
        await withGracefulShutdownHandler {
            await loop()
        } onGracefulShutdown: {
            self.finish()
        }
    }

    /// Accepts no more; what is held will be written.
    ///
    /// ``run()`` returns when it is.
    ///
    /// A writer that does not run reports what it holds as lost.
    public func finish() {
        if drain() { end(Self.closed) }
    }

    /// Refuses those who wait for room.
    ///
    /// Returns whether nobody is there to write what is held.
    private func drain() -> Bool {
        let (refused, loop, isAlone) = shared.withLock { shared in
            if shared.state.phase == .open { shared.state.phase = .draining }
            let refused = shared.state.producers.map(\.continuation)
            shared.state.producers.removeAll()
            return (refused, shared.takeLoop(), !shared.state.isRunning)
        }
        for producer in refused { producer.resume(throwing: Self.closed) }
        loop?.resume()
        return isAlone
    }

    /// Runs the writer for a scope, and returns when everything is written or reported: for scripts, imports and tests.
    ///
    /// - Parameter body: Produces the items.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws, unwrapped; and as ``run()``.
    public func running<Result>(_ body: () async throws -> Result) async throws -> Result {
        try begin()
        let loop = Task { await self.loop() }
        let result: Swift.Result<Result, any Error>
        do {
            result = .success(try await body())
        } catch {
            result = .failure(error)
        }
        finish()
        await loop.value
        return try result.get()
    }

    private func begin() throws(PersistenceError) {
        try shared.withLock { shared throws(PersistenceError) in
            guard shared.state.phase != .closed else { throw Self.closed }
            guard !shared.state.isRunning else {
                throw PersistenceError(.invalidArgument, "the writer runs already", operation: "BufferedWriter")
            }
            shared.state.isRunning = true
        }
    }

    private func loop() async {
        await withTaskCancellationHandler {
            while !Task.isCancelled {
                switch shared.withLock({ $0.state.next(now: elapsed()) }) {
                case .write(let batch): await deliver(batch)
                case .wait(let limit): await waitForSignal(atMost: limit)
                case .finish:
                    end(Self.closed)
                    return
                }
            }
            end(Self.cancelled)
        } onCancel: {
            shared.withLock { $0.takeLoop() }?.resume()
        }
    }

    private func deliver(_ batch: [Item]) async {
        let losses: [BufferedWriterLoss<Item>]
        do {
            let rejections = try await retryPolicy.execute(operation: "BufferedWriter") { _ in
                try await writeBatch(batch)
            }
            let byIndex = Dictionary(rejections.map { ($0.index, $0.error) }) { first, _ in first }
            losses = shared.withLock { $0.state.settle(rejections: byIndex) }
        } catch {
            let reason =
                error as? PersistenceError
                ?? (error is CancellationError ? Self.cancelled : Self.unwritten).with { $0.underlying = error }
            losses = [shared.withLock { $0.state.fail(reason) }]
        }
        for loss in losses { onLoss(loss) }
        release()
    }

    /// Lets those go on who waited for what has been settled.
    private func release() {
        let (admitted, flushes) = shared.withLock { shared in
            (shared.state.admitProducers(now: elapsed()), shared.state.takeSatisfiedFlushes())
        }
        for producer in admitted { producer.resume() }
        for flush in flushes {
            if let error = flush.error {
                flush.continuation.resume(throwing: error)
            } else {
                flush.continuation.resume()
            }
        }
    }

    /// Closes the writer, and reports what it still holds.
    private func end(_ reason: PersistenceError) {
        _ = drain()
        let loss = shared.withLock { shared in
            shared.state.phase = .closed
            return shared.state.abandon(reason)
        }
        if let loss { onLoss(loss) }
        release()
    }

    private func waitForSignal(atMost limit: Duration?) async {
        await withTaskGroup { group in
            if let limit {
                group.addTask {
                    guard (try? await self.sleep(limit)) != nil else { return }
                    self.shared.withLock { $0.takeLoop() }?.resume()
                }
            }
            await withCheckedContinuation { continuation in
                let isDone = shared.withLock { shared in
                    guard !shared.isSignalled, !Task.isCancelled else {
                        shared.isSignalled = false
                        return true
                    }
                    shared.loop = continuation
                    return false
                }
                if isDone { continuation.resume() }
            }
            group.cancelAll()
        }
    }

    private static var closed: PersistenceError {
        PersistenceError(.poolClosed, "the writer is closed", operation: "BufferedWriter")
    }

    private static var cancelled: PersistenceError {
        PersistenceError(.cancelled, operation: "BufferedWriter")
    }

    private static var tooLate: PersistenceError {
        PersistenceError(
            .timeout, "the writer did not get so far before the deadline", operation: "BufferedWriter",
            retrySafety: .safe
        ).with { $0.timeout = .pool }
    }

    private static var unwritten: PersistenceError {
        PersistenceError(.server, "the batch could not be written", operation: "BufferedWriter", retrySafety: .unknown)
    }
}
