#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Where one thread waits for work to be handed to it.
///
/// @unchecked: `work` is touched only while `mutex` is held, `current` and `offered` by the spot's own thread alone; the
/// pointers never change.
final class ParkingSpot: @unchecked Sendable {
    typealias Item = DriverThreads.Item

    /// What the spot's thread is doing.
    enum Activity {
        case nothing
        case call
        case job
    }

    /// The threads that the spot's thread is one of.
    let owner: ObjectIdentifier
    var current = Activity.nothing
    private var offered: Item?
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var work: Item?

    init(owner: ObjectIdentifier) {
        self.owner = owner
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

    // MARK: On the spot's own thread

    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key, nil)
        return key
    }()

    /// The spot of the thread that asks; only threads of ``DriverThreads`` have one.
    static var current: ParkingSpot? {
        pthread_getspecific(key).map { Unmanaged<ParkingSpot>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Makes this the calling thread's spot, for as long as the thread lives.
    ///
    /// The thread keeps the spot alive.
    func makeCurrent() {
        pthread_setspecific(Self.key, Unmanaged.passUnretained(self).toOpaque())
    }

    /// Offers the thread what it is to do after what it is doing.
    ///
    /// - Returns: False when another thread should do it.
    func offer(_ item: Item) -> Bool {
        guard offered == nil, current == (item.isJob ? .call : .job) else { return false }
        offered = item
        return true
    }

    var hasOffer: Bool { offered != nil }

    func takeOffer() -> Item? {
        defer { offered = nil }
        return offered
    }

    // MARK: Handing over

    /// Hands work to the thread that waits here, or soon will.
    func hand(_ work: Item) {
        pthread_mutex_lock(mutex)
        self.work = work
        pthread_mutex_unlock(mutex)
        // Not before: the thread would wake up to wait for the mutex.
        pthread_cond_signal(condition)
    }

    /// Waits for work.
    ///
    /// - Parameter nanoseconds: How long at most; `nil` is without limit.
    /// - Returns: The work, or `nil` when none came.
    func wait(nanoseconds: UInt64?) -> Item? {
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

    private func take() -> Item? {
        defer { work = nil }
        return work
    }
}
