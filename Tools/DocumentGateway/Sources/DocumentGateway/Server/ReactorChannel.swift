internal import NIOCore
@_spi(ReactorSockets) internal import PostgresEngine
internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// A client's socket as a channel of NIO, served by a ``ReactorEventLoop``.
///
/// @unchecked: everything mutable is used on the event loop alone, as NIO has it for `ChannelCore`, but for what is atomic.
final class ReactorChannel: Channel, ChannelCore, PostgresReactorSocketHandler, @unchecked Sendable {
    private struct PendingWrite {
        var bytes: ByteBuffer
        let promise: EventLoopPromise<Void>?
    }

    let eventLoop: any EventLoop
    let allocator = ByteBufferAllocator()
    let remoteAddress: SocketAddress?
    let localAddress: SocketAddress?
    let parent: (any Channel)? = nil
    var pipeline: ChannelPipeline { lazyPipeline }
    var closeFuture: EventLoopFuture<Void> { closePromise.futureResult }
    var isWritable: Bool { writable.load(ordering: .relaxed) }
    var isActive: Bool { active.load(ordering: .relaxed) }
    var _channelCore: any ChannelCore { self }
    var syncOptions: (any NIOSynchronousChannelOptions)? { Options() }

    private let loop: ReactorEventLoop
    private let descriptor: Int32
    private let closePromise: EventLoopPromise<Void>
    private let writable = Atomic(true)
    private let active = Atomic(false)
    private lazy var lazyPipeline = ChannelPipeline(channel: self)
    private var watch: PostgresReactorSocket?
    private var isOpen = true
    /// A handler has asked to read, and nothing came yet.
    private var wantsRead = false
    private var watchesReading = true
    private var watchesWriting = false
    private var pending = CircularBuffer<PendingWrite>()
    private var pendingBytes = 0
    /// How many of the pending writes are to go out.
    private var flushed = 0
    private var readCapacity = minimumRead

    private static let minimumRead = 4096
    private static let maximumRead = 1 << 20
    /// Above the first, writers are asked to wait; below the second, to go on.
    private static let highWaterMark = 64 << 10
    private static let lowWaterMark = 32 << 10

    /// Takes a connected socket, which must not block; closing it is the channel's from now on.
    init(descriptor: Int32, remoteAddress: SocketAddress?, localAddress: SocketAddress?, loop: ReactorEventLoop) {
        self.descriptor = descriptor
        self.remoteAddress = remoteAddress
        self.localAddress = localAddress
        self.loop = loop
        eventLoop = loop
        closePromise = loop.makePromise()
    }

    /// Begins to serve the socket, on the event loop, once the handlers are there.
    func start() {
        guard isOpen else { return }
        guard let watch = loop.watch(descriptor, for: self) else {
            return close0(error: ChannelError.operationUnsupported, mode: .all, promise: nil)
        }
        self.watch = watch
        active.store(true, ordering: .relaxed)
        pipeline.syncOperations.fireChannelRegistered()
        pipeline.syncOperations.fireChannelActive()
        pipeline.syncOperations.read()
    }

    func socketReady(canRead: Bool, canWrite: Bool) {
        if canWrite, watchesWriting { send() }
        if canRead, isOpen { receive() }
    }

    private func updateInterest(reading: Bool, writing: Bool) {
        watchesReading = reading
        watchesWriting = writing
        watch?.setInterest(reading: reading, writing: writing)
    }

    // MARK: - Reading

    func read0() {
        guard isOpen else { return }
        wantsRead = true
        if !watchesReading { updateInterest(reading: true, writing: watchesWriting) }
    }

