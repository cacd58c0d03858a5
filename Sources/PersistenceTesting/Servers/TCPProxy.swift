public import PersistenceCore

/// A TCP proxy on 127.0.0.1 that makes the network between a client and a server slow, silent or broken, on demand.
///
/// ```swift
/// try await TCPProxy.with(port: server.port) { proxy in
///     // connect to 127.0.0.1:proxy.port instead of the server
///     proxy.change { $0.latency = .milliseconds(50) }
///     proxy.resetConnections()
/// }
/// ```
///
/// One thread of its own forwards everything, so a test's tasks cannot hold it up.
public final class TCPProxy: Sendable {
    /// A way through the proxy.
    public enum Direction: Sendable, Hashable, CaseIterable {
        /// From the client to the server.
        case toServer
        /// From the server to the client.
        case toClient
    }

    /// How the proxy treats all connections, those to come included.
    public struct Behaviour: Sendable, Hashable {
        /// How long every byte is under way in each direction; a negative duration counts as none.
        public var latency = Duration.zero

        /// How many bytes pass per second, in each direction of each connection; `nil` is without limit, and less than 1
        /// counts as 1.
        public var bytesPerSecond: Int?

        /// Whether connections are accepted and nothing is forwarded.
        ///
        /// What is on its way is held, as by a network that loses every packet: it arrives when this ends.
        public var isBlackHole = false

        /// Whether connections to come are accepted and stay silent for ever, while those that are open go on.
        ///
        /// As behind a firewall that has begun to drop what opens a connection.
        public var freezesNewConnections = false

        /// Where to cut a connection; `nil` once it is done.
        public var cut: Cut?

        /// Forwards everything at once.
        public init() {}
    }

    /// A place in the traffic where a connection ends.
    public struct Cut: Sendable, Hashable {
        /// How a connection ends.
        @nonexhaustive
        public enum Ending: Sendable, Hashable, CaseIterable {
            /// Both sides see the end of the stream.
            case close
            /// Both sides see a reset.
            case reset
        }

        /// The direction whose bytes are counted.
        public var direction: Direction
        /// How many bytes pass in that direction before the cut, over all connections since the proxy began; less than 0
        /// counts as 0.
        ///
        /// The connection is cut that forwards the last of them (or, with 0, would forward the first).
        public var bytes: Int
        /// How the connection ends.
        public var ending: Ending

        /// Describes a cut.
        ///
        /// - Parameters:
        ///   - direction: The direction whose bytes are counted.
        ///   - bytes: How many of them pass before.
        ///   - ending: How the connection ends.
        public init(_ direction: Direction, after bytes: Int, ending: Ending = .reset) {
            self.direction = direction
            self.bytes = bytes
            self.ending = ending
        }
    }

    /// What has passed through the proxy since it began.
    public struct Traffic: Sendable, Hashable {
        /// How many connections were accepted.
        public var accepted = 0
        /// How many of them are open.
        public var open = 0
        /// How many bytes were forwarded to the server.
        public var bytesToServer = 0
        /// How many bytes were forwarded to the client.
        public var bytesToClient = 0

        /// No traffic.
        public init() {}

        /// The bytes forwarded in one direction.
        ///
        /// - Parameter direction: The direction.
        public subscript(direction: Direction) -> Int {
            get { direction == .toServer ? bytesToServer : bytesToClient }
            set {
                switch direction {
                case .toServer: bytesToServer = newValue
                case .toClient: bytesToClient = newValue
                }
            }
        }
    }

    /// The address that the proxy listens on.
    public let host = "127.0.0.1"
    /// The port that the proxy listens on.
    public let port: Int

    private let loop: ProxyLoop

    /// Starts a proxy.
    ///
    /// - Parameters:
    ///   - host: The server's host: a name, which is looked up once, or a numeric address.
    ///   - port: The server's port. Nobody has to listen there yet.
    /// - Throws: ``PersistenceError``: `configuration` when the host is not known or the port is not from 1 to 65535,
    ///   `resourceExhausted` when no socket or thread can be had.
    public init(to host: String = "127.0.0.1", port: Int) throws(PersistenceError) {
        let target = try ProxySocket.address(host: host, port: port)
        let (listener, own) = try ProxySocket.listen()
        self.port = own
        self.loop = try ProxyLoop(listener: listener, target: target)
    }

    deinit {
        loop.stop()
    }

    /// Runs a proxy for as long as a closure runs.
    ///
    /// - Parameters:
    ///   - host: The server's host.
    ///   - port: The server's port.
    ///   - body: Uses the proxy.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws; ``PersistenceError`` when the proxy does not start.
    public static func with<Result>(
        to host: String = "127.0.0.1", port: Int, _ body: (TCPProxy) async throws -> Result
    ) async throws -> Result {
        let proxy = try TCPProxy(to: host, port: port)
        defer { proxy.stop() }
        return try await body(proxy)
    }

    // MARK: Behaviour

    /// How the proxy treats all connections.
    public var behaviour: Behaviour { loop.update { $0.behaviour } }

    /// Changes how the proxy treats all connections; what is on its way already keeps the latency it has.
    ///
    /// - Parameter body: Changes the behaviour.
    public func change(_ body: (inout Behaviour) -> Void) {
        loop.update { body(&$0.behaviour) }
    }

    /// What has passed through the proxy.
    public var traffic: Traffic { loop.update { $0.traffic } }

    /// Sends connections to come to another server, as when an address moves.
    ///
    /// Connections that are open now are not concerned.
    ///
    /// - Parameters:
    ///   - host: The server's host.
    ///   - port: The server's port.
    /// - Throws: ``PersistenceError`` with the code `configuration` when the host is not known or the port is not from 1 to
    ///   65535.
    public func redirect(to host: String = "127.0.0.1", port: Int) throws(PersistenceError) {
        let target = try ProxySocket.address(host: host, port: port)
        loop.update { $0.target = target }
    }

    // MARK: Connections

    /// Makes the connections that are open now silent for ever, as when the other machine has lost its power.
    ///
    /// Nothing is forwarded on them any more, not even their end; connections to come are not concerned.
    public func freezeConnections() {
        loop.update { $0.freezeAll() }
    }

    /// Resets the connections that are open now, on both sides.
    public func resetConnections() {
        loop.update { $0.endAll(.reset) }
    }

    /// Ends the connections that are open now, on both sides.
    public func closeConnections() {
        loop.update { $0.endAll(.close) }
    }

    /// Ends one direction of the connections that are open now: the receiver sees the end of the stream, while the other
    /// direction goes on.
    ///
    /// - Parameter direction: The direction that ends; what it has on its way is lost.
    public func halfCloseConnections(_ direction: Direction) {
        loop.update { $0.halfCloseAll(direction) }
    }

    /// Ends the proxy: it listens no more, and every connection is reset.
    ///
    /// A second call does nothing.
    public func stop() {
        loop.stop()
    }
}
