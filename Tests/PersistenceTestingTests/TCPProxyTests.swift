import Foundation
import PersistenceCore
import PersistenceTesting
import Testing

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

@Suite("A TCP proxy", .timeLimit(.minutes(5)))
struct TCPProxyTests {
    @Test("forwards in both directions, and counts")
    func forwards() async throws {
        let pair = try await ProxiedPair()
        pair.client.send("question")
        #expect(await pair.server.receive(8) == "question")
        pair.server.send("answer")
        #expect(await pair.client.receive(6) == "answer")
        let traffic = pair.proxy.traffic
        #expect(traffic.accepted == 1)
        #expect(traffic.open == 1)
        #expect(traffic[.toServer] == 8)
        #expect(traffic[.toClient] == 6)
    }

    @Test("forwards more than any buffer holds, unchanged")
    func forwardsMuch() async throws {
        let pair = try await ProxiedPair()
        let count = 8 << 20
        let sent = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            for index in 0..<count { buffer[index] = UInt8(truncatingIfNeeded: index &* 31 &+ index >> 8) }
            initialized = count
        }
        let client = pair.client
        let sender = Thread { client.send(sent) }
        sender.start()
        let received = await pair.server.receiveBytes(count)
        #expect(received == sent)
    }

    @Test("passes the end of one direction on, and the other goes on")
    func passesEnd() async throws {
        let pair = try await ProxiedPair()
        pair.client.send("last")
        pair.client.endWriting()
        #expect(await pair.server.receive(5) == "last")
        pair.server.send("still here")
        #expect(await pair.client.receive(10) == "still here")
        pair.server.endWriting()
        #expect(await pair.client.receive(1) == "")
    }

    @Test("delays every byte by the latency")
    func latency() async throws {
        let pair = try await ProxiedPair()
        pair.proxy.change { $0.latency = .milliseconds(100) }
        let start = ContinuousClock.now
        pair.client.send("slow")
        #expect(await pair.server.receive(4) == "slow")
        #expect(start.duration(to: .now) >= .milliseconds(100))
        pair.proxy.change { $0.latency = .seconds(-1) }
        pair.client.send("fast")
        #expect(await pair.server.receive(4) == "fast")
    }

    @Test("limits the bandwidth")
    func bandwidth() async throws {
        let pair = try await ProxiedPair()
        pair.proxy.change { $0.bytesPerSecond = 10_000 }
        let start = ContinuousClock.now
        pair.client.send([UInt8](repeating: 7, count: 2_500))
        #expect(await pair.server.receiveBytes(2_500).count == 2_500)
        // The last portion of a twentieth of a second may pass without a wait after it.
        #expect(start.duration(to: .now) >= .milliseconds(190))
        pair.proxy.change { $0.bytesPerSecond = 0 }
        pair.client.send("x")
        #expect(await pair.server.receive(1) == "x")
    }

    @Test("holds everything as a black hole, and delivers it afterwards")
    func blackHole() async throws {
        let pair = try await ProxiedPair()
        pair.proxy.change { $0.isBlackHole = true }
        pair.client.send("held")
        let another = try Peer.connected(to: pair.proxy.port)
        another.send("held, too")
        #expect(await !pair.server.isReadable(within: 100))
        #expect(pair.proxy.traffic[.toServer] == 0)
        pair.proxy.change { $0.isBlackHole = false }
        #expect(await pair.server.receive(4) == "held")
        let second = try await pair.listener.accepted()
        #expect(await second.receive(9) == "held, too")
    }

    @Test("freezes the open connections and forwards on new ones")
    func freezes() async throws {
        let pair = try await ProxiedPair()
        pair.proxy.freezeConnections()
        pair.client.send("lost")
        let fresh = try Peer.connected(to: pair.proxy.port)
        fresh.send("new")
        let second = try await pair.listener.accepted()
        #expect(await second.receive(3) == "new")
        #expect(await !pair.server.isReadable(within: 50))
        pair.server.endWriting()
        #expect(await !pair.client.isReadable(within: 50))
    }

    @Test("sends new connections elsewhere while the open ones stay")
    func redirects() async throws {
        let pair = try await ProxiedPair()
        let other = try Listener()
        try pair.proxy.redirect(port: other.port)
        let fresh = try Peer.connected(to: pair.proxy.port)
        fresh.send("elsewhere")
        #expect(await (try other.accepted()).receive(9) == "elsewhere")
        pair.client.send("here")
        #expect(await pair.server.receive(4) == "here")
        let error = #expect(throws: PersistenceError.self) { try pair.proxy.redirect(port: 0) }
        #expect(error?.code == .configuration)
    }

    @Test("keeps new connections silent while the open ones go on")
    func freezesNew() async throws {
        let pair = try await ProxiedPair()
        pair.proxy.change { $0.freezesNewConnections = true }
        let silent = try Peer.connected(to: pair.proxy.port)
        silent.send("lost")
        pair.client.send("still here")
        #expect(await pair.server.receive(10) == "still here")
        let second = try await pair.listener.accepted()
        #expect(await !second.isReadable(within: 50))
        pair.proxy.change { $0.freezesNewConnections = false }
        // What began silent stays silent.
        #expect(await !second.isReadable(within: 50))
        let fresh = try Peer.connected(to: pair.proxy.port)
        fresh.send("new")
        #expect(await (try pair.listener.accepted()).receive(3) == "new")
    }

    @Test(
        "cuts after exactly so many bytes, once, and only that connection",
        arguments: [0, 1, 5], TCPProxy.Cut.Ending.allCases)
    func cuts(_ bytes: Int, _ ending: TCPProxy.Cut.Ending) async throws {
        let pair = try await ProxiedPair()
        pair.proxy.change { $0.cut = .init(.toServer, after: bytes, ending: ending) }
        pair.client.send("0123456789")
        let received = await pair.server.receive(10)
        // A reset may take what has not been read yet with it.
        #expect(
            ending == .close ? received == "0123456789".prefix(bytes) : "0123456789".prefix(bytes).hasPrefix(received))
        #expect(await pair.client.receive(1) == "")
        #expect(pair.proxy.behaviour.cut == nil)
        #expect(pair.proxy.traffic[.toServer] == bytes)
        let fresh = try Peer.connected(to: pair.proxy.port)
        fresh.send("0123456789")
        let second = try await pair.listener.accepted()
        #expect(await second.receive(10) == "0123456789")
    }

    @Test("resets, closes and half-closes what is open")
    func ends() async throws {
        let reset = try await ProxiedPair()
        reset.proxy.resetConnections()
        #expect(await reset.client.receive(1) == "")
        #expect(reset.client.lastError == ECONNRESET)
        #expect(reset.proxy.traffic.open == 0)

        let closed = try await ProxiedPair()
        closed.proxy.closeConnections()
        #expect(await closed.client.receive(1) == "")
        #expect(closed.client.lastError == 0)
        #expect(await closed.server.receive(1) == "")

        let half = try await ProxiedPair()
        half.proxy.halfCloseConnections(.toClient)
        #expect(await half.client.receive(1) == "")
        #expect(half.client.lastError == 0)
        half.client.send("one way")
        #expect(await half.server.receive(7) == "one way")
    }

    @Test("resets a client whose server is not there")
    func serverMissing() async throws {
        let listener = try Listener()
        let port = listener.port
        listener.close()
        let proxy = try TCPProxy(port: port)
        let client = try Peer.connected(to: proxy.port)
        #expect(await client.receive(1) == "")
        proxy.stop()
    }

    @Test(
        "refuses a port and a host that cannot be", arguments: [("127.0.0.1", 0), ("127.0.0.1", 65_536), ("a\0b", 1)])
    func refuses(_ host: String, _ port: Int) {
        let error = #expect(throws: PersistenceError.self) { try TCPProxy(to: host, port: port) }
        #expect(error?.code == .configuration)
    }

    @Test("ends with its scope, twice if need be, and with its last holder")
    func stops() async throws {
        let listener = try Listener()
        struct Mine: Error {}
        var client: Peer?
        await #expect(throws: Mine.self) {
            try await TCPProxy.with(port: listener.port) { proxy in
                client = try Peer.connected(to: proxy.port)
                proxy.stop()
                throw Mine()
            }
        }
        #expect(await client?.receive(1) == "")
        var proxy: TCPProxy? = try TCPProxy(port: listener.port)
        let second = try Peer.connected(to: #require(proxy).port)
        proxy = nil
        #expect(await second.receive(1) == "")
    }

    @Test("keeps apart what a hundred connections say at the same time")
    func many() async throws {
        let listener = try Listener()
        let proxy = try TCPProxy(port: listener.port)
        let clients = try (0..<100).map { number in
            let client = try Peer.connected(to: proxy.port)
            client.send(String(format: "%04d", number))
            return client
        }
        for _ in clients {
            let server = try await listener.accepted()
            server.send(await server.receive(4))
        }
        for (number, client) in clients.enumerated() {
            #expect(await client.receive(4) == String(format: "%04d", number))
        }
        #expect(proxy.traffic.accepted == 100)
    }
}

