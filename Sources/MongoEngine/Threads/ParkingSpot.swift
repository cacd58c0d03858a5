#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Where one thread waits for work to be handed to it.
///
/// @unchecked: `work` is touched only while `mutex` is held; the pointers never change.
final class ParkingSpot: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var work: (@Sendable () -> Void)?

    init() {
        mutex.initialize(to: pthread_mutex_t())
        condition.initialize(to: pthread_cond_t())
        pthread_mutex_init(mutex, nil)
        #if canImport(Darwin)
            pthread_cond_init(condition, nil)
        #else
            // Waits are measured on a clock that nobody sets.
            var attributes = pthread_condattr_t()
            pthread_condattr_init(&attributes)
            pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
            pthread_cond_init(condition, &attributes)
            pthread_condattr_destroy(&attributes)
        #endif
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Hands work to the thread that waits here, or soon will.
    func hand(_ work: @escaping @Sendable () -> Void) {
        pthread_mutex_lock(mutex)
        self.work = work
        pthread_cond_signal(condition)
        pthread_mutex_unlock(mutex)
    }

    /// Waits for work.
    ///
    /// - Parameter nanoseconds: How long at most; `nil` is without limit.
    /// - Returns: The work, or `nil` when none came.
    func wait(nanoseconds: UInt64?) -> (@Sendable () -> Void)? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        guard let nanoseconds else {
            while work == nil { pthread_cond_wait(condition, mutex) }
            return take()
        }
        #if canImport(Darwin)
            var limit = timespec(
                tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
            while work == nil, pthread_cond_timedwait_relative_np(condition, mutex, &limit) == 0 {}
        #else
            var limit = timespec()
            clock_gettime(CLOCK_MONOTONIC, &limit)
            let sum = UInt64(limit.tv_nsec) + nanoseconds
            limit.tv_sec += Int(sum / 1_000_000_000)
            limit.tv_nsec = Int(sum % 1_000_000_000)
            while work == nil, pthread_cond_timedwait(condition, mutex, &limit) == 0 {}
        #endif
        return take()
    }

    private func take() -> (@Sendable () -> Void)? {
        defer { work = nil }
        return work
    }
}
