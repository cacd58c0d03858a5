internal import CMongoC
internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// A socket to a server, which any thread may interrupt while another waits for it.
///
/// The driver's own sockets can only be waited for: a cancelled operation would hold its client until the server answers.
/// The thread that uses the connection is the only one to close it, so that the descriptor cannot become another file's
/// under an interruption.
final class ServerConnection: Sendable {
    private struct State {
        var descriptor: CInt
        var isBusy = false
        var isInterrupted = false
    }

    let openedAt = ContinuousClock.now
    private let descriptor: CInt
    private let owner: ClientConnections
    private let state: Mutex<State>
    private let timedOutFlag = Atomic<Bool>(false)
    /// How long the socket lets a call wait that receives, in milliseconds; 0 is without limit.
    private let receiveLimit = Atomic<Int32>(0)

    private init(descriptor: CInt, owner: ClientConnections) {
        self.descriptor = descriptor
        self.owner = owner
        state = Mutex(State(descriptor: descriptor))
    }

    /// Whether the last failure was a wait that ran out, or an interruption.
    ///
    /// The driver then drops this connection alone; any other failure would make it give up the server and all
    /// connections to it.
    var hasTimedOut: Bool { timedOutFlag.load(ordering: .relaxed) }

    /// Ends the wait of the thread that uses the connection; the connection is of no use afterwards.
    func interrupt() {
        state.withLock { state in
            guard state.descriptor >= 0, state.isBusy, !state.isInterrupted else { return }
            state.isInterrupted = true
            // Before anybody can notice: whoever gets the client next finds it counted.
            owner.counts.noteInterrupted()
            shutdown(state.descriptor, CInt(SHUT_RDWR))
        }
    }

    func close() {
        let descriptor = state.withLock { state in
            defer { state.descriptor = -1 }
            return state.descriptor
        }
        guard descriptor >= 0 else { return }
        owner.remove(self)
        #if canImport(Darwin)
            _ = Darwin.close(descriptor)
        #elseif canImport(Musl)
            _ = Musl.close(descriptor)
        #else
            _ = Glibc.close(descriptor)
        #endif
    }

    // MARK: Opening

    /// What opening came to.
    enum Opening {
        case open(ServerConnection)
        case unknownHost
        case failed(CInt)
    }

    /// Connects to a host, trying its addresses one after the other.
    static func open(host: String, port: UInt16, timeout: Int32, owner: ClientConnections) -> Opening {
        if host.hasPrefix("/") { return openSocket(path: host, timeout: timeout, owner: owner) }
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = streamKind
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &list) == 0, let list else { return .unknownHost }
        defer { freeaddrinfo(list) }
        var failure = ETIMEDOUT
        var next: UnsafeMutablePointer<addrinfo>? = list
        while let entry = next {
            switch connect(
                family: entry.pointee.ai_family, address: entry.pointee.ai_addr, length: entry.pointee.ai_addrlen,
                timeout: timeout, owner: owner)
            {
            case .failed(let code): failure = code
            case let other: return other
            }
            next = entry.pointee.ai_next
        }
        return .failed(failure)
    }

    private static func openSocket(path: String, timeout: Int32, owner: ClientConnections) -> Opening {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return .failed(ENAMETOOLONG) }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                connect(
                    family: AF_UNIX, address: address, length: socklen_t(MemoryLayout<sockaddr_un>.size),
                    timeout: timeout, owner: owner)
            }
        }
    }

    private static func connect(
        family: CInt, address: UnsafeMutablePointer<sockaddr>?, length: socklen_t, timeout: Int32,
        owner: ClientConnections
    ) -> Opening {
        let descriptor = socket(family, streamKind, 0)
        guard descriptor >= 0 else { return .failed(errno) }
        let connection = ServerConnection(descriptor: descriptor, owner: owner)
        owner.add(connection)
        setUp(descriptor, isTCP: family != AF_UNIX)
        #if canImport(Darwin)
            let status = Darwin.connect(descriptor, address, length)
        #elseif canImport(Musl)
            let status = Musl.connect(descriptor, address, length)
        #else
            let status = Glibc.connect(descriptor, address, length)
        #endif
        if status == 0 { return .open(connection.blocking()) }
        var code = errno
        if code == EINPROGRESS || code == EAGAIN {
            let end = SocketDeadline(milliseconds: timeout)
            guard connection.wait(for: CInt(POLLOUT), until: end) else {
                connection.close()
                return .failed(ETIMEDOUT)
            }
            code = 0
            var size = socklen_t(MemoryLayout<CInt>.size)
            getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size)
            if code == 0 { return .open(connection.blocking()) }
        }
        connection.close()
        return .failed(code)
    }

    private static var streamKind: CInt {
        #if canImport(Glibc)
            CInt(SOCK_STREAM.rawValue)
        #else
            CInt(SOCK_STREAM)
        #endif
    }

    /// Lets calls wait in the kernel, once it is connected.
    private func blocking() -> ServerConnection {
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK)
        return self
    }

    private static func setUp(_ descriptor: CInt, isTCP: Bool) {
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        func set(_ level: CInt, _ option: CInt, _ value: CInt) {
            var value = value
            setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<CInt>.size))
        }
        #if canImport(Darwin)
            set(SOL_SOCKET, SO_NOSIGPIPE, 1)
        #endif
        guard isTCP else { return }
        set(CInt(IPPROTO_TCP), TCP_NODELAY, 1)
        set(SOL_SOCKET, SO_KEEPALIVE, 1)
        #if os(Linux)
            // The driver's own values: 120 s of silence, then nine probes 10 s apart.
            set(CInt(IPPROTO_TCP), TCP_KEEPIDLE, 120)
            set(CInt(IPPROTO_TCP), TCP_KEEPINTVL, 10)
            set(CInt(IPPROTO_TCP), TCP_KEEPCNT, 9)
        #endif
    }
}

