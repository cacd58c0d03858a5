internal import CMongoC
internal import DequeModule
internal import PersistenceCore
internal import Synchronization

/// One client of the pool and what is to be done with it, one thing after the other, on threads that may block.
///
/// A client of the driver serves one thread at a time. Whoever has a lane has its client until ``end()``; what was
/// submitted before is done first, even when nobody waits for it any more.
final class ClientLane: Sendable {
    typealias Job = @Sendable (_ client: PooledClient) -> Void

    private struct State: ~Copyable {
        /// The next job, beside the queue, because hardly any lane has more than one at a time.
        var next: Job?
        var later: Deque<Job> = []
        /// Nothing when it was given back.
        var client: PooledClient?
        var isRunning = false
        var isEnded = false
    }

    private let pool: MongoClientPool
    private let state: Mutex<State>

    /// Takes over a client, and the permit for it.
    init(pool: MongoClientPool, client: PooledClient) {
        self.pool = pool
        state = Mutex(State(client: client))
    }

    deinit {
        if let client = state.withLock({ $0.client }) { pool.push(client) }
    }

    /// Queues work.
    ///
    /// - Returns: False when the lane has ended; the work is then not done.
    @discardableResult
    func submit(_ job: @escaping Job) -> Bool {
        let (isTaken, starts) = state.withLock { state -> (Bool, Bool) in
            guard !state.isEnded else { return (false, false) }
            if state.next == nil { state.next = job } else { state.later.append(job) }
            defer { state.isRunning = true }
            return (true, !state.isRunning)
        }
        if starts { pool.workers.submit { self.drain() } }
        return isTaken
    }

    /// Queues work that nobody waits for, such as closing a cursor: when the server does not answer, it must not keep the
    /// client from the next caller for as long as the network is silent.
    func cleanUp(_ job: @escaping Job) {
        submit { [watch = pool.cleanUpWatch] client in
            watch.begin(client)
            job(client)
            watch.end(client)
        }
    }

    /// Gives the client back, after what has been submitted.
    func end() {
        let starts = state.withLock { state in
            guard !state.isEnded else { return false }
            state.isEnded = true
            defer { state.isRunning = true }
            return !state.isRunning
        }
        if starts { pool.workers.submit { self.drain() } }
    }

    private enum Step {
        case run(Job, PooledClient)
        case leave
        case give(PooledClient)
        case pause
    }

    private func drain() {
        while true {
            let step = state.withLock { state -> Step in
                // The job before has resumed a task that goes on on this thread: it would wait for the next one's answer.
                if state.next != nil, pool.workers.isPromised { return .leave }
                if let client = state.client, let job = state.next.take() {
                    state.next = state.later.popFirst()
                    return .run(job, client)
                }
                state.isRunning = false
                guard state.isEnded, let client = state.client.take() else { return .pause }
                return .give(client)
            }
            switch step {
            case .run(let job, let client): job(client)
            case .leave: return pool.workers.submit { self.drain() }
            case .give(let client): return pool.push(client)
            case .pause: return
            }
        }
    }
}
