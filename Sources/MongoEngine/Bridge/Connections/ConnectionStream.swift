internal import CMongoC

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// A ``ServerConnection`` as the driver sees it: a `mongoc_stream_t` with functions of our own.
///
/// The C struct comes first, so that the address of both is the same.
struct ConnectionStream {
    private var stream: mongoc_stream_t
    private let connection: Unmanaged<ServerConnection>

    /// Different from the numbers of the driver's own kinds, which it casts by (`mongoc-stream-private.h`).
    private static var kind: CInt { 0x5057 }

    /// Makes a stream, which the driver frees.
    static func make(_ connection: ServerConnection) -> UnsafeMutablePointer<mongoc_stream_t> {
        var stream = mongoc_stream_t()
        stream.type = kind
        stream.destroy = { stream in ConnectionStream.destroy(stream) }
        // What failed is not used again.
        stream.failed = { stream in ConnectionStream.destroy(stream) }
        stream.close = { stream in
            ConnectionStream.connection(stream)?.close()
            return 0
        }
        stream.flush = { _ in 0 }
        stream.writev = { stream, vectors, count, timeout in
            guard let connection = ConnectionStream.connection(stream), let vectors else { return -1 }
            return connection.write(vectors, count: count, timeout: timeout)
        }
        stream.readv = { stream, vectors, count, minimum, timeout in
            guard let connection = ConnectionStream.connection(stream), let vectors else { return -1 }
            return connection.read(vectors, count: count, minimum: minimum, timeout: timeout)
        }
        stream.setsockopt = { stream, level, option, value, length in
            ConnectionStream.connection(stream)?.setOption(level, option, value, length) ?? -1
        }
        stream.check_closed = { stream in ConnectionStream.connection(stream)?.isClosedByPeer ?? true }
        stream.timed_out = { stream in ConnectionStream.connection(stream)?.hasTimedOut ?? false }
        stream.should_retry = { _ in errno == EAGAIN || errno == EINTR }
        stream.poll = { entries, count, timeout in
            guard let entries else { return -1 }
            let connections = (0..<count).compactMap { index in
                ConnectionStream.connection(entries[index].stream).map { ($0, CInt(entries[index].events)) }
            }
            guard connections.count == count else { return -1 }
            let (ready, events) = ServerConnection.waitForAny(connections, timeout: timeout)
            for index in 0..<count { entries[index].revents = events[index] }
            return ready
        }
        let box = UnsafeMutablePointer<ConnectionStream>.allocate(capacity: 1)
        box.initialize(to: ConnectionStream(stream: stream, connection: .passRetained(connection)))
        return UnsafeMutableRawPointer(box).assumingMemoryBound(to: mongoc_stream_t.self)
    }

    private static func box(
        _ stream: UnsafeMutablePointer<mongoc_stream_t>?
    ) -> UnsafeMutablePointer<ConnectionStream>? {
        stream.map { UnsafeMutableRawPointer($0).assumingMemoryBound(to: ConnectionStream.self) }
    }

    private static func connection(_ stream: UnsafeMutablePointer<mongoc_stream_t>?) -> ServerConnection? {
        box(stream)?.pointee.connection.takeUnretainedValue()
    }

    private static func destroy(_ stream: UnsafeMutablePointer<mongoc_stream_t>?) {
        guard let box = box(stream) else { return }
        let connection = box.pointee.connection.takeRetainedValue()
        connection.close()
        box.deinitialize(count: 1)
        box.deallocate()
    }
}
