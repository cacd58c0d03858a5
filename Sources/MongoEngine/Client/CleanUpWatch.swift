internal import Synchronization

/// Cuts off what clients do for nobody, such as closing a cursor, when servers do not answer in time.
final class CleanUpWatch: Sendable {
    private struct State {
        var running: [ObjectIdentifier: (client: PooledClient, start: ContinuousClock.Instant)] = [:]
        /// Somebody will look again.
        var isWatched = false
    }

    private let limit: Duration
    private let state = Mutex(State())

    /// - Parameter limit: How long a server may take.
    init(limit: Duration) {
        self.limit = limit
    }

    /// Notes that a client begins with something that nobody waits for.
    func begin(_ client: PooledClient) {
        let isFirst = state.withLock { state in
            state.running[ObjectIdentifier(client)] = (client, .now)
            defer { state.isWatched = true }
            return !state.isWatched
        }
        // One task for all of them, because most end before anybody would have to look.
        if isFirst { Task.detached { [self] in await watch() } }
    }

    /// Notes that a client is done with it.
    func end(_ client: PooledClient) {
        state.withLock { _ = $0.running.removeValue(forKey: ObjectIdentifier(client)) }
    }

    private func watch() async {
        while true {
            try? await Task.sleep(for: limit)
            let isOver = state.withLock { state in
                guard !state.running.isEmpty else {
                    state.isWatched = false
                    return true
                }
                let now = ContinuousClock.now
                // With the lock held, so that none of them is somebody else's in the meantime.
                for (client, start) in state.running.values where start.duration(to: now) >= limit {
                    client.interrupt()
                }
                return false
            }
            if isOver { return }
        }
    }
}
