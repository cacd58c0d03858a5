import BSON
import Foundation
import MongoEngine
import PersistenceCore
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A server that speaks just enough of the wire protocol for the driver, and answers as a test wants it to.
///
/// It claims to be the primary of a replica set of one.
final class FakeMongoServer: Sendable {
    enum Answer {
        case reply(Document)
        /// Nothing is ever sent.
        case silence
        /// The connection is cut.
        case cut
    }

    typealias Handler = @Sendable (_ name: String, _ command: Document) -> Answer

    private struct State {
        var commands: [Document] = []
        var connections: Set<CInt> = []
        var accepted = 0
        var isStopped = false
    }

    let port: Int
    private let listener: CInt
    private let handler: Handler
    private let state = Mutex(State())

    init(_ handler: @escaping Handler) throws {
        self.handler = handler
        #if canImport(Glibc)
            let kind = CInt(SOCK_STREAM.rawValue)
        #else
            let kind = CInt(SOCK_STREAM)
        #endif
        listener = socket(AF_INET, kind, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, length) == 0 && listen(listener, 64) == 0
                    && getsockname(listener, address, &length) == 0
            }
        }
        guard isListening else { throw PersistenceError(.internal, "the fake server cannot listen") }
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    /// Lends a running server and a configuration for it.
    static func with<Result>(
        _ handler: @escaping Handler, body: (FakeMongoServer, MongoConfiguration) async throws -> Result
    ) async throws -> Result {
        let server = try FakeMongoServer(handler)
        Thread.detachNewThread { server.serve() }
        defer { server.stop() }
        var configuration = MongoConfiguration(hosts: [MongoHost("127.0.0.1", port: server.port)], database: "app")
        configuration.pool = MongoPoolConfiguration(maximum: 2)
        configuration.serverSelectionTimeout = .seconds(30)
        return try await body(server, configuration)
    }

    /// The commands of operations, in the order they came.
    var commands: [Document] { state.withLock { $0.commands } }

    /// How many connections there are, those that watch the server included.
    var connectionCount: Int { state.withLock { $0.connections.count } }

    func count(of name: String) -> Int { commands.count { $0.keys.first == name } }

    func stop() {
        let connections = state.withLock { state -> Set<CInt>? in
            guard !state.isStopped else { return nil }
            state.isStopped = true
            return state.connections
        }
        // The descriptor of one that has been stopped may be another's by now.
        guard let connections else { return }
        shutdown(listener, CInt(SHUT_RDWR))
        close(listener)
        for connection in connections { shutdown(connection, CInt(SHUT_RDWR)) }
    }

    private func serve() {
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { return }
            let isWanted = state.withLock { state in
                guard !state.isStopped else { return false }
                state.connections.insert(connection)
                state.accepted += 1
                return true
            }
            guard isWanted else {
                close(connection)
                return
            }
            Thread.detachNewThread {
                self.serve(connection)
                self.state.withLock { _ = $0.connections.remove(connection) }
                close(connection)
            }
        }
    }

    private func serve(_ connection: CInt) {
        while let header = read(16, from: connection) {
            let length = Int(header.int32(at: 0))
            let request = header.int32(at: 4)
            let code = header.int32(at: 12)
            guard length >= 16, let body = read(length - 16, from: connection) else { return }
            let command: Document
            if code == 2004 {
                guard let end = body[4...].firstIndex(of: 0) else { return }
                command = Document(unchecked: Array(body[(end + 9)...]))
            } else {
                command = Self.message(body)
            }
            guard let name = command.keys.first else { return }
            switch answer(name, command) {
            case .silence: continue
            case .cut: return
            case .reply(let reply): send(reply, to: request, isLegacy: code == 2004, on: connection)
            }
        }
    }

    private func answer(_ name: String, _ command: Document) -> Answer {
        switch name {
        case "hello", "isMaster", "ismaster":
            return .reply([
                "ismaster": true, "isWritablePrimary": true, "helloOk": true, "setName": "rs0",
                "setVersion": .int32(1), "hosts": [.string("127.0.0.1:\(port)")], "me": .string("127.0.0.1:\(port)"),
                "primary": .string("127.0.0.1:\(port)"), "maxBsonObjectSize": .int32(16_777_216),
                "maxMessageSizeBytes": .int32(48_000_000), "maxWriteBatchSize": .int32(100_000),
                "logicalSessionTimeoutMinutes": .int32(30), "minWireVersion": .int32(0),
                "maxWireVersion": .int32(17), "readOnly": false, "ok": .double(1),
            ])
        case "endSessions": return .reply(["ok": .double(1)])
        default:
            state.withLock { $0.commands.append(command) }
            return handler(name, command)
        }
    }

    /// The command of an OP_MSG, with the sequences of documents as arrays.
    private static func message(_ body: [UInt8]) -> Document {
        var command = Document()
        var offset = 4
        while offset < body.count {
            let kind = body[offset]
            offset += 1
            let size = Int(body.int32(at: offset))
            if kind == 0 {
                command.append(contentsOf: Document(unchecked: Array(body[offset..<offset + size])))
            } else {
                guard let nul = body[(offset + 4)...].firstIndex(of: 0) else { return command }
                let name = String(decoding: body[(offset + 4)..<nul], as: UTF8.self)
                var documents = BSONArray()
                var position = nul + 1
                while position < offset + size {
                    let length = Int(body.int32(at: position))
                    documents.append(.document(Document(unchecked: Array(body[position..<position + length]))))
                    position += length
                }
                command.append(name, .array(documents))
            }
            offset += size
        }
        return command
    }

    private func send(_ reply: Document, to request: Int32, isLegacy: Bool, on connection: CInt) {
        var bytes: [UInt8] = []
        func append(_ value: Int32) { withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) } }
        let payload = reply.byteArray
        append(Int32(16 + (isLegacy ? 20 : 5) + payload.count))
        append(1)
        append(request)
        append(isLegacy ? 1 : 2013)
        append(0)
        if isLegacy {
            append(0)
            append(0)
            append(0)
            append(1)
        } else {
            bytes.append(0)
        }
        bytes.append(contentsOf: payload)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { write(connection, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            sent += count
        }
    }

    private func read(_ count: Int, from connection: CInt) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var received = 0
        while received < count {
            let part = bytes.withUnsafeMutableBytes { buffer in
                recv(connection, buffer.baseAddress.map { $0 + received }, count - received, 0)
            }
            guard part > 0 else { return nil }
            received += part
        }
        return bytes
    }
}

extension [UInt8] {
    fileprivate func int32(at offset: Int) -> Int32 {
        withUnsafeBytes { Int32(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Int32.self)) }
    }
}
