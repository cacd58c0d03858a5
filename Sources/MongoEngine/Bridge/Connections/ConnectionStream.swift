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
    private var inbox: Inbox

    /// Different from the numbers of the driver's own kinds, which it casts by (`mongoc-stream-private.h`).
    private static var kind: CInt { 0x5057 }

    /// Makes a stream, which the driver frees.
    ///
    /// - Parameters:
    ///   - connection: What it reads from and writes to.
    ///   - isBuffered: Whether it takes in more than it is asked for, because the driver asks for a message's length
    ///     before it asks for the message.
    static func make(
        _ connection: ServerConnection, isBuffered: Bool
    ) -> UnsafeMutablePointer<mongoc_stream_t> {
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
            guard let box = ConnectionStream.box(stream), let vectors else { return -1 }
            return box.pointee.read(vectors, count: count, minimum: minimum, timeout: timeout)
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
        box.initialize(
            to: ConnectionStream(
                stream: stream, connection: .passRetained(connection), inbox: Inbox(isUsed: isBuffered)))
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
        box.pointee.inbox.free()
        box.deinitialize(count: 1)
        box.deallocate()
    }

    private mutating func read(
        _ vectors: UnsafeMutablePointer<iovec>, count: Int, minimum: Int, timeout: Int32
    ) -> Int {
        let connection = connection.takeUnretainedValue()
        var index = 0
        let early = inbox.empty(into: vectors, &index, count)
        if index == count || early > 0 && early >= minimum { return early }
        let wanted = (index..<count).reduce(0) { $0 + vectors[$1].iov_len }
        guard let spare = inbox.space(besides: wanted) else {
            let read = connection.read(
                vectors + index, count: count - index, minimum: minimum - early, timeout: timeout)
            return read < 0 ? read : early + read
        }
        // One call for what is wanted, to where it is wanted, and for what comes after it.
        return withUnsafeTemporaryAllocation(of: iovec.self, capacity: count - index + 1) { all in
            // It has room for at least one.
            let start = all.baseAddress.unsafelyUnwrapped
            start.initialize(from: vectors + index, count: count - index)
            (start + (count - index)).initialize(to: spare)
            let read = connection.read(start, count: all.count, minimum: minimum - early, timeout: timeout)
            if read < 0 { return read }
            inbox.accept(max(read - wanted, 0))
            return early + min(read, wanted)
        }
    }
}

/// Bytes that have come from a server together with those that were asked for.
private struct Inbox {
    private let memory: UnsafeMutableRawPointer?
    private var next = 0
    private var end = 0

    /// Larger than most answers to queries for one document; what is larger is read to where it is wanted.
    private static var capacity: Int { 4096 }

    init(isUsed: Bool) {
        memory = isUsed ? .allocate(byteCount: Self.capacity, alignment: 16) : nil
    }

    func free() {
        memory?.deallocate()
    }

    /// Moves bytes to where they are wanted, as far as they go; the vectors are moved on.
    mutating func empty(into vectors: UnsafeMutablePointer<iovec>, _ index: inout Int, _ count: Int) -> Int {
        guard let memory, next < end else { return 0 }
        var total = 0
        while index < count, next < end {
            let length = min(vectors[index].iov_len, end - next)
            vectors[index].iov_base?.copyMemory(from: memory + next, byteCount: length)
            next += length
            total += length
            guard length == vectors[index].iov_len else {
                vectors[index].iov_base += length
                vectors[index].iov_len -= length
                break
            }
            index += 1
        }
        return total
    }

    /// Where more may be put than is wanted; nothing where so much is wanted that no more will come.
    func space(besides wanted: Int) -> iovec? {
        guard let memory, wanted < Self.capacity else { return nil }
        return iovec(iov_base: memory, iov_len: Self.capacity)
    }

    /// Notes how many bytes were put there.
    mutating func accept(_ count: Int) {
        next = 0
        end = count
    }
}
