import Persistence
import PersistenceCore
import PersistenceTesting
import Synchronization
import Testing

/// What a writer writes to: keeps the batches, and fails when told.
final class Sink: Sendable {
    private struct State {
        var batches: [[Int]] = []
        var losses: [BufferedWriterLoss<Int>] = []
        var isOpen: Bool
        var isWriting = false
        var waiters: [CheckedContinuation<Void, Never>] = []
        var behaviour: @Sendable ([Int]) throws -> [BufferedWriterRejection] = { _ in [] }
    }

    private let state: Mutex<State>

    /// - Parameter isOpen: Whether batches are written; otherwise they wait for ``open()`` or for cancellation.
    init(isOpen: Bool = true) {
        state = Mutex(State(isOpen: isOpen))
    }

    var batches: [[Int]] { state.withLock { $0.batches } }
    var losses: [BufferedWriterLoss<Int>] { state.withLock { $0.losses } }
    var isWriting: Bool { state.withLock { $0.isWriting } }

    func fail(_ behaviour: @escaping @Sendable ([Int]) throws -> [BufferedWriterRejection]) {
        state.withLock { $0.behaviour = behaviour }
    }

    func open() {
        let waiters = state.withLock { state in
            state.isOpen = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    func wait(_ condition: @escaping @Sendable ([[Int]]) -> Bool) async {
        await eventually { condition(self.batches) }
    }

    func writer(
        _ configuration: BufferedWriterConfiguration, clock: some Clock<Duration>,
        retryPolicy: RetryPolicy = .never, sizeOf: @escaping @Sendable (Int) -> Int = { _ in 1 }
    ) -> BufferedWriter<Int> {
        BufferedWriter(
            configuration: configuration, retryPolicy: retryPolicy, clock: clock, sizeOf: sizeOf,
            onLoss: { loss in self.state.withLock { $0.losses.append(loss) } },
            write: { batch in try await self.write(batch) })
    }

    private func write(_ batch: [Int]) async throws -> [BufferedWriterRejection] {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOpen = state.withLock { state in
                    state.isWriting = true
                    if !state.isOpen, !Task.isCancelled { state.waiters.append(continuation) }
                    return state.isOpen || Task.isCancelled
                }
                if isOpen { continuation.resume() }
            }
        } onCancel: {
            let waiters = state.withLock { state in
                defer { state.waiters = [] }
                return state.waiters
            }
            for waiter in waiters { waiter.resume() }
        }
        try Task.checkCancellation()
        let rejections = try state.withLock { try $0.behaviour(batch) }
        state.withLock { $0.batches.append(batch) }
        return rejections
    }
}

/// The library's error that `body` throws.
func failure(_ body: () async throws -> Void) async -> PersistenceError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? PersistenceError
    }
}

/// Waits until a condition holds.
func eventually(_ condition: () async -> Bool) async {
    while await !condition() {
        await Task.yield()
    }
}
