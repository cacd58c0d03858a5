import PersistenceCore
import Synchronization

/// Remembers which collections have been set up, so that each is set up once however many tasks write to it first.
///
/// It holds a bounded number of names: of ten thousand collections, those that are in use. What it has forgotten is set up
/// again, which changes nothing on the server. It also forgets after a while, because another process may have dropped a
/// collection.
final class CollectionRegistry: Sendable {
    fileprivate struct Entry {
        var lastUse: UInt64
        let expiresAt: Duration
    }

    fileprivate struct State {
        var ready: [String: Entry] = [:]
        var clock: UInt64 = 0
        var nextID: UInt64 = 0
        /// Who waits for a collection that is being set up, by collection; the set-up runs as long as there is an entry.
        var waiters: [String: [UInt64: CheckedContinuation<Result<Void, PersistenceError>, Never>]] = [:]
        /// Forgotten while they were being set up.
        var stale: Set<String> = []
    }

    private let state = Mutex(State())
    private let capacity: Int
    private let lifetime: Duration
    private let elapsed: @Sendable () -> Duration

    /// - Parameters:
    ///   - capacity: How many names are held at most.
    ///   - lifetime: How long a name is held at most.
    ///   - clock: Measures that.
    init(capacity: Int, lifetime: Duration, clock: some Clock<Duration> = ContinuousClock()) {
        self.capacity = max(1, capacity)
        self.lifetime = lifetime
        let start = clock.now
        elapsed = { start.duration(to: clock.now) }
    }

    /// How many names are held.
    var count: Int { state.withLock { $0.ready.count } }

    /// Sets a collection up, unless it has been; whoever comes meanwhile waits for the one who does.
    ///
    /// The set-up belongs to nobody: it goes on when the task that began it is cancelled, or has no time left, for those
    /// who wait with it.
    ///
    /// - Parameters:
    ///   - name: The collection.
    ///   - setUp: Sets it up.
    /// - Throws: What the set-up throws; `cancelled`, and `timeout` at the deadline of the scope.
    func ensure(
        _ name: String, _ setUp: @escaping @Sendable () async throws(PersistenceError) -> Void
    ) async throws(PersistenceError) {
        if state.withLock({ $0.touch(name, now: elapsed()) }) { return }
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        // The set-up has no deadline, so whoever waits looks after their own.
        let alarm = Deadline.current.map { deadline in
            Task {
                try? await Task.sleep(until: deadline.instant, clock: .continuous)
                guard !Task.isCancelled else { return }
                giveUp(name, id, Self.tooLate)
            }
        }
        defer { alarm?.cancel() }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                register(name, id, continuation, setUp)
            }
        } onCancel: {
            giveUp(name, id, PersistenceError(.cancelled))
        }
        try result.get()
    }

    /// Ends one wait; the set-up goes on.
    private func giveUp(_ name: String, _ id: UInt64, _ error: PersistenceError) {
        let waiter = state.withLock { $0.waiters[name]?.removeValue(forKey: id) }
        waiter?.resume(returning: .failure(error))
    }

    private static var tooLate: PersistenceError {
        PersistenceError(.timeout, "the collection was not set up before the deadline", retrySafety: .safe)
            .with { $0.timeout = .statement }
    }

    /// Forgets a collection, because it was dropped.
    func forget(_ name: String) {
        state.withLock { state in
            state.ready[name] = nil
            if state.waiters[name] != nil { state.stale.insert(name) }
        }
    }

    private func register(
        _ name: String, _ id: UInt64, _ continuation: CheckedContinuation<Result<Void, PersistenceError>, Never>,
        _ setUp: @escaping @Sendable () async throws(PersistenceError) -> Void
    ) {
        enum Outcome { case done(Result<Void, PersistenceError>), begin, wait }
        let outcome = state.withLock { state -> Outcome in
            // The handler for cancellation may have run already; it comes after the task's flag is set.
            guard !Task.isCancelled else { return .done(.failure(PersistenceError(.cancelled))) }
            // The alarm, too.
            guard Deadline.current?.isPassed != true else { return .done(.failure(Self.tooLate)) }
            if state.touch(name, now: elapsed()) { return .done(.success(())) }
            let isBusy = state.waiters[name] != nil
            state.waiters[name, default: [:]][id] = continuation
            return isBusy ? .wait : .begin
        }
        switch outcome {
        case .done(let result): continuation.resume(returning: result)
        case .wait: break
        case .begin:
            // Detached, so that neither the cancellation nor the deadline of the first decides for the others.
            Task.detached {
                let result: Result<Void, PersistenceError>
                do throws(PersistenceError) {
                    try await setUp()
                    result = .success(())
                } catch {
                    result = .failure(error)
                }
                self.finish(name, result)
            }
        }
    }

    private func finish(_ name: String, _ result: Result<Void, PersistenceError>) {
        let waiters = state.withLock { state in
            let isStale = state.stale.remove(name) != nil
            if case .success = result, !isStale {
                state.insert(name, capacity: capacity, expiresAt: elapsed() + lifetime)
            }
            return state.waiters.removeValue(forKey: name) ?? [:]
        }
        for waiter in waiters.values { waiter.resume(returning: result) }
    }
}

extension CollectionRegistry.State {
    /// Whether a collection is ready; it counts as used then.
    fileprivate mutating func touch(_ name: String, now: Duration) -> Bool {
        guard let entry = ready[name] else { return false }
        guard entry.expiresAt > now else {
            ready[name] = nil
            return false
        }
        clock += 1
        ready[name]?.lastUse = clock
        return true
    }

    fileprivate mutating func insert(_ name: String, capacity: Int, expiresAt: Duration) {
        clock += 1
        ready[name] = .init(lastUse: clock, expiresAt: expiresAt)
        guard ready.count > capacity else { return }
        // A quarter at once, so that a store of many collections does not search for the oldest at every write.
        let oldest = ready.sorted { $0.value.lastUse < $1.value.lastUse }.prefix(max(1, capacity / 4))
        for (name, _) in oldest { ready[name] = nil }
    }
}
