#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// What all operations share, behind a lock that each of them takes for a moment.
///
/// `Synchronization.Mutex` hands itself over to the thread that waits longest, which has to wake up first, and lets others
/// spin meanwhile. Once two threads have met, all meet: with more threads than processors that took a tenth of an
/// operation's time. This lock is whoever's comes first, and waits without spinning.
///
/// @unchecked: `value` is touched only while `mutex` is held.
struct SharedState<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let value: UnsafeMutablePointer<Value>

    init(_ initial: consuming Value) {
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
        value = .allocate(capacity: 1)
        value.initialize(to: initial)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
        value.deinitialize(count: 1)
        value.deallocate()
    }

    /// Calls a closure while nobody else has the state.
    ///
    /// - Parameter body: Short, and calls nothing that takes the lock.
    @inline(__always)
    borrowing func withLock<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&value.pointee)
    }
}
