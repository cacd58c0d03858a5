import Synchronization

/// Lets a few tests at a time use the server, which has some hundred connections for everybody.
final class TestGate: Sendable {
    static let shared = TestGate(width: 6)

    /// A test that is inside may use more databases: waiting for itself, it would wait for ever.
    @TaskLocal private static var isInside = false

    private struct State {
        var free: Int
        var waiters: [UnsafeContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>

    private init(width: Int) {
        state = Mutex(State(free: width))
    }

    func pass<Result>(_ body: () async throws -> Result) async rethrows -> Result {
        guard !Self.isInside else { return try await body() }
        await enter()
        defer { leave() }
        return try await Self.$isInside.withValue(true) { try await body() }
    }

    private func enter() async {
        await withUnsafeContinuation { continuation in
            let isFree = state.withLock { state in
                guard state.free > 0 else {
                    state.waiters.append(continuation)
                    return false
                }
                state.free -= 1
                return true
            }
            if isFree { continuation.resume() }
        }
    }

    private func leave() {
        let next = state.withLock { state -> UnsafeContinuation<Void, Never>? in
            guard !state.waiters.isEmpty else {
                state.free += 1
                return nil
            }
            return state.waiters.removeFirst()
        }
        next?.resume()
    }
}
