internal import NIOCore
@_spi(ReactorSockets) internal import PostgresEngine

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Accepts clients on an event loop of the reactor.
///
/// @unchecked: everything mutable is used on the event loop alone.
final class ReactorListener: PostgresReactorSocketHandler, @unchecked Sendable {
    /// Where it listens.
    let address: SocketAddress
    private let loop: ReactorEventLoop
    private let descriptor: Int32
    private let initialize: @Sendable (ReactorChannel) throws -> Void
    private let closed: EventLoopPromise<Void>
    private var watch: PostgresReactorSocket?
    private var isOpen = true
    private var channels: [ObjectIdentifier: ReactorChannel] = [:]

    /// Begins to listen; clients are accepted after ``start()``.
    ///
    /// - Parameters:
    ///   - wanted: Where to listen. The port 0 takes a free one. The socket file of a server that is gone is replaced, and
    ///     this one's goes with it.
    ///   - loop: Where clients are served.
    ///   - initialize: Gives a client's channel its handlers, on the event loop; a client is refused by throwing.
    init(
        at wanted: SocketAddress, loop: ReactorEventLoop,
        initialize: @escaping @Sendable (ReactorChannel) throws -> Void
    ) throws {
        self.loop = loop
        self.initialize = initialize
        let family = wanted.withSockAddr { address, _ in Int32(address.pointee.sa_family) }
        #if canImport(Glibc)
            let descriptor = socket(family, Int32(SOCK_STREAM.rawValue), 0)
        #else
            let descriptor = socket(family, SOCK_STREAM, 0)
        #endif
        guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "socket") }
        do {
            address = try Self.listen(descriptor, at: wanted)
        } catch {
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
        closed = loop.makePromise()
    }

    /// Accepts clients from now on.
    func start() {
        loop.execute { [self] in
            guard isOpen else { return }
            watch = loop.watch(descriptor, for: self)
            if watch == nil { stop() }
        }
    }

    /// Accepts nobody any more; clients that are connected stay.
    func stop() {
        loop.execute { [self] in
            guard isOpen else { return }
            isOpen = false
            watch?.end()
            watch = nil
            close(descriptor)
            if let path = address.pathname { unlink(path) }
            closed.succeed()
        }
    }

    /// Waits until ``stop()`` was called.
    func waitUntilStopped() async {
        try? await closed.futureResult.get()
    }

    /// Closes the clients' connections.
    func closeChannels() {
        loop.execute { [self] in
            for channel in channels.values { channel.close(promise: nil) }
        }
    }

    func socketReady(canRead: Bool, canWrite: Bool) {
        // A few at once; the rest after the others' turn.
        for _ in 0..<16 {
            guard isOpen else { return }
            let client = accept(descriptor, nil, nil)
            guard client >= 0 else {
                switch errno {
                case EINTR, ECONNABORTED: continue
                case EAGAIN: return
                default: return pause()
                }
            }
            serve(client)
        }
    }

    private func serve(_ client: Int32) {
        Self.prepare(client)
        if address.pathname == nil { Self.set(client, Int32(IPPROTO_TCP), TCP_NODELAY) }
        #if canImport(Darwin)
            Self.set(client, SOL_SOCKET, SO_NOSIGPIPE)
        #endif
        let channel = ReactorChannel(
            descriptor: client, remoteAddress: Self.address(of: client, getpeername), localAddress: address, loop: loop)
        let id = ObjectIdentifier(channel)
        channels[id] = channel
        channel.closeFuture.whenComplete { [self] _ in channels[id] = nil }
        do {
            try initialize(channel)
            channel.start()
        } catch {
            channel.close(promise: nil)
        }
    }

    /// Descriptors or memory have run out: accepting at once again would only turn in circles.
    private func pause() {
        watch?.setInterest(reading: false, writing: false)
        _ = loop.scheduleTask(in: .milliseconds(100)) { [self] in
            watch?.setInterest(reading: true, writing: false)
        }
    }

    /// Returns the address with the port that the kernel has chosen.
    private static func listen(_ descriptor: Int32, at wanted: SocketAddress) throws -> SocketAddress {
        prepare(descriptor)
        if wanted.pathname == nil {
            set(descriptor, SOL_SOCKET, SO_REUSEADDR)
        } else {
            removeRemains(of: wanted)
        }
        let isBound = wanted.withSockAddr { address, size in bindSocket(descriptor, address, socklen_t(size)) }
        guard isBound else { throw IOError(errnoCode: errno, reason: "bind") }
        // For the owner alone, before anybody can connect.
        if let path = wanted.pathname, chmod(path, 0o700) != 0 { throw IOError(errnoCode: errno, reason: "chmod") }
        guard listenOn(descriptor) else { throw IOError(errnoCode: errno, reason: "listen") }
        if wanted.pathname != nil { return wanted }
        guard let bound = address(of: descriptor, getsockname) else {
            throw IOError(errnoCode: errno, reason: "getsockname")
        }
        return bound
    }

    /// Removes a socket's file when nobody listens on it any more; anything else that is there makes binding fail.
    private static func removeRemains(of address: SocketAddress) {
        guard let path = address.pathname else { return }
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return }
        #if canImport(Glibc)
            let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        #else
            let probe = socket(AF_UNIX, SOCK_STREAM, 0)
        #endif
        guard probe >= 0 else { return }
        defer { close(probe) }
        let isRefused = address.withSockAddr { address, size in
            connectSocket(probe, address, socklen_t(size)) != 0 && errno == ECONNREFUSED
        }
        if isRefused { unlink(path) }
    }

    private static func prepare(_ descriptor: Int32) {
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    private static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32) {
        var on: Int32 = 1
        setsockopt(descriptor, level, option, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    private static func address(
        of descriptor: Int32,
        _ ask: (Int32, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) -> SocketAddress? {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { storage in
            let raw = UnsafeMutableRawPointer(storage)
            guard ask(descriptor, raw.assumingMemoryBound(to: sockaddr.self), &size) == 0 else { return nil }
            switch Int32(storage.pointee.ss_family) {
            case AF_INET: return SocketAddress(raw.load(as: sockaddr_in.self))
            case AF_INET6: return SocketAddress(raw.load(as: sockaddr_in6.self))
            default: return nil
            }
        }
    }
}

// Outside of the listener, whose methods have the same names.

private func bindSocket(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ size: socklen_t) -> Bool {
    bind(descriptor, address, size) == 0
}

private func connectSocket(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ size: socklen_t) -> Int32 {
    connect(descriptor, address, size)
}

private func listenOn(_ descriptor: Int32) -> Bool {
    listen(descriptor, 256) == 0
}
