// What a server needs that has its clients' sockets served by the thread that serves the database's: a query's answer
// goes out where it came in, without a switch of threads. Not part of the library's promises, hence hidden from those
// who do not ask for it by name.

/// Something that a reactor tells about a socket, always on the reactor's thread.
@_spi(ReactorSockets)
public protocol PostgresReactorSocketHandler: AnyObject, Sendable {
    /// The socket can be read from or written to, or is broken, which reading tells.
    func socketReady(canRead: Bool, canWrite: Bool)
}

/// One thread of a reactor.
@_spi(ReactorSockets)
public struct PostgresReactorThread: Sendable {
    private let thread: ReactorThread

    init(_ thread: ReactorThread) {
        self.thread = thread
    }

    /// Whether the caller runs on the thread.
    public var isCurrent: Bool { thread.isCurrentThread }

    /// Runs something on the thread, after whatever runs there now.
    ///
    /// - Parameter action: The work. It runs on the caller's thread when the reactor has ended.
    public func performLater(_ action: @escaping @Sendable () -> Void) {
        thread.performLater(action)
    }

    /// Watches a socket for reading; called on the thread.
    ///
    /// - Parameters:
    ///   - descriptor: The socket, which must not block. It stays the caller's, to be closed after the watch has ended.
    ///   - handler: Is told, and kept alive until the watch ends.
    /// - Returns: The watch; `nil` when the kernel refuses.
    public func watch(
        _ descriptor: Int32, for handler: any PostgresReactorSocketHandler
    ) -> PostgresReactorSocket? {
        let relay = SocketRelay(handler)
        guard let token = thread.register(descriptor, interest: .read, handler: relay) else { return nil }
        return PostgresReactorSocket(thread: thread, descriptor: descriptor, token: token)
    }
}

/// A socket that a reactor watches; used on its thread.
@_spi(ReactorSockets)
public struct PostgresReactorSocket: Sendable {
    let thread: ReactorThread
    let descriptor: Int32
    let token: UInt64

    /// Says what to wait for.
    ///
    /// - Parameters:
    ///   - reading: Whether to tell when there is something to read.
    ///   - writing: Whether to tell when there is room to write.
    public func setInterest(reading: Bool, writing: Bool) {
        var interest: Readiness = reading ? .read : []
        if writing { interest.insert(.write) }
        thread.setInterest(interest, descriptor: descriptor, token: token)
    }

    /// Ends the watch; the handler hears nothing more.
    public func end() {
        thread.deregister(descriptor, token: token)
    }
}

extension PostgresReactor {
    /// The reactor's first thread: the only one, when it was made with one.
    @_spi(ReactorSockets)
    public var firstThread: PostgresReactorThread { PostgresReactorThread(threads[0]) }
}

private final class SocketRelay: ReactorHandler {
    private let handler: any PostgresReactorSocketHandler

    init(_ handler: any PostgresReactorSocketHandler) {
        self.handler = handler
    }

    func socketReady(_ readiness: Readiness) {
        handler.socketReady(canRead: readiness.contains(.read), canWrite: readiness.contains(.write))
    }

    func timerFired() {}
}