/// A client and a server with a proxy between them.
private struct ProxiedPair {
    let listener: Listener
    let proxy: TCPProxy
    let client: Peer
    let server: Peer

    init() async throws {
        listener = try Listener()
        proxy = try TCPProxy(port: listener.port)
        client = try Peer.connected(to: proxy.port)
        server = try await listener.accepted()
    }
}

private struct SocketFailure: Error {
    let number = errno
}

private let streamKind: CInt = {
    #if canImport(Glibc)
        CInt(SOCK_STREAM.rawValue)
    #else
        SOCK_STREAM
    #endif
}()

private func withLoopback<Result>(_ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    address.sin_port = UInt16(port).bigEndian
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}

/// A listening socket.
private final class Listener {
    private let descriptor: CInt
    private var isClosed = false
    let port: Int

    init() throws {
        descriptor = socket(AF_INET, streamKind, 0)
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        guard withLoopback(0, { bind(descriptor, $0, $1) }) == 0, listen(descriptor, 128) == 0 else {
            throw SocketFailure()
        }
        _ = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    deinit {
        close()
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        shutdown(descriptor, CInt(SHUT_RDWR))
        _ = systemClose(descriptor)
    }

    /// Waits for the next connection without holding a thread, for at most ten seconds.
    func accepted() async throws -> Peer {
        for _ in 1...5_000 where !isReady(descriptor) { try await Task.sleep(for: .milliseconds(2)) }
        guard isReady(descriptor) else { throw SocketFailure() }
        let peer = accept(descriptor, nil, nil)
        guard peer >= 0 else { throw SocketFailure() }
        return Peer(peer)
    }
}

private func systemSend(_ descriptor: CInt, _ bytes: UnsafeRawBufferPointer) -> Int {
    #if canImport(Darwin)
        send(descriptor, bytes.baseAddress, bytes.count, 0)
    #else
        send(descriptor, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL))
    #endif
}

