import PersistenceCore
import Synchronization

/// A check whose outcomes a test decides.
final class ScriptedCheck: HealthCheck {
    let name: String
    private let state = Mutex((failure: (any Error)?.none, runs: 0))

    init(_ name: String, failing error: (any Error)? = nil) {
        self.name = name
        fail(with: error)
    }

    var runs: Int { state.withLock { $0.runs } }

    func fail(with error: (any Error)?) {
        state.withLock { $0.failure = error }
    }

    func check() async throws {
        let failure = state.withLock { state -> (any Error)? in
            state.runs += 1
            return state.failure
        }
        if let failure { throw failure }
    }
}

/// A check that hangs, deaf to cancellation, until a test lets it go.
final class HangingCheck: HealthCheck {
    private struct State {
        var runs = 0
        var isOpen = false
        var hanging: [CheckedContinuation<Void, Never>] = []
        var watchers: [CheckedContinuation<Void, Never>] = []
    }

    let name: String
    private let state = Mutex(State())

    init(_ name: String) {
        self.name = name
    }

    var runs: Int { state.withLock { $0.runs } }

    func check() async throws {
        await withCheckedContinuation { continuation in
            let (isOpen, watchers) = state.withLock { state in
                state.runs += 1
                if !state.isOpen { state.hanging.append(continuation) }
                defer { state.watchers = [] }
                return (state.isOpen, state.watchers)
            }
            if isOpen { continuation.resume() }
            for watcher in watchers {
                watcher.resume()
            }
        }
    }

    func waitForRun() async {
        await withCheckedContinuation { continuation in
            let hasRun = state.withLock { state in
                if state.runs == 0 { state.watchers.append(continuation) }
                return state.runs > 0
            }
            if hasRun { continuation.resume() }
        }
    }

    func letGo() {
        let hanging = state.withLock { state in
            state.isOpen = true
            defer { state.hanging = [] }
            return state.hanging
        }
        for continuation in hanging {
            continuation.resume()
        }
    }
}

/// A clock on which time passes as a test says, and nobody wakes.
final class StuckClock: Clock {
    struct Instant: InstantProtocol {
        let offset: Duration

        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (lhs: Instant, rhs: Instant) -> Bool { lhs.offset < rhs.offset }
    }

    private let offset = Mutex(Duration.zero)
    private let begun = AsyncStream.makeStream(of: Duration.self)

    var now: Instant { Instant(offset: offset.withLock { $0 }) }
    var minimumResolution: Duration { .nanoseconds(1) }

    func advance(by duration: Duration) {
        offset.withLock { $0 += duration }
    }

    /// Waits until somebody has begun to sleep for a duration.
    func waitForSleep(of duration: Duration) async {
        for await begun in begun.stream where begun == duration {
            return
        }
    }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        begun.continuation.yield(now.duration(to: deadline))
        let (stream, _) = AsyncStream.makeStream(of: Never.self)
        for await _ in stream {}
        throw CancellationError()
    }
}
