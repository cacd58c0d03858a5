#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// One connection through a proxy: a socket to the client, one to the server, and a flow in each direction.
struct ProxyConnection: Sendable {
    private let client: CInt
    private let server: CInt
    private var toServer = ProxyFlow()
    private var toClient = ProxyFlow()
    private var isConnecting = true
    private(set) var isClosed = false
    /// Nothing is forwarded any more.
    var isFrozen = false

    init(client: CInt, server: CInt) {
        self.client = client
        self.server = server
    }

    var nextTime: UInt64? {
        guard !isConnecting else { return nil }
        return [toServer.nextTime, toClient.nextTime].compactMap(\.self).min()
    }

    /// Whether the server has been reached; a connection that it refuses is reset.
    mutating func finishConnecting(_ ready: [CInt: Int16]) -> Bool {
        guard isConnecting else { return !isClosed }
        guard ready[server] != nil || ProxySocket.isSettled(server) else { return false }
        isConnecting = false
        if ProxySocket.isConnected(server) { return true }
        end(.reset)
        return false
    }

    mutating func turn(
        _ direction: TCPProxy.Direction, ready: [CInt: Int16], latency: UInt64, bytesPerSecond: Int?,
        passed: inout Int, cutAt: Int?, now: UInt64
    ) -> ProxyFlow.Outcome {
        let (source, destination) = direction == .toServer ? (client, server) : (server, client)
        var flow = direction == .toServer ? toServer : toClient
        if let events = ready[source], events & ~Int16(POLLOUT) != 0 {
            if case .broken = flow.read(from: source, latency: latency, now: now) { return .broken }
        }
        let outcome = flow.write(
            to: destination, bytesPerSecond: bytesPerSecond, passed: &passed, cutAt: cutAt, now: now)
        if direction == .toServer { toServer = flow } else { toClient = flow }
        if case .goesOn = outcome, toServer.isDone, toClient.isDone { close() }
        return outcome
    }

    func addInterests(to interests: inout [(descriptor: CInt, events: Int16)]) {
        guard !isConnecting else {
            interests.append((server, Int16(POLLOUT)))
            return
        }
        // A socket that is watched for nothing would still be reported when it hangs up, again and again.
        for (descriptor, incoming, outgoing) in [(client, toServer, toClient), (server, toClient, toServer)] {
            var events: Int16 = incoming.wantsToRead ? Int16(POLLIN) : 0
            if outgoing.isBlocked { events |= Int16(POLLOUT) }
            if events != 0 { interests.append((descriptor, events)) }
        }
    }

    mutating func end(_ ending: TCPProxy.Cut.Ending) {
        guard !isClosed else { return }
        if ending == .close, !isFrozen, finishConnecting([:]) {
            // Not closed at once: with bytes unread the kernel would send a reset. Both sides close when they see the end.
            toServer.end(to: server)
            toClient.end(to: client)
            return
        }
        // Closed by then when the server could not be reached.
        guard !isClosed else { return }
        ProxySocket.reset(client)
        ProxySocket.reset(server)
        isClosed = true
    }

    mutating func halfClose(_ direction: TCPProxy.Direction) {
        guard !isClosed, !isFrozen, finishConnecting([:]) else { return }
        switch direction {
        case .toServer: toServer.end(to: server)
        case .toClient: toClient.end(to: client)
        }
    }

    private mutating func close() {
        ProxySocket.close(client)
        ProxySocket.close(server)
        isClosed = true
    }
}
