#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What a proxy knows, guarded by its loop's lock.
struct ProxyState: Sendable {
    /// What to wait for.
    struct Wait {
        var interests: [(descriptor: CInt, events: Int16)]
        var milliseconds: CInt
    }

    var behaviour = TCPProxy.Behaviour()
    private(set) var traffic = TCPProxy.Traffic()
    private let listener: CInt
    var target: ProxySocket.Address
    private var connections: [ProxyConnection] = []
    private var isStopped = false

    init(listener: CInt, target: ProxySocket.Address) {
        self.listener = listener
        self.target = target
    }

    /// Does all that can be done without waiting; `nil` when the proxy has ended.
    mutating func turn(_ ready: [CInt: Int16], now: UInt64) -> Wait? {
        guard !isStopped else { return nil }
        if ready[listener] != nil { acceptAll() }
        if !behaviour.isBlackHole {
            for index in connections.indices { forward(index, ready, now) }
            connections.removeAll { $0.isClosed }
            traffic.open = connections.count
        }
        return wait(now)
    }

    private mutating func acceptAll() {
        while let client = ProxySocket.accept(listener) {
            traffic.accepted += 1
            guard let server = ProxySocket.connect(to: target) else {
                ProxySocket.reset(client)
                continue
            }
            var connection = ProxyConnection(client: client, server: server)
            connection.isFrozen = behaviour.freezesNewConnections
            connections.append(connection)
            traffic.open = connections.count
        }
    }

    private mutating func forward(_ index: Int, _ ready: [CInt: Int16], _ now: UInt64) {
        guard !connections[index].isFrozen else { return }
        let latency = UInt64(max(0, min(behaviour.latency, .seconds(3600)) / .nanoseconds(1)))
        guard connections[index].finishConnecting(ready) else { return }
        for direction in TCPProxy.Direction.allCases where !connections[index].isClosed {
            let cut = behaviour.cut.flatMap { $0.direction == direction ? max(0, $0.bytes) : nil }
            var passed = traffic[direction]
            let outcome = connections[index].turn(
                direction, ready: ready, latency: latency, bytesPerSecond: behaviour.bytesPerSecond, passed: &passed,
                cutAt: cut, now: now)
            traffic[direction] = passed
            switch outcome {
            case .goesOn: break
            case .broken: connections[index].end(.reset)
            case .cut:
                connections[index].end(behaviour.cut?.ending ?? .reset)
                behaviour.cut = nil
            }
        }
    }

    private func wait(_ now: UInt64) -> Wait {
        var wait = Wait(interests: [(listener, Int16(POLLIN))], milliseconds: -1)
        guard !behaviour.isBlackHole else { return wait }
        var next = UInt64.max
        for connection in connections where !connection.isFrozen {
            connection.addInterests(to: &wait.interests)
            next = min(next, connection.nextTime ?? .max)
        }
        if next != .max {
            // Rounded up, or the last fraction of a millisecond would be spent spinning.
            wait.milliseconds = next <= now ? 0 : CInt(min((next - now) / 1_000_000 + 1, 60_000))
        }
        return wait
    }

    // MARK: From outside

    mutating func freezeAll() {
        for index in connections.indices { connections[index].isFrozen = true }
    }

    mutating func endAll(_ ending: TCPProxy.Cut.Ending) {
        for index in connections.indices { connections[index].end(ending) }
        connections.removeAll { $0.isClosed }
        traffic.open = connections.count
    }

    mutating func halfCloseAll(_ direction: TCPProxy.Direction) {
        for index in connections.indices { connections[index].halfClose(direction) }
    }

    mutating func stop() {
        guard !isStopped else { return }
        isStopped = true
        endAll(.reset)
        ProxySocket.close(listener)
    }
}
