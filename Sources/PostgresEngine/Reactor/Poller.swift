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

/// What a descriptor is ready for.
struct Readiness: OptionSet {
    let rawValue: UInt8

    static let read = Readiness(rawValue: 1)
    static let write = Readiness(rawValue: 2)
}

#if os(Linux)
    /// The kernel's readiness queue: epoll, and an eventfd to interrupt a wait.
    ///
    /// Interests may be changed from any thread (the kernel serialises `epoll_ctl`); waiting belongs to one thread.
    struct Poller: ~Copyable {
        private let queue: Int32
        private let wakeDescriptor: Int32
        private let events: UnsafeMutablePointer<epoll_event>
        private static let capacity: Int32 = 256
        private static let wakeToken = UInt64.max

        init() throws(PersistenceError) {
            let queue = ceventloop_create()
            guard queue >= 0 else { throw Self.failure("epoll_create1") }
            let wake = ceventloop_create_wake()
            guard wake >= 0 else {
                close(queue)
                throw Self.failure("eventfd")
            }
            self.queue = queue
            self.wakeDescriptor = wake
            self.events = .allocate(capacity: Int(Self.capacity))
            // Edge-triggered, so that the counter never has to be read: every write is an edge.
            var event = epoll_event(
                events: CEVENTLOOP_IN | CEVENTLOOP_EDGE, data: epoll_data_t(u64: Self.wakeToken))
            epoll_ctl(queue, EPOLL_CTL_ADD, wake, &event)
        }

        deinit {
            close(wakeDescriptor)
            close(queue)
            events.deallocate()
        }

        /// Interrupts a wait, from any thread.
        func wake() {
            var one: UInt64 = 1
            _ = write(wakeDescriptor, &one, 8)
        }

        func add(_ descriptor: Int32, token: UInt64, interest: Readiness) -> Bool {
            control(EPOLL_CTL_ADD, descriptor, token, interest)
        }

        func change(_ descriptor: Int32, token: UInt64, interest: Readiness) {
            _ = control(EPOLL_CTL_MOD, descriptor, token, interest)
        }

        func remove(_ descriptor: Int32) {
            var event = epoll_event()
            epoll_ctl(queue, EPOLL_CTL_DEL, descriptor, &event)
        }

        private func control(_ operation: Int32, _ descriptor: Int32, _ token: UInt64, _ interest: Readiness) -> Bool {
            var mask: UInt32 = 0
            if interest.contains(.read) { mask |= CEVENTLOOP_IN | CEVENTLOOP_PEER_CLOSED }
            if interest.contains(.write) { mask |= CEVENTLOOP_OUT }
            var event = epoll_event(events: mask, data: epoll_data_t(u64: token))
            return epoll_ctl(queue, operation, descriptor, &event) == 0
        }

        /// Waits, then calls `body` for every ready descriptor.
        ///
        /// - Parameter milliseconds: How long to wait at most; -1 is without limit.
        func wait(milliseconds: Int32, _ body: (UInt64, Readiness) -> Void) {
            let count = epoll_wait(queue, events, Self.capacity, milliseconds)
            guard count > 0 else { return }
            for index in 0..<Int(count) {
                let token = events[index].data.u64
                guard token != Self.wakeToken else { continue }
                let mask = events[index].events
                var readiness: Readiness = []
                // An error or a hang-up is found by reading, so it counts as readable.
                let readable = CEVENTLOOP_IN | CEVENTLOOP_ERROR | CEVENTLOOP_HANGUP | CEVENTLOOP_PEER_CLOSED
                if mask & readable != 0 { readiness.insert(.read) }
                let writable = CEVENTLOOP_OUT | CEVENTLOOP_ERROR | CEVENTLOOP_HANGUP
                if mask & writable != 0 { readiness.insert(.write) }
                body(token, readiness)
            }
        }

        private static func failure(_ call: String) -> PersistenceError {
            PersistenceError(.resourceExhausted, "\(call) failed: \(String(cString: strerror(errno)))")
        }
    }
#else
    /// The kernel's readiness queue: kqueue, and a user event to interrupt a wait.
    ///
    /// Interests may be changed from any thread; waiting belongs to one thread.
    struct Poller: ~Copyable {
        private let queue: Int32
        private let events: UnsafeMutablePointer<kevent>
        private static let capacity: Int32 = 256
        private static let wakeToken = UInt64.max

        init() throws(PersistenceError) {
            let queue = kqueue()
            guard queue >= 0 else {
                throw PersistenceError(.resourceExhausted, "kqueue failed: \(String(cString: strerror(errno)))")
            }
            self.queue = queue
            self.events = .allocate(capacity: Int(Self.capacity))
            submit(0, EVFILT_USER, EV_ADD | EV_CLEAR, flags: 0, token: Self.wakeToken)
        }

        deinit {
            close(queue)
            events.deallocate()
        }

        /// Interrupts a wait, from any thread.
        func wake() {
            submit(0, EVFILT_USER, 0, flags: UInt32(NOTE_TRIGGER), token: Self.wakeToken)
        }

        func add(_ descriptor: Int32, token: UInt64, interest: Readiness) -> Bool {
            change(descriptor, token: token, interest: interest)
            return true
        }

        func change(_ descriptor: Int32, token: UInt64, interest: Readiness) {
            let read = interest.contains(.read) ? EV_ADD : EV_DELETE
            let write = interest.contains(.write) ? EV_ADD : EV_DELETE
            submit(UInt(descriptor), EVFILT_READ, read, flags: 0, token: token)
            submit(UInt(descriptor), EVFILT_WRITE, write, flags: 0, token: token)
        }

        func remove(_ descriptor: Int32) {
            submit(UInt(descriptor), EVFILT_READ, EV_DELETE, flags: 0, token: 0)
            submit(UInt(descriptor), EVFILT_WRITE, EV_DELETE, flags: 0, token: 0)
        }

        private func submit(_ ident: UInt, _ filter: Int32, _ action: Int32, flags: UInt32, token: UInt64) {
            var event = kevent(
                ident: ident, filter: Int16(filter), flags: UInt16(action), fflags: flags, data: 0,
                udata: UnsafeMutableRawPointer(bitPattern: UInt(token)))
            _ = kevent(queue, &event, 1, nil, 0, nil)
        }

        /// Waits, then calls `body` for every ready descriptor.
        ///
        /// - Parameter milliseconds: How long to wait at most; -1 is without limit.
        func wait(milliseconds: Int32, _ body: (UInt64, Readiness) -> Void) {
            var limit = timespec(tv_sec: Int(milliseconds / 1000), tv_nsec: Int(milliseconds % 1000) * 1_000_000)
            let count =
                milliseconds < 0
                ? kevent(queue, nil, 0, events, Self.capacity, nil)
                : kevent(queue, nil, 0, events, Self.capacity, &limit)
            guard count > 0 else { return }
            for index in 0..<Int(count) {
                let token = UInt64(UInt(bitPattern: events[index].udata))
                guard token != Self.wakeToken else { continue }
                body(token, Int32(events[index].filter) == EVFILT_WRITE ? .write : .read)
            }
        }
    }
#endif

/// The monotonic clock in nanoseconds; comparable only within the process.
func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
}
