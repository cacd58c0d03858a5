import PersistenceCore
import Synchronization

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The thread of a proxy.
///
/// It waits for sockets without the lock and works under it, so that a change from outside is complete when the call
/// returns. A socket that such a change closes during the wait may be reported ready afterwards, or its number may belong
/// to a new one by then: that costs a read or write in vain, because no socket here ever blocks.
final class ProxyLoop: Sendable {
    private let state: Mutex<ProxyState>
    private let wakeReading: CInt
    private let wakeWriting: CInt

    init(listener: CInt, target: ProxySocket.Address) throws(PersistenceError) {
        do throws(PersistenceError) {
            (wakeReading, wakeWriting) = try ProxySocket.pipe()
        } catch {
            close(listener)
            throw error
        }
        state = Mutex(ProxyState(listener: listener, target: target))
        let retained = Unmanaged.passRetained(self)
        guard Self.startThread(retained) else {
            retained.release()
            close(listener)
            throw ProxySocket.failure("pthread_create")
        }
    }

    deinit {
        close(wakeReading)
        close(wakeWriting)
    }

    /// Looks at the state or changes it, and lets the thread act on the change.
    func update<Result: Sendable>(_ body: (inout ProxyState) -> Result) -> Result {
        let result = state.withLock { body(&$0) }
        var byte: UInt8 = 0
        // A full pipe wakes the thread as well.
        _ = write(wakeWriting, &byte, 1)
        return result
    }

    func stop() {
        update { $0.stop() }
    }

    private static func startThread(_ retained: Unmanaged<ProxyLoop>) -> Bool {
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
                #endif
                if let context { Unmanaged<ProxyLoop>.fromOpaque(context).takeRetainedValue().run() }
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

    private func run() {
        var ready: [CInt: Int16] = [:]
        while true {
            let wait = state.withLock { $0.turn(ready, now: Self.now()) }
            guard let wait else { return }
            var polled = [pollfd(fd: wakeReading, events: Int16(POLLIN), revents: 0)]
            for (descriptor, events) in wait.interests {
                polled.append(pollfd(fd: descriptor, events: events, revents: 0))
            }
            let count = poll(&polled, nfds_t(polled.count), wait.milliseconds)
            ready.removeAll(keepingCapacity: true)
            guard count > 0 else { continue }
            for entry in polled.dropFirst() where entry.revents != 0 { ready[entry.fd] = entry.revents }
            if polled[0].revents != 0 { _ = ProxyLoop.drain(wakeReading) }
        }
    }

    private static func drain(_ descriptor: CInt) -> Int {
        withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { buffer in
            read(descriptor, buffer.baseAddress, buffer.count)
        }
    }

    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }
}
