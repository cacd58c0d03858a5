internal import DequeModule
internal import PersistenceCore

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

/// A bounded number of threads for the driver's calls, all of which block.
///
/// The threads are its own: Swift's are few, and calls that hang in a silent network would stop the whole process. A
/// thread waits for more work for a while before it ends, because one operation follows the other; an idle service holds
/// none. The thread that has waited least gets the work, so that its caches are warm.
///
/// Tasks may run on the threads, too. What a task on a thread submits, and the task that a call on a thread resumes, stay
/// on that thread: an operation then takes no switch of threads.
final class DriverThreads: TaskExecutor, Sendable {
    /// What a thread does next.
    enum Item: Sendable {
        /// A call into the driver, which may block.
        case call(@Sendable () -> Void)
        /// A task's next piece, which does not.
        case job(UnownedJob)

        var isJob: Bool { if case .job = self { true } else { false } }
    }

    private struct State: ~Copyable {
        var queue: Deque<Item> = []
        /// The threads that wait for work; the last one has waited least, so its caches are warm.
        var parked: [ParkingSpot] = []
        var active = 0
    }

    private let limit: Int
    /// How many more threads there may be for tasks, which must go on when every call hangs.
    private let taskThreads: Int
    private let name: String
    private let patience: UInt64
    private let state = SharedState(State())

    /// Creates workers without threads.
    ///
    /// - Parameters:
    ///   - name: The threads' name, of at most 15 bytes.
    ///   - limit: How many threads there are at most.
    ///   - patience: How long a thread waits for more work before it ends, in nanoseconds; 0 ends it at once.
    init(name: String, limit: Int, patience: UInt64 = 0) {
        self.name = name
        self.limit = limit
        taskThreads = max(Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))), 1)
        self.patience = patience
    }

    /// Where tasks that run on the threads are enqueued.
    private var executor: UnownedTaskExecutor { asUnownedTaskExecutor() }

    /// How many threads there are.
    var threadCount: Int { state.withLock { $0.active } }

    /// Whether the calling thread is one of these, and a task waits for it to come to the end of what it does.
    var isPromised: Bool {
        guard let spot = ParkingSpot.current, spot.owner == ObjectIdentifier(self) else { return false }
        return spot.hasOffer
    }

    private enum Placement {
        case queued
        case handed(ParkingSpot)
        case needsThread
    }

    /// Runs `work` on a thread that may block, after those queued before it.
    func submit(_ work: @escaping @Sendable () -> Void) {
        submit(.call(work))
    }

    /// Runs a task's next piece.
    func enqueue(_ job: consuming ExecutorJob) {
        submit(.job(UnownedJob(job)))
    }

    private func submit(_ item: Item) {
        // A call that resumes a task ends at once, and a task that submits a call is about to wait for it. A task that
        // resumes another goes on, so that the other finds a thread of its own.
        if let spot = ParkingSpot.current, spot.owner == ObjectIdentifier(self), spot.offer(item) { return }
        let placement = state.withLock { state -> Placement in
            if let spot = state.parked.popLast() { return .handed(spot) }
            state.queue.append(item)
            guard state.active < (item.isJob ? limit + taskThreads : limit) else { return .queued }
            state.active += 1
            return .needsThread
        }
        switch placement {
        case .queued: return
        case .handed(let spot): return spot.hand(item)
        case .needsThread: break
        }
        guard !startThread() else { return }
        // The system has no thread left. Work that nobody else would take is done here: it may block the caller, but it
        // is not lost.
        let isAlone = state.withLock { state in
            guard state.active == 1 else {
                state.active -= 1
                return false
            }
            return true
        }
        if isAlone { drain(parking: nil) }
    }

    private func drain(parking spot: ParkingSpot?) {
        while true {
            let next = state.withLock { state in
                let work = state.queue.popFirst()
                if work == nil {
                    if let spot { state.parked.append(spot) } else { state.active -= 1 }
                }
                return work
            }
            if let next {
                run(next, at: spot)
            } else if let spot, let work = wait(at: spot) {
                run(work, at: spot)
            } else {
                return
            }
        }
    }

    private func run(_ item: Item, at spot: ParkingSpot?) {
        var next: Item? = item
        var count = 0
        while let item = next {
            spot?.current = item.isJob ? .job : .call
            switch item {
            case .call(let work): work()
            case .job(let job): job.runSynchronously(on: executor)
            }
            spot?.current = .nothing
            next = spot?.takeOffer()
            count += 1
            if let own = next, count.isMultiple(of: Self.itemsBeforeOthers) { next = exchange(own) }
        }
    }

    /// How many items a thread does for its own tasks before it looks for those that wait for a thread.
    private static var itemsBeforeOthers: Int { 16 }

    /// Queues an item and takes the one that has waited longest.
    private func exchange(_ item: Item) -> Item? {
        state.withLock { state in
            if state.queue.isEmpty { return item }
            state.queue.append(item)
            return state.queue.popFirst()
        }
    }

    /// Waits for work at a spot that is listed as parked; without any, the thread no longer counts.
    private func wait(at spot: ParkingSpot) -> Item? {
        if let work = spot.wait(nanoseconds: patience) { return work }
        let hasLeft = state.withLock { state in
            guard let index = state.parked.firstIndex(where: { $0 === spot }) else { return false }
            state.parked.remove(at: index)
            state.active -= 1
            return true
        }
        // Somebody has taken the spot off the list in the meantime: the work is on its way.
        return hasLeft ? nil : spot.wait(nanoseconds: nil)
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
                let workers = Unmanaged<DriverThreads>.fromOpaque(context).takeRetainedValue()
                #if canImport(Darwin)
                    pthread_setname_np(workers.name)
                #else
                    ceventloop_name_thread(workers.name)
                #endif
                let spot = workers.patience > 0 ? ParkingSpot(owner: ObjectIdentifier(workers)) : nil
                spot?.makeCurrent()
                workers.drain(parking: spot)
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
