internal import HeapModule
public import PersistenceCore
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

/// Something that a reactor tells about its socket and its timer, always on the reactor's thread.
protocol ReactorHandler: AnyObject, Sendable {
    func socketReady(_ readiness: Readiness)
    func timerFired()
}

/// One thread that waits for the sockets of many connections, and runs Swift tasks in between.
///
/// A connection belongs to one reactor for life. A task that runs on the reactor (``PostgresReactor`` is a
/// `TaskExecutor`) sends its query, waits and receives the answer with three system calls and no switch of threads:
///
/// ```swift
/// let statistics = database.statistics
/// await withTaskExecutorPreference(database.executor) {
///     // Queries made here are answered without a hop to another thread.
///     _ = statistics
/// }
/// ```
///
/// Work that computes for long does not belong on it: while it runs, no connection of the reactor is served.
public final class PostgresReactor: TaskExecutor, @unchecked Sendable {
    // @unchecked: everything mutable is either behind `inbox` (a mutex), atomic, or touched by
    // the reactor's own thread alone.

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
    private let inbox = Mutex(Inbox())
    private let hasMail = Atomic<Bool>(false)
    private let isSleeping = Atomic<Bool>(false)
    private let threadID = Atomic<UInt>(0)

    // Apart from each other rather than in one struct, so that exclusive access to one does not bar the others.
    private var jobs: [UnownedJob] = []
    private var spareJobs: [UnownedJob] = []
    private var slots: [Slot] = []
    private var freeSlots: [UInt32] = []
    private var registered = 0
    private var timers = Heap<Timer>()
    private var stopRequested = false

    /// Starts a reactor's thread.
    ///
    /// - Throws: ``PersistenceError`` with the code `resourceExhausted` when the kernel has no descriptor or thread left.
    public init() throws(PersistenceError) {
        poller = try Poller()
        let retained = Unmanaged.passRetained(self)
        guard startThread(retained) else {
            retained.release()
            throw PersistenceError(.resourceExhausted, "the reactor's thread could not be started")
        }
    }

    /// Asks the thread to end once its last connection is closed; tasks that still prefer it run on the global pool.
    public func shutdown() {
        perform { [self] in stopRequested = true }
    }

    /// Runs a task's next piece on the reactor's thread.
    ///
    /// - Parameter job: The piece.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isCurrentThread {
            jobs.append(job)
            return
        }
        let isStopped = inbox.withLock { inbox in
            if inbox.isStopped { return true }
            inbox.jobs.append(job)
            return false
        }
        if isStopped {
            globalConcurrentExecutor.enqueue(job)
        } else {
            announceMail()
        }
    }

    /// Whether the caller is the reactor's thread.
    var isCurrentThread: Bool {
        threadID.load(ordering: .relaxed) == Self.currentThreadID
    }

    /// Runs `action` on the reactor's thread: at once when that is the caller's.
    ///
    /// After the reactor has stopped, the caller runs it.
    func perform(_ action: @escaping @Sendable () -> Void) {
        if isCurrentThread {
            action()
            return
        }
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

// MARK: - Sockets and timers, on the reactor's thread

extension PostgresReactor {
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

extension PostgresReactor {
    private static var currentThreadID: UInt {
        #if canImport(Darwin)
            UInt(bitPattern: pthread_self())
        #else
            UInt(pthread_self())
        #endif
    }

    private func startThread(_ retained: Unmanaged<PostgresReactor>) -> Bool {
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
                    Unmanaged<PostgresReactor>.fromOpaque(context).takeRetainedValue().loop()
                }
                return nil
            }, retained.toOpaque())
        guard status == 0 else { return false }
        #if canImport(Darwin)
            if let thread { pthread_detach(thread) }
        #else
            pthread_detach(thread)
        #endif
        return true
    }

    private func loop() {
        threadID.store(Self.currentThreadID, ordering: .relaxed)
        let executor = asUnownedTaskExecutor()
        while true {
            collectMail()
            runJobs(on: executor)
            fireTimers()
            if stopRequested, registered == 0, jobs.isEmpty, stop() { break }
            poller.wait(milliseconds: sleepTime()) { token, readiness in
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

    private func fireTimers() {
        guard let first = timers.min else { return }
        let now = monotonicNanoseconds()
        guard first.deadline <= now else { return }
        while let next = timers.min, next.deadline <= now {
            timers.removeMin()
            handler(of: next.token)?.timerFired()
        }
    }

    private func sleepTime() -> Int32 {
        guard jobs.isEmpty else { return 0 }
        isSleeping.store(true, ordering: .sequentiallyConsistent)
        guard !hasMail.load(ordering: .sequentiallyConsistent) else { return 0 }
        guard let next = timers.min else { return stopRequested ? 50 : -1 }
        let now = monotonicNanoseconds()
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
