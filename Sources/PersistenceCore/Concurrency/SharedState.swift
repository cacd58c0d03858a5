#if canImport(Glibc)
    package import Glibc
#elseif canImport(Musl)
    package import Musl
#elseif canImport(Darwin)
    package import Darwin
#endif

/// What all operations share, behind a lock that each of them takes for a moment.
///
/// `Synchronization.Mutex` hands itself over to the thread that waits longest, which has to wake up first, and lets others
/// spin meanwhile. Once two threads have met, all meet: with more threads than processors that took a tenth of an
/// operation's time, and half the throughput of connections that many tasks share. This lock is whoever's comes first, and
/// waits without spinning. Where threads hardly ever meet, `Mutex` is the faster one.
///
/// @unchecked: `value` is touched only while `mutex` is held.
package struct SharedState<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
    @usableFromInline package let mutex: UnsafeMutablePointer<pthread_mutex_t>
    @usableFromInline package let value: UnsafeMutablePointer<Value>

    package init(_ initial: consuming sending Value) {
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
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    @inlinable
    @inline(__always)
    package borrowing func withLock<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&value.pointee)
    }
}