    private func receive() {
        guard wantsRead else {
            // Data that nobody wants yet stay in the kernel. What it tells without having been asked is an error.
            guard watchesReading else { return close0(error: ChannelError.eof, mode: .all, promise: nil) }
            return updateInterest(reading: false, writing: watchesWriting)
        }
        var buffer = allocator.buffer(capacity: readCapacity)
        var outcome = 0
        var failure: Int32 = 0
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: readCapacity) { bytes in
            outcome = recv(descriptor, bytes.baseAddress, bytes.count, 0)
            if outcome < 0 { failure = errno }
            return max(outcome, 0)
        }
        guard outcome > 0 else {
            if outcome < 0, failure == EAGAIN || failure == EINTR { return }
            let error: any Error =
                outcome == 0 ? ChannelError.eof : IOError(errnoCode: failure, reason: "recv")
            return close0(error: error, mode: .all, promise: nil)
        }
        // A large message is read in few pieces, and a small one costs no large buffer.
        if outcome >= readCapacity {
            readCapacity = min(readCapacity * 4, Self.maximumRead)
        } else if outcome < readCapacity / 4 {
            readCapacity = max(readCapacity / 2, Self.minimumRead)
        }
        wantsRead = false
        pipeline.syncOperations.fireChannelRead(NIOAny(buffer))
        pipeline.syncOperations.fireChannelReadComplete()
        if isOpen, !wantsRead { pipeline.syncOperations.read() }
    }

    // MARK: - Writing

    func write0(_ data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard isOpen else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        let bytes = unwrapData(data, as: ByteBuffer.self)
        pending.append(PendingWrite(bytes: bytes, promise: promise))
        pendingBytes += bytes.readableBytes
        if pendingBytes > Self.highWaterMark, writable.exchange(false, ordering: .relaxed) {
            pipeline.syncOperations.fireChannelWritabilityChanged()
        }
    }

    func flush0() {
        flushed = pending.count
        // Otherwise the socket has no room, and tells when it has.
        if !watchesWriting { send() }
    }

    private func send() {
        while flushed > 0 {
            var failure: Int32 = 0
            let count = pending[pending.startIndex].bytes.withUnsafeReadableBytes { bytes in
                let count = sendBytes(descriptor, bytes)
                if count < 0 { failure = errno }
                return count
            }
            if count < 0 {
                switch failure {
                case EINTR: continue
                case EAGAIN:
                    if !watchesWriting { updateInterest(reading: watchesReading, writing: true) }
                default: close0(error: IOError(errnoCode: failure, reason: "send"), mode: .all, promise: nil)
                }
                return
            }
            pendingBytes -= count
            pending[pending.startIndex].bytes.moveReaderIndex(forwardBy: count)
            guard pending[pending.startIndex].bytes.readableBytes == 0 else { continue }
            flushed -= 1
            pending.removeFirst().promise?.succeed()
        }
        guard isOpen else { return }
        if watchesWriting { updateInterest(reading: watchesReading, writing: false) }
        if pendingBytes < Self.lowWaterMark, !writable.exchange(true, ordering: .relaxed) {
            pipeline.syncOperations.fireChannelWritabilityChanged()
        }
    }

    // MARK: - Closing

    func close0(error: any Error, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .all else {
            promise?.fail(ChannelError.operationUnsupported)
            return
        }
        guard isOpen else {
            promise?.fail(ChannelError.alreadyClosed)
            return
        }
        isOpen = false
        let wasActive = active.exchange(false, ordering: .relaxed)
        writable.store(false, ordering: .relaxed)
        watch?.end()
        watch = nil
        closeDescriptor(descriptor)
        let writes = pending
        pending.removeAll()
        flushed = 0
        for write in writes { write.promise?.fail(error) }
        promise?.succeed()
        if wasActive {
            pipeline.syncOperations.fireChannelInactive()
            pipeline.syncOperations.fireChannelUnregistered()
        }
        // Later, since the handlers may be at work right now.
        loop.execute { [self] in
            removeHandlers(pipeline: pipeline)
            closePromise.succeed()
        }
    }

    // MARK: - What a served socket has no use for

    func localAddress0() throws -> SocketAddress {
        guard let localAddress else { throw ChannelError.unknownLocalAddress }
        return localAddress
    }

    func remoteAddress0() throws -> SocketAddress {
        guard let remoteAddress else { throw ChannelError.operationUnsupported }
        return remoteAddress
    }

    func register0(promise: EventLoopPromise<Void>?) { promise?.fail(ChannelError.operationUnsupported) }
    func registerAlreadyConfigured0(promise: EventLoopPromise<Void>?) {
        promise?.fail(ChannelError.operationUnsupported)
    }
    func bind0(to: SocketAddress, promise: EventLoopPromise<Void>?) { promise?.fail(ChannelError.operationUnsupported) }
    func connect0(to: SocketAddress, promise: EventLoopPromise<Void>?) {
        promise?.fail(ChannelError.operationUnsupported)
    }
    func triggerUserOutboundEvent0(_ event: Any, promise: EventLoopPromise<Void>?) {
        promise?.fail(ChannelError.operationUnsupported)
    }
    func channelRead0(_ data: NIOAny) {}
    func errorCaught0(error: any Error) {}

    func setOption<Option: ChannelOption>(_ option: Option, value: Option.Value) -> EventLoopFuture<Void> {
        eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
    }

    func getOption<Option: ChannelOption>(_ option: Option) -> EventLoopFuture<Option.Value> {
        eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
    }

    /// What the TLS handler asks.
    private struct Options: NIOSynchronousChannelOptions {
        func setOption<Option: ChannelOption>(_ option: Option, value: Option.Value) throws {
            throw ChannelError.operationUnsupported
        }

        func getOption<Option: ChannelOption>(_ option: Option) throws -> Option.Value {
            if option is ChannelOptions.Types.AutoReadOption, let value = true as? Option.Value { return value }
            if option is ChannelOptions.Types.AllowRemoteHalfClosureOption, let value = false as? Option.Value {
                return value
            }
            throw ChannelError.operationUnsupported
        }
    }
}

// Outside of the channel, whose methods have the same names.

private func closeDescriptor(_ descriptor: Int32) {
    close(descriptor)
}

private func sendBytes(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    #if canImport(Darwin)
        // The listener has set SO_NOSIGPIPE.
        send(descriptor, bytes.baseAddress, bytes.count, 0)
    #else
        send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
    #endif
}
