import PersistenceCore

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The system calls of a proxy, with the differences between the systems taken out.
enum ProxySocket {
    /// What a read or a write came to.
    enum Transfer {
        case bytes(Int)
        /// The socket has nothing, or takes nothing, for now.
        case later
        case end
        case broken
    }

    /// The bytes of a `sockaddr`, so that addresses of every family are kept alike.
    typealias Address = [UInt8]

    static func address(host: String, port: Int) throws(PersistenceError) -> Address {
        guard (1...65_535).contains(port) else {
            throw PersistenceError(.configuration, "the port is not from 1 to 65535", operation: "proxy.start")
        }
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = streamKind
        var list: UnsafeMutablePointer<addrinfo>?
        guard !host.utf8.contains(0), getaddrinfo(host, String(port), &hints, &list) == 0, let first = list else {
            throw PersistenceError(.configuration, "the proxy's target host is not known", operation: "proxy.start")
        }
        defer { freeaddrinfo(first) }
        return Array(UnsafeRawBufferPointer(start: first.pointee.ai_addr, count: Int(first.pointee.ai_addrlen)))
    }

    /// Listens on a port of 127.0.0.1 that is free.
    static func listen() throws(PersistenceError) -> (descriptor: CInt, port: Int) {
        let descriptor = socket(AF_INET, streamKind, 0)
        guard descriptor >= 0 else { throw failure("socket") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
            }
        }
        guard isBound, systemListen(descriptor), setUp(descriptor) else {
            close(descriptor)
            throw failure("listen")
        }
        return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
    }

    /// Begins to connect, without waiting.
    static func connect(to address: Address) -> CInt? {
        let family = address.withUnsafeBytes { bytes in
            // `loadUnaligned` because an array of bytes promises no alignment.
            CInt(bytes.loadUnaligned(as: sockaddr.self).sa_family)
        }
        let descriptor = socket(family, streamKind, 0)
        guard descriptor >= 0 else { return nil }
        guard setUp(descriptor) else {
            close(descriptor)
            return nil
        }
        let result = address.withUnsafeBytes { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) { address in
                systemConnect(descriptor, address.baseAddress, socklen_t(bytes.count))
            }
        }
        guard result == 0 || errno == EINPROGRESS else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    /// Whether a connection that was begun has come to its end, good or bad.
    static func isSettled(_ descriptor: CInt) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&entry, 1, 0) > 0
    }

    /// Whether a connection that was begun has succeeded, once it is settled.
    static func isConnected(_ descriptor: CInt) -> Bool {
        var error: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0
    }

    /// Takes the next connection; `nil` when there is none.
    static func accept(_ listener: CInt) -> CInt? {
        let descriptor = systemAccept(listener)
        guard descriptor >= 0 else { return nil }
        guard setUp(descriptor) else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    static func read(_ descriptor: CInt, atMost count: Int) -> (Transfer, [UInt8]) {
        var received = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            received = recv(descriptor, buffer.baseAddress, count, 0)
            initialized = max(0, received)
        }
        if received > 0 { return (.bytes(received), bytes) }
        return (received == 0 ? .end : isTemporary(errno) ? .later : .broken, [])
    }

    static func write(_ descriptor: CInt, _ bytes: ArraySlice<UInt8>) -> Transfer {
        #if canImport(Darwin)
            let flags: CInt = 0
        #else
            let flags = CInt(MSG_NOSIGNAL)
        #endif
        let sent = bytes.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, flags) }
        if sent >= 0 { return .bytes(sent) }
        return isTemporary(errno) ? .later : .broken
    }

    static func endWriting(_ descriptor: CInt) {
        shutdown(descriptor, CInt(SHUT_WR))
    }

    /// Closes a socket so that the other side sees a reset.
    static func reset(_ descriptor: CInt) {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        close(descriptor)
    }

    static func close(_ descriptor: CInt) {
        #if canImport(Darwin)
            _ = Darwin.close(descriptor)
        #elseif canImport(Glibc)
            _ = Glibc.close(descriptor)
        #else
            _ = Musl.close(descriptor)
        #endif
    }

    /// A pipe that ends a wait for sockets.
    static func pipe() throws(PersistenceError) -> (reading: CInt, writing: CInt) {
        var ends: [CInt] = [-1, -1]
        guard systemPipe(&ends) == 0 else { throw failure("pipe") }
        for end in ends { _ = setUp(end, isSocket: false) }
        return (ends[0], ends[1])
    }

    static func failure(_ call: String) -> PersistenceError {
        PersistenceError(.resourceExhausted, "\(call) failed with error \(errno)", operation: "proxy.start")
    }

    private static func isTemporary(_ error: CInt) -> Bool {
        error == EAGAIN || error == EWOULDBLOCK || error == EINTR
    }

    /// Never blocks, is not inherited, sends small packets at once.
    private static func setUp(_ descriptor: CInt, isSocket: Bool = true) -> Bool {
        guard fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) == 0,
            fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0
        else { return false }
        guard isSocket else { return true }
        var on: CInt = 1
        let size = socklen_t(MemoryLayout<CInt>.size)
        setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &on, size)
        #if canImport(Darwin)
            setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &on, size)
        #endif
        return true
    }

    // The names of these are taken by the functions above.

    private static func systemListen(_ descriptor: CInt) -> Bool {
        #if canImport(Darwin)
            Darwin.listen(descriptor, 128) == 0
        #elseif canImport(Glibc)
            Glibc.listen(descriptor, 128) == 0
        #else
            Musl.listen(descriptor, 128) == 0
        #endif
    }

    private static func systemConnect(
        _ descriptor: CInt, _ address: UnsafePointer<sockaddr>?, _ length: socklen_t
    ) -> CInt {
        #if canImport(Darwin)
            Darwin.connect(descriptor, address, length)
        #elseif canImport(Glibc)
            address.map { Glibc.connect(descriptor, $0, length) } ?? -1
        #else
            address.map { Musl.connect(descriptor, $0, length) } ?? -1
        #endif
    }

    private static func systemAccept(_ listener: CInt) -> CInt {
        #if canImport(Darwin)
            Darwin.accept(listener, nil, nil)
        #elseif canImport(Glibc)
            Glibc.accept(listener, nil, nil)
        #else
            Musl.accept(listener, nil, nil)
        #endif
    }

    private static func systemPipe(_ ends: inout [CInt]) -> CInt {
        #if canImport(Darwin)
            Darwin.pipe(&ends)
        #elseif canImport(Glibc)
            Glibc.pipe(&ends)
        #else
            Musl.pipe(&ends)
        #endif
    }

    private static var streamKind: CInt {
        #if canImport(Glibc)
            CInt(SOCK_STREAM.rawValue)
        #else
            SOCK_STREAM
        #endif
    }
}
