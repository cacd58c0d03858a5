internal import Synchronization

/// The open connections, so that a shutdown can end them.
final class ConnectionTracker: Sendable {
    private struct State {
        var drains: [Int32: @Sendable () -> Void] = [:]
        var isDraining = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func add(_ id: Int32, drain: @escaping @Sendable () -> Void) {
        let isDraining = state.withLock { state in
            state.drains[id] = drain
            return state.isDraining
        }
        if isDraining { drain() }
    }

    func remove(_ id: Int32) {
        let waiters = state.withLock { state in
            state.drains[id] = nil
            defer { if state.drains.isEmpty { state.waiters = [] } }
            return state.drains.isEmpty ? state.waiters : []
        }
        for waiter in waiters { waiter.resume() }
    }

    var count: Int { state.withLock { $0.drains.count } }

    /// Tells every connection to end after its running command, and waits until all have.
    func drainAll() async {
        let drains = state.withLock { state in
            state.isDraining = true
            return Array(state.drains.values)
        }
        for drain in drains { drain() }
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLock { state in
                if !state.drains.isEmpty { state.waiters.append(continuation) }
                return state.drains.isEmpty
            }
            if isEmpty { continuation.resume() }
        }
    }
}