// MARK: - Transferring, on the thread that uses the connection

extension ServerConnection {
    /// Waits until the socket can be read or written.
    ///
    /// - Returns: False when time ran out, or when the connection was interrupted.
    func wait(for events: CInt, until end: SocketDeadline) -> Bool {
        let isFree = state.withLock { state in
            state.isBusy = true
            return !state.isInterrupted
        }
        defer { state.withLock { $0.isBusy = false } }
        guard isFree else { return noteTimeout() }
        var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        while true {
            let count = poll(&entry, 1, end.remaining)
            if count < 0, errno == EINTR { continue }
            if count == 0 { return noteTimeout() }
            // An interrupted socket is readable too: it is at its end.
            return state.withLock { !$0.isInterrupted } ? true : noteTimeout()
        }
    }

    private func noteTimeout() -> Bool {
        timedOutFlag.store(true, ordering: .relaxed)
        errno = ETIMEDOUT
        return false
    }

    /// Writes all of it.
    ///
    /// - Returns: How many bytes were written: fewer when time ran out; -1 on failure.
    func write(_ vectors: UnsafeMutablePointer<iovec>, count: Int, timeout: Int32) -> Int {
        let end = SocketDeadline(milliseconds: timeout)
        var total = 0
        var index = 0
        while index < count {
            guard vectors[index].iov_len > 0 else {
                index += 1
                continue
            }
            var message = msghdr()
            message.msg_iov = vectors + index
            message.msg_iovlen = .init(min(count - index, 1024))
            #if canImport(Darwin)
                let sent = sendmsg(descriptor, &message, CInt(MSG_DONTWAIT))
            #else
                let sent = sendmsg(descriptor, &message, CInt(MSG_NOSIGNAL | MSG_DONTWAIT))
            #endif
            if sent < 0 {
                if errno == EINTR { continue }
                guard errno == EAGAIN || errno == EWOULDBLOCK else { return fail() }
                guard wait(for: CInt(POLLOUT), until: end) else { return total > 0 ? total : -1 }
                continue
            }
            total += sent
            Self.advance(vectors, &index, count, by: sent)
        }
        return total
    }

    /// Reads at least `minimum` bytes, and what else is there.
    ///
    /// - Parameters:
    ///   - vectors: Where to; they are moved on.
    ///   - count: How many there are.
    ///   - minimum: How many bytes must come.
    ///   - timeout: For how long to wait, in milliseconds; negative is without limit.
    /// - Returns: How many bytes were read; -1 on failure, or when time ran out.
    func read(_ vectors: UnsafeMutablePointer<iovec>, count: Int, minimum: Int, timeout: Int32) -> Int {
        let end = SocketDeadline(milliseconds: timeout)
        var total = 0
        var index = 0
        var limit = timeout
        while index < count {
            guard vectors[index].iov_len > 0 else {
                index += 1
                continue
            }
            let isAll = index + 1 == count && vectors[index].iov_len <= minimum - total
            let received = receive(vectors + index, count: count - index, isAll: isAll, limit: limit)
            if received < 0, errno == EINTR {
                limit = end.remaining
                continue
            }
            if received < 0, errno == EAGAIN || errno == EWOULDBLOCK {
                _ = noteTimeout()
                return -1
            }
            if received == 0 { errno = ECONNRESET }
            if received <= 0 { return fail() }
            total += received
            if total >= minimum { return total }
            Self.advance(vectors, &index, count, by: received)
            limit = end.remaining
        }
        return total
    }

