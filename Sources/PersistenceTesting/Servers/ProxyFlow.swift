/// One direction of a connection through a proxy: what has been read and is not yet written.
struct ProxyFlow {
    private struct Chunk {
        var bytes: ArraySlice<UInt8>
        /// When it may go on, on the monotonic clock in nanoseconds.
        var due: UInt64
    }

    /// How much is read ahead of the writer.
    private static let limit = 256 << 10

    private var chunks: [Chunk] = []
    private var buffered = 0
    /// When the bandwidth allows the next bytes.
    private var nextWrite: UInt64 = 0
    private var endDue: UInt64 = 0
    /// The source has ended.
    private(set) var isReadEnded = false
    /// The destination was told that no more comes.
    private(set) var isWriteEnded = false
    /// The destination takes no more for now.
    private(set) var isBlocked = false

    /// What a turn came to.
    enum Outcome {
        case goesOn
        /// One of the sockets is broken.
        case broken
        /// The place of the cut is reached.
        case cut
    }

    var wantsToRead: Bool { !isReadEnded && (isWriteEnded || buffered < Self.limit) }
    var isDone: Bool { isReadEnded && isWriteEnded }

    /// When there is something to do without any socket being ready; `nil` when there is not.
    var nextTime: UInt64? {
        guard !isWriteEnded, !isBlocked else { return nil }
        if let first = chunks.first { return max(first.due, nextWrite) }
        return isReadEnded ? endDue : nil
    }

    /// Takes in what the source has.
    mutating func read(from source: CInt, latency: UInt64, now: UInt64) -> Outcome {
        guard wantsToRead else { return .goesOn }
        let (transfer, bytes) = ProxySocket.read(source, atMost: 64 << 10)
        switch transfer {
        case .bytes(let count):
            // After the end of writing, what comes is read only to be thrown away.
            guard !isWriteEnded else { return .goesOn }
            chunks.append(Chunk(bytes: bytes[...], due: now &+ latency))
            buffered += count
        case .end:
            isReadEnded = true
            endDue = now &+ latency
        case .later: break
        case .broken: return .broken
        }
        return .goesOn
    }

    /// Writes what is due.
    ///
    /// - Parameters:
    ///   - passed: How many bytes have passed in this direction; counted on.
    ///   - cutAt: At how many of them the connection is cut.
    mutating func write(
        to destination: CInt, bytesPerSecond: Int?, passed: inout Int, cutAt: Int?, now: UInt64
    ) -> Outcome {
        isBlocked = false
        while !isWriteEnded, let chunk = chunks.first, chunk.due <= now, nextWrite <= now {
            var count = chunk.bytes.count
            // Twenty portions a second look like a slow line, and not like a line that stops.
            if let bytesPerSecond { count = min(count, max(1, bytesPerSecond / 20)) }
            if let cutAt {
                if passed >= cutAt { return .cut }
                count = min(count, cutAt - passed)
            }
            switch ProxySocket.write(destination, chunk.bytes.prefix(count)) {
            case .bytes(let written):
                passed += written
                buffered -= written
                if written == chunk.bytes.count {
                    chunks.removeFirst()
                } else {
                    chunks[0].bytes = chunk.bytes.dropFirst(written)
                }
                if let bytesPerSecond {
                    nextWrite = now &+ UInt64(written) * 1_000_000_000 / UInt64(max(1, bytesPerSecond))
                }
                if let cutAt, passed >= cutAt { return .cut }
            case .later:
                isBlocked = true
                return .goesOn
            case .end, .broken: return .broken
            }
        }
        if isReadEnded, chunks.isEmpty, endDue <= now { end(to: destination) }
        return .goesOn
    }

    /// Tells the destination that no more comes, and forgets what was to come.
    mutating func end(to destination: CInt) {
        guard !isWriteEnded else { return }
        isWriteEnded = true
        chunks = []
        buffered = 0
        ProxySocket.endWriting(destination)
    }
}