private func systemClose(_ descriptor: CInt) -> CInt { close(descriptor) }

private func isReady(_ descriptor: CInt) -> Bool {
    var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&entry, 1, 0) > 0
}

/// A socket whose reading waits without holding a thread, for at most ten seconds.
///
/// @unchecked: the descriptor never changes, and the error is read by the task that receives.
private final class Peer: @unchecked Sendable {
    private let descriptor: CInt
    private(set) var lastError: CInt = 0

    init(_ descriptor: CInt) {
        self.descriptor = descriptor
    }

    deinit {
        _ = systemClose(descriptor)
    }

    static func connected(to port: Int) throws -> Peer {
        let descriptor = socket(AF_INET, streamKind, 0)
        guard withLoopback(port, { connect(descriptor, $0, $1) }) == 0 else { throw SocketFailure() }
        return Peer(descriptor)
    }

    func send(_ text: String) { send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes { systemSend(descriptor, $0) }
            guard sent > 0 else { return }
            rest = rest.dropFirst(sent)
        }
    }

    func endWriting() {
        shutdown(descriptor, CInt(SHUT_WR))
    }

    /// Up to so many bytes: fewer when the stream ends or breaks before.
    func receive(_ count: Int) async -> String { String(decoding: await receiveBytes(count), as: UTF8.self) }

    func receiveBytes(_ count: Int) async -> [UInt8] {
        var received: [UInt8] = []
        received.reserveCapacity(count)
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while received.count < count {
            guard await isReadable(within: 10_000) else {
                lastError = ETIMEDOUT
                break
            }
            let got = read(descriptor, &buffer, min(buffer.count, count - received.count))
            lastError = got < 0 ? errno : 0
            guard got > 0 else { break }
            received += buffer.prefix(got)
        }
        return received
    }

    func isReadable(within milliseconds: Int) async -> Bool {
        let end = ContinuousClock.now.advanced(by: .milliseconds(milliseconds))
        while !isReady(descriptor) {
            guard ContinuousClock.now < end else { return false }
            try? await Task.sleep(for: .milliseconds(2))
        }
        return true
    }
}
