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
final class BlockingWorkers: Sendable {
    private struct State: ~Copyable {
        var queue: Deque<@Sendable () -> Void> = []
        var active = 0
    }

    private let limit: Int
    private let name: String
    private let state = Mutex(State())

    /// Creates workers without threads.
    ///
    /// - Parameters:
    ///   - name: The threads' name, of at most 15 bytes.
    ///   - limit: How many threads there are at most.
    init(name: String, limit: Int) {
        self.name = name
        self.limit = limit
    }

    /// Runs `work` on a thread that may block, after those queued before it.
    func submit(_ work: @escaping @Sendable () -> Void) {
        let startsThread = state.withLock { state in
            state.queue.append(work)
            guard state.active < limit else { return false }
            state.active += 1
            return true
        }
        guard startsThread, !startThread() else { return }
        // The system has no thread left. Work that nobody else would take is done here: it may block the caller, but it
        // is not lost.
        let isAlone = state.withLock { state in
            guard state.active == 1 else {
                state.active -= 1
                return false
            }
            return true
        }
        if isAlone { drain() }
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

    private func startThread() -> Bool {
        #if canImport(Darwin)
            var thread: pthread_t?
        #else
            var thread = pthread_t()
        #endif
        let retained = Unmanaged.passRetained(self)
        let status = pthread_create(
            &thread, nil,
            { context in
                #if canImport(Darwin)
                    let context: UnsafeMutableRawPointer? = context
                #endif
                guard let context else { return nil }
                let workers = Unmanaged<BlockingWorkers>.fromOpaque(context).takeRetainedValue()
                #if canImport(Darwin)
                    pthread_setname_np(workers.name)
                #else
                    ceventloop_name_thread(workers.name)
                #endif
                workers.drain()
                return nil
            }, retained.toOpaque())
        guard status == 0 else {
            retained.release()
            return false
        }
        #if canImport(Darwin)
            if let thread { pthread_detach(thread) }
        #else
            pthread_detach(thread)
        #endif
        return true
    }
}
