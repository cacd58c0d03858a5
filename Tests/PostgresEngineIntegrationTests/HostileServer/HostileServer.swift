import Foundation
import PostgresEngine
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A server that speaks the protocol, version 3, as far as it likes.
///
/// Each connection has a thread of its own, which ends when the server stops.
final class HostileServer: Sendable {
    private struct State {
        var connections = 0
        var open: Set<Int32> = []
        var isStopped = false
    }

    let port: Int
    private let listener: Int32
    private let state = Mutex(State())
    private let behaviour: @Sendable (HostileConversation) -> Void

    /// Listens on a free port of the loopback interface.
    ///
    /// - Parameter behaviour: What the server does with a connection, from its first byte on. Cancel requests are closed
    ///   without it.
    init(_ behaviour: @escaping @Sendable (HostileConversation) -> Void) throws {
        self.behaviour = behaviour
        listener = socket(AF_INET, SocketType.stream, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer -> Int32 in
                guard bind(descriptor, pointer, length) == 0, listen(descriptor, 64) == 0 else { return -1 }
                return getsockname(descriptor, pointer, &length)
            }
        }
        port = Int(UInt16(bigEndian: address.sin_port))
        guard result == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        Thread.detachNewThread { [self] in acceptAll() }
    }

    /// How many connections have logged in.
    var connections: Int { state.withLock { $0.connections } }

    /// A configuration of a pool with one connection; who expects to wait in vain sets a limit.
    func configuration() throws -> PostgresConfiguration {
        var configuration = try PostgresConfiguration(uri: "postgres://someone@127.0.0.1:\(port)/db?sslmode=disable")
        configuration.pool = PostgresPoolConfiguration(maximum: 1)
        configuration.statementTimeout = .seconds(60)
        configuration.cancellationGrace = .milliseconds(200)
        configuration.connectTimeout = .seconds(60)
        configuration.pool.acquireTimeout = .seconds(60)
        configuration.shutdownTimeout = .seconds(1)
        return configuration
    }

    /// Ends every conversation.
    func stop() {
        state.withLock { state in
            guard !state.isStopped else { return }
            state.isStopped = true
            for descriptor in state.open { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
        shutdown(listener, Int32(SHUT_RDWR))
    }

    private func acceptAll() {
        while true {
            let descriptor = accept(listener, nil, nil)
            guard descriptor >= 0 else { break }
            let isStopped = state.withLock { state in
                if !state.isStopped { state.open.insert(descriptor) }
                return state.isStopped
            }
            guard !isStopped else {
                close(descriptor)
                break
            }
            Thread.detachNewThread { [self] in
                let conversation = HostileConversation(descriptor: descriptor)
                if conversation.readStartup() {
                    conversation.number = state.withLock { state in
                        state.connections += 1
                        return state.connections
                    }
                    behaviour(conversation)
                }
                // Closed under the lock, so that its number is not shut down once it is somebody else's.
                state.withLock { state in
                    state.open.remove(descriptor)
                    _ = close(descriptor)
                }
            }
        }
        close(listener)
    }
}

private enum SocketType {
    #if canImport(Glibc)
        static let stream = Int32(SOCK_STREAM.rawValue)
    #else
        static let stream = SOCK_STREAM
    #endif
}

/// One connection to the hostile server, on its thread.
final class HostileConversation {
    private let descriptor: Int32
    /// Which connection this is, from 1.
    fileprivate(set) var number = 0

    fileprivate init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// Sends bytes as they are.
    ///
    /// - Returns: `false` when the client has gone.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes { buffer in
                #if canImport(Darwin)
                    Darwin.send(descriptor, buffer.baseAddress, buffer.count, 0)
                #elseif canImport(Musl)
                    Musl.send(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL))
                #else
                    Glibc.send(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL))
                #endif
            }
            guard sent > 0 else { return false }
            rest = rest.dropFirst(sent)
        }
        return true
    }

    /// Reads a message; `nil` when the client has gone.
    func readMessage() -> (type: Character, body: [UInt8])? {
        guard let type = read(1)?.first, let body = readBody() else { return nil }
        return (Character(UnicodeScalar(type)), body)
    }

    /// Reads until the client has gone.
    func waitForEnd() {
        while readMessage() != nil {}
    }

    /// Hangs up after what has been sent: a close at once could take that with it, while bytes of the client are unread.
    func end() {
        shutdown(descriptor, Int32(SHUT_WR))
        waitForEnd()
    }

    /// Reads the start of a connection; `false` when it is a request to cancel.
    fileprivate func readStartup() -> Bool {
        while let body = readBody() {
            let code = body.prefix(4).reduce(0 as UInt32) { $0 << 8 | UInt32($1) }
            switch code {
            case 80_877_103, 80_877_104: send(Array("N".utf8))
            case 80_877_102: return false
            default: return true
            }
        }
        return false
    }

    private func readBody() -> [UInt8]? {
        guard let header = read(4) else { return nil }
        let length = header.reduce(0 as UInt32) { $0 << 8 | UInt32($1) }
        return length < 4 || length > 1 << 20 ? nil : read(Int(length) - 4)
    }

    private func read(_ count: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        while bytes.count < count {
            var buffer = [UInt8](repeating: 0, count: count - bytes.count)
            let received = recv(descriptor, &buffer, buffer.count, 0)
            guard received > 0 else { return nil }
            bytes += buffer.prefix(received)
        }
        return bytes
    }
}
