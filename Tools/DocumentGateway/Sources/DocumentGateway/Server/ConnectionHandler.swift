internal import BSON
internal import Logging
internal import NIOCore

/// One client's connection: cuts the bytes into messages, has them answered one after the other, and writes the answers.
///
/// Everything happens on the connection's event loop, the task that answers a command included: its query goes to the
/// engine from there, and the engine's answer comes back to the same thread.
final class ConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let gateway: Gateway
    private let session: ClientSession
    private let tracker: ConnectionTracker
    private var received = ByteBuffer()
    private var waiting: CircularBuffer<WireRequest> = CircularBuffer(initialCapacity: 4)
    private var running: Task<Void, Never>?
    private var runningCanBeCancelled = false
    private var wantsRead = false
    private var isClosing = false
    private var nextReplyID: Int32 = 1
    /// Ends the connection when the rest of a message does not come.
    private var patience: Scheduled<Void>?
    /// When the first bytes of the message came that is not complete.
    private var partialSince = NIODeadline.now()

    /// How many complete messages may wait behind the running one before the socket is left alone.
    private static let maximumWaiting = 2

    init(gateway: Gateway, session: ClientSession, tracker: ConnectionTracker) {
        self.gateway = gateway
        self.session = session
        self.tracker = tracker
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let handler = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let eventLoop = context.eventLoop
        tracker.add(session.id) {
            eventLoop.execute {
                let (handler, context) = handler.value
                handler.drain(context)
            }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        isClosing = true
        patience?.cancel()
        waiting.removeAll()
        // A write goes on: the client may ask for its outcome on another connection.
        if runningCanBeCancelled { running?.cancel() }
        tracker.remove(session.id)
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosing else { return }
        var bytes = unwrapInboundIn(data)
        if received.readableBytes == 0 { received = bytes } else { received.writeBuffer(&bytes) }
        cut(context)
    }

    func read(context: ChannelHandlerContext) {
        if waiting.count >= Self.maximumWaiting { wantsRead = true } else { context.read() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { startNext(context) }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        gateway.logger.debug(
            "connection failed", metadata: ["client": "\(session.remoteAddress)", "error": "\(error)"])
        context.close(promise: nil)
    }

    // MARK: - Messages

    private func cut(_ context: ChannelHandlerContext) {
        var hasMessage = false
        while !isClosing, let header = WireHeader(peeking: received) {
            let isKnown = !gateway.configuration.requiresAuthentication || session.user != nil
            let limit =
                isKnown
                ? gateway.configuration.maximumMessageBytes
                : min(
                    gateway.configuration.maximumMessageBytes,
                    gateway.configuration.maximumUnauthenticatedMessageBytes)
            guard header.length > WireHeader.byteCount, header.length <= limit else {
                return fail(.length(header.length), context)
            }
            guard let frame = received.readSlice(length: header.length) else { break }
            hasMessage = true
            do throws(WireError) {
                waiting.append(try WireRequest(frame: frame, header: header))
            } catch {
                return fail(error, context)
            }
        }
        if received.readableBytes == 0 {
            // A buffer that a large message has grown is let go of.
            received = ByteBuffer()
            patience?.cancel()
            patience = nil
        } else {
            // A client that sends without a pause may always be in the middle of a message, but never in that of the same.
            if hasMessage || patience == nil { partialSince = .now() }
            if patience == nil { wait(for: messageTimeout, context) }
        }
        startNext(context)
    }

    private var messageTimeout: TimeAmount {
        .milliseconds(Int64(gateway.configuration.messageTimeout / .milliseconds(1)))
    }

    /// Looks after a while whether a message is still not complete.
    private func wait(for time: TimeAmount, _ context: ChannelHandlerContext) {
        let handler = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        patience = context.eventLoop.scheduleTask(in: time) {
            let (handler, context) = handler.value
            handler.checkPartial(context)
        }
    }

    private func checkPartial(_ context: ChannelHandlerContext) {
        // While earlier messages keep this one from being read, its rest may be there.
        if wantsRead { partialSince = .now() }
        let rest = partialSince + messageTimeout - .now()
        guard rest <= .zero else { return wait(for: rest, context) }
        gateway.logger.debug("message not completed in time", metadata: ["client": "\(session.remoteAddress)"])
        context.close(promise: nil)
    }

    /// A message that cannot be read ends the connection: where the next one begins is not known.
    private func fail(_ error: WireError, _ context: ChannelHandlerContext) {
        gateway.logger.info("\(error.summary)", metadata: ["client": "\(session.remoteAddress)"])
        context.close(promise: nil)
    }

    private func startNext(_ context: ChannelHandlerContext) {
        // A client that does not read its replies gets no more of them, or they would pile up here.
        guard running == nil, !isClosing, context.channel.isWritable, let request = waiting.popFirst() else { return }
        if wantsRead, waiting.count < Self.maximumWaiting {
            wantsRead = false
            context.read()
        }
        let handler = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        runningCanBeCancelled = request.commandKind?.isReadOnly ?? false
        running = Task(executorPreference: gateway.reactor) { [gateway, session] in
            let reply = await gateway.respond(to: request, session: session)
            // On the reactor's only thread, which is the event loop's.
            let (handler, context) = handler.value
            handler.finish(request, reply, context)
        }
    }

    private func finish(_ request: WireRequest, _ reply: WireReply?, _ context: ChannelHandlerContext) {
        running = nil
        guard context.channel.isActive else { return }
        if let reply, !reply.bytes.isEmpty {
            let frame = reply.frame(for: request, replyID: nextReplyID, allocator: context.channel.allocator)
            nextReplyID &+= 1
            context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
        }
        if reply?.closesConnection == true || isClosing {
            context.close(promise: nil)
        } else {
            startNext(context)
        }
    }

    /// Lets the running command end, and closes.
    private func drain(_ context: ChannelHandlerContext) {
        isClosing = true
        waiting.removeAll()
        if running == nil { context.close(promise: nil) }
    }
}
