internal import DequeModule
internal import Dispatch
internal import Synchronization

/// A bounded number of threads for calls into C that block: name resolution, the start of a connection, and cancel
/// requests (libpq 15 has no asynchronous form of these).
///
/// Threads come from Dispatch and go back when there is nothing to do, so that an idle service holds none.
final class BlockingWorkers: Sendable {
    private struct State: ~Copyable {
        var queue: Deque<@Sendable () -> Void> = []
        var active = 0
    }

    private let limit: Int
    private let state = Mutex(State())
    private let dispatch: DispatchQueue

    init(label: String, limit: Int) {
        self.limit = limit
        self.dispatch = DispatchQueue(label: label, attributes: .concurrent)
    }

    /// Runs `work` on a thread that may block, after those queued before it.
    func submit(_ work: @escaping @Sendable () -> Void) {
        let startsThread = state.withLock { state in
            state.queue.append(work)
            guard state.active < limit else { return false }
            state.active += 1
            return true
        }
        if startsThread {
            dispatch.async { self.drain() }
        }
    }

    private func drain() {
        while true {
            let next = state.withLock { state in
                let work = state.queue.popFirst()
                if work == nil { state.active -= 1 }
                return work
            }
            guard let next else { return }
            next()
        }
    }

    /// Runs `work` on a thread that may block and waits for its result without blocking the caller's.
    func run<Result: Sendable>(_ work: @escaping @Sendable () -> Result) async -> Result {
        await withUnsafeContinuation { continuation in
            submit { continuation.resume(returning: work()) }
        }
    }
}
