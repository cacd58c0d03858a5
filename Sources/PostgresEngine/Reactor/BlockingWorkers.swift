internal import DequeModule
internal import Synchronization

#if os(Linux)
    internal import CEventLoop
#endif
#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// A bounded number of threads for calls into C that block: name resolution, the start of a connection, and cancel
/// requests (libpq 15 has no asynchronous form of these).
///
/// The threads are its own. Dispatch would lend some of the few that run Swift's tasks on Linux: with a network that
/// swallows everything, the requests that hang in it would stop the whole process. A thread ends when there is nothing
/// to do, so that an idle service holds none.
///
/// None of these calls can be interrupted, and the system gives a silent network minutes. So a thread that has been at
/// one call for longer than the others should have to wait no longer counts against the limit: a host that is gone does
/// not stand in the way of one that is there.
final class BlockingWorkers: Sendable {
    private struct Job: Sendable {
        var work: @Sendable () -> Void
        /// When the work is no longer wanted, on the monotonic clock in nanoseconds.
        var expiry: UInt64
        var expired: @Sendable () -> Void
    }

    private struct State: ~Copyable {
        var queue: Deque<Job> = []
        /// When each thread has begun what it is at.
        var threads: [Int: UInt64] = [:]
        var lastThread = 0
        /// Somebody will look again whether a thread hangs.
        var isWatched = false

        /// A number for a new thread, when there may be one.
        mutating func newThread(limit: Int, ceiling: Int, patience: UInt64) -> Int? {
            guard threads.count < ceiling else { return nil }
            let now = monotonicNanoseconds()
            guard threads.values.count(where: { $0 &+ patience > now }) < limit else { return nil }
            lastThread += 1
            threads[lastThread] = now
            return lastThread
        }
    }

    private let limit: Int
    private let ceiling: Int
    private let patience: UInt64
    private let name: String
    private let state = Mutex(State())

    /// Creates workers without threads.
    ///
    /// - Parameters:
    ///   - name: The threads' name, of at most 15 bytes.
    ///   - limit: How many threads there are at most, but for those that hang.
    ///   - patience: From when on a thread hangs that is still at the same work, in nanoseconds.
    ///   - ceiling: How many threads there are at most, in all.
    init(name: String, limit: Int, patience: UInt64 = 1_000_000_000, ceiling: Int = 32) {
        self.name = name
        self.limit = limit
        self.ceiling = ceiling
        self.patience = patience
    }

    /// Runs `work` on a thread that may block, after those queued before it.
    ///
    /// - Parameters:
    ///   - expiry: Until when the work is worth beginning, on the monotonic clock in nanoseconds.
    ///   - expired: Runs in its place after that.
    func submit(
        until expiry: UInt64 = .max, orElse expired: @escaping @Sendable () -> Void = {},
        _ work: @escaping @Sendable () -> Void
    ) {
        let thread = state.withLock { state in
            state.queue.append(Job(work: work, expiry: expiry, expired: expired))
            return state.newThread(limit: limit, ceiling: ceiling, patience: patience)
        }
        if let thread { begin(thread) } else { watch() }
    }

    /// Sees to it that what is queued now does not wait for threads that hang.
    private func watch() {
        let isFirst = state.withLock { state in
            defer { state.isWatched = true }
            return !state.isWatched
        }
        guard isFirst else { return }
        Task.detached { [self] in
            try? await Task.sleep(for: .nanoseconds(patience))
            let (thread, isWaiting) = state.withLock { state in
                state.isWatched = false
                guard !state.queue.isEmpty else { return (Int?.none, false) }
                return (state.newThread(limit: limit, ceiling: ceiling, patience: patience), true)
            }
            if let thread { begin(thread) }
            if isWaiting { watch() }
        }
    }

    private func begin(_ thread: Int) {
        guard !startThread(thread) else { return }
        // The system has no thread left. Work that nobody else would take is done here: it may block the caller, but it
        // is not lost.
        let isAlone = state.withLock { state in
            guard state.threads.count == 1 else {
                state.threads[thread] = nil
                return false
            }
            return true
        }
        if isAlone { drain(thread) }
    }

    private func drain(_ thread: Int) {
        while true {
            let (next, now) = state.withLock { state in
                let next = state.queue.popFirst()
                let now = monotonicNanoseconds()
                state.threads[thread] = next == nil ? nil : now
                return (next, now)
            }
            guard let next else { return }
            if next.expiry > now { next.work() } else { next.expired() }
        }
    }

    /// Runs `work` on a thread that may block and waits for its result without blocking the caller's.
    func run<Result: Sendable>(_ work: @escaping @Sendable () -> Result) async -> Result {
        await withUnsafeContinuation { continuation in
            submit { continuation.resume(returning: work()) }
        }
    }

    /// What a new thread is given.
    private final class Start: Sendable {
        let workers: BlockingWorkers
        let thread: Int

        init(_ workers: BlockingWorkers, _ thread: Int) {
            self.workers = workers
            self.thread = thread
        }
    }

    private func startThread(_ thread: Int) -> Bool {
        let start = Unmanaged.passRetained(Start(self, thread))
        #if canImport(Darwin)
            var identity: pthread_t?
        #else
            var identity = pthread_t()
        #endif
        let status = pthread_create(
            &identity, nil,
            { context in
                #if canImport(Darwin)
                    let context: UnsafeMutableRawPointer? = context
                #endif
                guard let context else { return nil }
                let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
                #if canImport(Darwin)
                    pthread_setname_np(start.workers.name)
                #else
                    ceventloop_name_thread(start.workers.name)
                #endif
                start.workers.drain(start.thread)
                return nil
            }, start.toOpaque())
        guard status == 0 else {
            start.release()
            return false
        }
        #if canImport(Darwin)
            if let identity { pthread_detach(identity) }
        #else
            pthread_detach(identity)
        #endif
        return true
    }
}
