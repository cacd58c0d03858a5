public import PersistenceCore
internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// A few threads that wait for the sockets of many connections, and run Swift tasks in between.
///
/// A connection belongs to one thread for life. A task that runs on the reactor (it is a `TaskExecutor`) sends its query,
/// waits and receives the answer with three system calls and no switch of threads: it goes on where the answer came in.
///
/// ```swift
/// let statistics = database.statistics
/// await withTaskExecutorPreference(database.executor) {
///     // Queries made here are answered without a hop to another thread.
///     _ = statistics
/// }
/// ```
///
/// Work that computes for long does not belong on it: while it runs, no connection of the thread is served.
public final class PostgresReactor: TaskExecutor, Sendable {
    let threads: [ReactorThread]
    private let nextConnection = Atomic<Int>(0)
    private let nextJob = Atomic<Int>(0)

    /// How many threads a reactor has unless it is told.
    ///
    /// Two, where there are as many processors: with one, all queries wait whenever something else, such as a server on the
    /// same machine, takes that thread's processor, even while another is idle. Measured with 16 and 64 tasks, the second
    /// thread brings 10 to 25 percent, and further ones nothing as long as the tasks do little themselves.
    public static var defaultThreadCount: Int {
        min(max(Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))), 1), 2)
    }

    /// Starts a reactor.
    ///
    /// - Parameter threadCount: How many threads it has, at least one. More than ``defaultThreadCount`` serve tasks that
    ///   have work of their own to do on it.
    /// - Throws: ``PersistenceError`` with the code `resourceExhausted` when the kernel has no descriptor or thread left.
    public init(threadCount: Int = PostgresReactor.defaultThreadCount) throws(PersistenceError) {
        var threads: [ReactorThread] = []
        for _ in 0..<max(threadCount, 1) { threads.append(try ReactorThread()) }
        self.threads = threads
        for (index, thread) in threads.enumerated() where !thread.start(for: self) {
            for started in threads[..<index] { started.shutdown() }
            throw PersistenceError(.resourceExhausted, "the reactor's thread could not be started")
        }
    }

    /// Asks the threads to end once their last connection is closed; tasks that still prefer them run on the global pool.
    public func shutdown() {
        for thread in threads { thread.shutdown() }
    }

    /// Runs a task's next piece on one of the reactor's threads: the caller's own when it is one of them.
    ///
    /// - Parameter job: The piece.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        for index in threads.indices where threads[index].takeIfCurrent(job) { return }
        if !next(nextJob).send(job) { globalConcurrentExecutor.enqueue(job) }
    }

    /// Whether the caller is one of the threads.
    var isCurrentThread: Bool {
        for index in threads.indices where threads[index].isCurrentThread { return true }
        return false
    }

    /// The thread for the next connection.
    func threadForConnection() -> ReactorThread {
        next(nextConnection)
    }

    private func next(_ counter: borrowing Atomic<Int>) -> ReactorThread {
        guard threads.count > 1 else { return threads[0] }
        let count = counter.wrappingAdd(1, ordering: .relaxed).oldValue
        return threads[Int(UInt(bitPattern: count) % UInt(threads.count))]
    }
}