    /// Waits for bytes in the call that receives them: one call of the system for an answer that is still to come, where
    /// a socket that does not block takes three.
    ///
    /// - Parameters:
    ///   - isAll: Whether to wait until the vectors are full.
    ///   - limit: For how long, in milliseconds; 0 is not at all, negative is without limit.
    private func receive(_ vectors: UnsafeMutablePointer<iovec>, count: Int, isAll: Bool, limit: Int32) -> Int {
        var flags = isAll ? CInt(MSG_WAITALL) : 0
        if limit == 0 { flags |= CInt(MSG_DONTWAIT) } else { limitReceiving(to: max(limit, 0)) }
        let isFree = state.withLock { state in
            state.isBusy = true
            return !state.isInterrupted
        }
        var message = msghdr()
        message.msg_iov = vectors
        message.msg_iovlen = .init(min(count, 1024))
        // An interruption, even one that comes right now, ends the call: the socket is then at its end.
        let received = isFree ? recvmsg(descriptor, &message, flags) : 0
        let code = errno
        let isInterrupted = state.withLock { state in
            state.isBusy = false
            return state.isInterrupted
        }
        // Nothing that has come is of use any more: the driver would go on to use the connection.
        errno = isInterrupted ? EAGAIN : code
        return isInterrupted ? -1 : received
    }

    private func limitReceiving(to milliseconds: Int32) {
        guard receiveLimit.load(ordering: .relaxed) != milliseconds else { return }
        var limit = timeval(
            tv_sec: .init(milliseconds / 1000), tv_usec: .init(milliseconds % 1000 * 1000))
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        receiveLimit.store(milliseconds, ordering: .relaxed)
    }

    /// The interruption is what the driver hears of when it was the cause.
    private func fail() -> Int {
        if state.withLock({ $0.isInterrupted }) { _ = noteTimeout() }
        return -1
    }

    private static func advance(
        _ vectors: UnsafeMutablePointer<iovec>, _ index: inout Int, _ count: Int, by bytes: Int
    ) {
        var rest = bytes
        while index < count, rest >= vectors[index].iov_len {
            rest -= vectors[index].iov_len
            index += 1
        }
        if index < count, rest > 0 {
            vectors[index].iov_base += rest
            vectors[index].iov_len -= rest
        }
    }

    /// Whether the server has closed its end, as far as one can tell without waiting.
    var isClosedByPeer: Bool {
        if state.withLock({ $0.isInterrupted }) { return true }
        var entries = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
        guard systemPoll(&entries, 0) > 0 else { return false }
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, CInt(MSG_PEEK)) < 1
    }

    /// Waits for several connections at once.
    static func waitForAny(_ connections: [(ServerConnection, CInt)], timeout: Int32) -> (count: Int, events: [CInt]) {
        var entries = connections.map {
            pollfd(fd: $0.0.descriptor, events: Int16(truncatingIfNeeded: $0.1), revents: 0)
        }
        let end = SocketDeadline(milliseconds: timeout)
        for (connection, _) in connections { connection.state.withLock { $0.isBusy = true } }
        defer { for (connection, _) in connections { connection.state.withLock { $0.isBusy = false } } }
        var count: CInt
        repeat {
            count = systemPoll(&entries, end.remaining)
        } while count < 0 && errno == EINTR
        if count == 0 { for (connection, _) in connections { _ = connection.noteTimeout() } }
        return (Int(count), entries.map { CInt($0.revents) })
    }

    func setOption(_ level: CInt, _ option: CInt, _ value: UnsafeMutableRawPointer?, _ length: socklen_t) -> CInt {
        setsockopt(descriptor, level, option, value, length)
    }
}

private func systemPoll(_ entries: inout [pollfd], _ timeout: CInt) -> CInt {
    poll(&entries, nfds_t(entries.count), timeout)
}

/// Until when a transfer may take.
struct SocketDeadline {
    private let end: ContinuousClock.Instant?

    /// - Parameter milliseconds: The driver's timeout: none when it is negative.
    init(milliseconds: Int32) {
        end = milliseconds < 0 ? nil : ContinuousClock.now.advanced(by: .milliseconds(Int(milliseconds)))
    }

    /// The time that is left as `poll` takes it; -1 is without limit.
    var remaining: CInt {
        guard let end else { return -1 }
        let left = ContinuousClock.now.duration(to: end)
        return left <= .zero ? 0 : CInt(clamping: left.wholeMilliseconds)
    }
}
