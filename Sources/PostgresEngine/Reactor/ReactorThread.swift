internal import HeapModule
internal import PersistenceCore
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

/// Something that a reactor tells about its socket and its timer, always on the thread.
protocol ReactorHandler: AnyObject, Sendable {
    func socketReady(_ readiness: Readiness)
    func timerFired()
}

/// One thread of a ``PostgresReactor``: it waits for the sockets of many connections, and runs Swift tasks in between.
///
/// A connection belongs to one thread for life.
///
/// @unchecked: everything mutable is either behind `inbox` (a mutex), atomic, or touched by the thread itself alone.
final class ReactorThread: @unchecked Sendable {
    private struct Inbox: ~Copyable {
        var jobs: [UnownedJob] = []
        var actions: [@Sendable () -> Void] = []
        var isStopped = false
    }

    private struct Timer: Comparable {
        let deadline: UInt64
        let token: UInt64

        static func < (left: Timer, right: Timer) -> Bool { left.deadline < right.deadline }
        static func == (left: Timer, right: Timer) -> Bool { left.deadline == right.deadline }
    }

    private struct Slot {
        var handler: (any ReactorHandler)?
        var generation: UInt32 = 0
    }

    private let poller: Poller
    private let inbox = SharedState(Inbox())
    private let hasMail = Atomic<Bool>(false)
    private let isSleeping = Atomic<Bool>(false)
    private let threadID = Atomic<UInt>(0)

    // Apart from each other rather than in one struct, so that exclusive access to one does not bar the others. Only the
    // thread itself has access, and none of its methods calls another while it holds a property for writing: checking
    // that at run time would cost every query eight calls.
    @exclusivity(unchecked) private var jobs: [UnownedJob] = []
    @exclusivity(unchecked) private var spareJobs: [UnownedJob] = []
    @exclusivity(unchecked) private var slots: [Slot] = []
    @exclusivity(unchecked) private var freeSlots: [UInt32] = []
    @exclusivity(unchecked) private var registered = 0
    @exclusivity(unchecked) private var timers = Heap<Timer>()
    @exclusivity(unchecked) private var gathering: [PostgresSession] = []
    @exclusivity(unchecked) private var stopRequested = false

    /// Makes the thread's queues; ``start(for:)`` starts it.
    ///
    /// - Throws: ``PersistenceError`` with the code `resourceExhausted` when the kernel has no descriptor left.
    init() throws(PersistenceError) {
        poller = try Poller()
    }

    /// Asks the thread to end once its last connection is closed.
    func shutdown() {
        perform { [self] in stopRequested = true }
    }

    /// Queues a job for the caller itself, when the caller is this thread.
    @inline(__always)
    func takeIfCurrent(_ job: UnownedJob) -> Bool {
        guard isCurrentThread else { return false }
        jobs.append(job)
        return true
    }

    /// Queues a job from another thread.
    ///
    /// - Returns: `false` when the thread has ended.
    func send(_ job: UnownedJob) -> Bool {
        let isStopped = inbox.withLock { inbox in
            if inbox.isStopped { return true }
            inbox.jobs.append(job)
            return false
        }
        if !isStopped { announceMail() }
        return !isStopped
    }

    /// Whether the caller is the thread.
    var isCurrentThread: Bool {
        threadID.load(ordering: .relaxed) == Self.currentThreadID
    }

    /// Runs `action` on the thread: at once when that is the caller's.
    ///
    /// After the thread has ended, the caller runs it.
    func perform(_ action: @escaping @Sendable () -> Void) {
        if isCurrentThread { action() } else { performLater(action) }
    }

    /// Runs `action` on the thread, after what runs there now.
    ///
    /// After the thread has ended, the caller runs it.
    func performLater(_ action: @escaping @Sendable () -> Void) {
        let isStopped = inbox.withLock { inbox in
            if inbox.isStopped { return true }
            inbox.actions.append(action)
            return false
        }
        if isStopped {
            action()
        } else {
            announceMail()
        }
    }

    private func announceMail() {
        hasMail.store(true, ordering: .sequentiallyConsistent)
        // The loop raises `isSleeping` before it looks at `hasMail` a last time, so one of the two sees the other.
        if isSleeping.exchange(false, ordering: .sequentiallyConsistent) {
            poller.wake()
        }
    }
}

// MARK: - Sockets and timers, on the thread

extension ReactorThread {
    /// Watches a descriptor for reading; returns the token that names the registration, or `nil` when the kernel refuses.
    func register(_ descriptor: Int32, interest: Readiness, handler: any ReactorHandler) -> UInt64? {
        let index: UInt32
        if let free = freeSlots.popLast() {
            index = free
        } else {
            index = UInt32(slots.count)
            slots.append(Slot())
        }
        let token = UInt64(slots[Int(index)].generation) << 32 | UInt64(index)
        guard poller.add(descriptor, token: token, interest: interest) else {
            freeSlots.append(index)
            return nil
        }
        slots[Int(index)].handler = handler
        registered += 1
        return token
    }

    /// Stops watching; events already collected for the token are dropped.
    func deregister(_ descriptor: Int32, token: UInt64) {
        poller.remove(descriptor)
        let index = Int(UInt32(truncatingIfNeeded: token))
        guard index < slots.count, slots[index].handler != nil,
            slots[index].generation == UInt32(token >> 32)
        else { return }
        slots[index].handler = nil
        slots[index].generation &+= 1
        freeSlots.append(UInt32(index))
        registered -= 1
    }

    /// Changes what a registered descriptor is watched for; from any thread.
    func setInterest(_ interest: Readiness, descriptor: Int32, token: UInt64) {
        poller.change(descriptor, token: token, interest: interest)
    }

    /// Calls the handler's `timerFired` at a time of the monotonic clock, in nanoseconds.
    func schedule(at deadline: UInt64, token: UInt64) {
        timers.insert(Timer(deadline: deadline, token: token))
    }

    private func handler(of token: UInt64) -> (any ReactorHandler)? {
        let index = Int(UInt32(truncatingIfNeeded: token))
        guard index < slots.count, slots[index].generation == UInt32(token >> 32) else { return nil }
        return slots[index].handler
    }
}

// MARK: - The thread

extension ReactorThread {
    private static var currentThreadID: UInt {
        #if canImport(Darwin)
            UInt(bitPattern: pthread_self())
        #else
            UInt(pthread_self())
        #endif
    }

    private final class Start {
        let thread: ReactorThread
        let reactor: PostgresReactor

        init(_ thread: ReactorThread, _ reactor: PostgresReactor) {
            self.thread = thread
            self.reactor = reactor
        }
    }

    /// Starts the thread, which keeps itself and the reactor alive until it ends.
    ///
    /// - Returns: `false` when the system has no thread left.
    func start(for reactor: PostgresReactor) -> Bool {
        let retained = Unmanaged.passRetained(Start(self, reactor))
        #if canImport(Darwin)
            var thread: pthread_t?
        #else
            var thread = pthread_t()
        #endif
        let status = pthread_create(
            &thread, nil,
            { context in
                #if canImport(Darwin)
                    let context: UnsafeMutableRawPointer? = context
                    pthread_setname_np("postgres-reactor")
                #else
                    ceventloop_name_thread("pg-reactor")
                #endif
                if let context {
                    let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
                    start.thread.loop(for: start.reactor)
                }
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

    private func loop(for reactor: PostgresReactor) {
        threadID.store(Self.currentThreadID, ordering: .relaxed)
        let executor = reactor.asUnownedTaskExecutor()
        while true {
            collectMail()
            runJobs(on: executor)
            pushGathered()
            // One reading of the clock for both, and none without timers.
            let now = earliestTimer == nil ? 0 : monotonicNanoseconds()
            fireTimers(at: now)
            if stopRequested, registered == 0, jobs.isEmpty, stop() { break }
            poller.wait(milliseconds: sleepTime(from: now)) { token, readiness in
                handler(of: token)?.socketReady(readiness)
            }
            isSleeping.store(false, ordering: .relaxed)
        }
        threadID.store(0, ordering: .relaxed)
    }

    /// Runs what is queued.
    ///
    /// Jobs that queue more get a few turns, then the sockets are looked at.
    private func runJobs(on executor: UnownedTaskExecutor) {
        var turns = 0
        while !jobs.isEmpty, turns < 8 {
            swap(&jobs, &spareJobs)
            // By index: a job may queue others, but never in `spareJobs`.
            for index in spareJobs.indices {
                spareJobs[index].runSynchronously(on: executor)
            }
            spareJobs.removeAll(keepingCapacity: true)
            turns += 1
        }
    }

    /// Has a session push what it gathers once the jobs that are queued have run; on the thread.
    func pushAfterJobs(_ session: PostgresSession) {
        gathering.append(session)
    }

    private func pushGathered() {
        guard !gathering.isEmpty else { return }
        for session in gathering { session.push() }
        gathering.removeAll(keepingCapacity: true)
    }

    private func collectMail() {
        guard hasMail.exchange(false, ordering: .sequentiallyConsistent) else { return }
        let actions = inbox.withLock { inbox in
            jobs.append(contentsOf: inbox.jobs)
            inbox.jobs.removeAll(keepingCapacity: true)
            let actions = inbox.actions
            inbox.actions.removeAll()
            return actions
        }
        for action in actions { action() }
    }

    /// The earliest timer that somebody still waits for.
    private var earliestTimer: Timer? {
        while let first = timers.min {
            if handler(of: first.token) != nil { return first }
            // Its connection was closed, or opened in time.
            timers.removeMin()
        }
        return nil
    }

    private func fireTimers(at now: UInt64) {
        while let next = timers.min, next.deadline <= now {
            timers.removeMin()
            handler(of: next.token)?.timerFired()
        }
    }

    private func sleepTime(from now: UInt64) -> Int32 {
        guard jobs.isEmpty else { return 0 }
        isSleeping.store(true, ordering: .sequentiallyConsistent)
        guard !hasMail.load(ordering: .sequentiallyConsistent) else { return 0 }
        guard let next = timers.min else { return stopRequested ? 50 : -1 }
        // A timer that was set by one that has just fired can be the first.
        let now = now == 0 ? monotonicNanoseconds() : now
        guard next.deadline > now else { return 0 }
        // Rounded up, or the loop would spin through the last fraction of a millisecond.
        return Int32(min((next.deadline - now) / 1_000_000 + 1, 60_000))
    }

    private func stop() -> Bool {
        inbox.withLock { inbox in
            guard inbox.jobs.isEmpty, inbox.actions.isEmpty else { return false }
            inbox.isStopped = true
            return true
        }
    }
}
