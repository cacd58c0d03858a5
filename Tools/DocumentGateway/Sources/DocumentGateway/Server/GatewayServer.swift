public import Logging
internal import NIOCore
internal import NIOSSL
internal import PersistenceCore
@_spi(ReactorSockets) internal import PostgresEngine
public import ServiceLifecycle
internal import Synchronization

/// A MongoDB endpoint for development: speaks the wire protocol to drivers, and has the DocumentDB extension of PostgreSQL
/// do the work.
public final class GatewayServer: Service {
    private let gateway: Gateway
    private let ready: (@Sendable (Int) -> Void)?

    /// Creates a server; it listens while `run()` runs.
    ///
    /// - Parameters:
    ///   - configuration: Where to listen, and where the engine is.
    ///   - logger: Takes what operators should know.
    ///   - ready: Is told the port once clients are accepted.
    /// - Throws: `PersistenceError` with the code `configuration` when the engine's configuration is not usable.
    public init(
        configuration: GatewayConfiguration, logger: Logger, ready: (@Sendable (Int) -> Void)? = nil
    ) throws {
        gateway = try Gateway(configuration: configuration, logger: logger)
        self.ready = ready
    }

    /// Serves clients until the service shuts down; then lets running commands end, and rolls open transactions back.
    ///
    /// - Throws: An error when the engine cannot be prepared, the address cannot be listened on, or the certificates
    ///   cannot be read.
    public func run() async throws {
        // Detached, because the service's shutdown must not reach them before the commands that still run have ended.
        let pools = [gateway.database, gateway.transactionDatabase].map { database in
            Task.detached { try await database.run() }
        }
        let result: Result<Void, any Error>
        do {
            try await EngineSchema.prepare(gateway.database)
            try await gateway.prepareAdministrator()
            try await listen()
            result = .success(())
        } catch {
            result = .failure(error)
        }
        for transaction in gateway.transactions.open { transaction.expire() }
        await gateway.transactionDatabase.shutdown(within: .seconds(1))
        await gateway.database.shutdown(within: .seconds(1))
        for pool in pools { _ = await pool.result }
        try result.get()
    }

    private func listen() async throws {
        let configuration = gateway.configuration
        let tls = try configuration.tls.map(Self.context)
        let (gateway, tracker) = (gateway, gateway.tracker)
        let identifiers = IdentifierSource()
        let initialize: @Sendable (ReactorChannel) throws -> Void = { channel in
            guard tracker.count < configuration.maximumConnections else {
                gateway.logger.warning("too many connections; one is refused")
                throw ChannelError.connectPending
            }
            let id = identifiers.next()
            let session = ClientSession(id: id, remoteAddress: channel.remoteAddress?.text ?? "anonymous unix socket")
            if let tls {
                try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
            }
            try channel.pipeline.syncOperations.addHandler(
                ConnectionHandler(gateway: gateway, session: session, tracker: tracker))
        }
        let loop = ReactorEventLoop(gateway.reactor.firstThread)
        let listener = try ReactorListener(
            at: .makeAddressResolvingHost(configuration.host, port: configuration.port), loop: loop,
            initialize: initialize)
        let local = try configuration.socketPath.map { path in
            do {
                return try ReactorListener(
                    at: SocketAddress(unixDomainSocketPath: path), loop: loop, initialize: initialize)
            } catch {
                listener.stop()
                throw error
            }
        }
        let port = listener.address.port ?? configuration.port
        if configuration.advertisedAddress == nil {
            gateway.address.withLock { $0 = "\(configuration.host):\(port)" }
        }
        gateway.logger.notice("listening", metadata: ["address": "\(configuration.host):\(port)"])
        listener.start()
        local?.start()
        ready?(port)
        let upkeep = Task { await gateway.maintain() }
        await withTaskCancellationOrGracefulShutdownHandler {
            await listener.waitUntilStopped()
        } onCancelOrGracefulShutdown: {
            listener.stop()
        }
        local?.stop()
        await local?.waitUntilStopped()
        upkeep.cancel()
        gateway.logger.notice("shutting down")
        for transaction in gateway.transactions.open { transaction.expire() }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await tracker.drainAll() }
            group.addTask { try? await Task.sleep(for: configuration.shutdownTimeout) }
            await group.next()
            // Closing what is left ends the other task.
            listener.closeChannels()
            local?.closeChannels()
            group.cancelAll()
        }
    }

    private static func context(_ tls: GatewayConfiguration.TLS) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(tls.certificate).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: tls.key, format: .pem)))
        configuration.minimumTLSVersion = .tlsv12
        if let authority = tls.clientAuthority {
            configuration.trustRoots = .file(authority)
            // A client has no host name to compare.
            configuration.certificateVerification = .noHostnameVerification
        }
        return try NIOSSLContext(configuration: configuration)
    }
}

/// Numbers for connections.
private final class IdentifierSource: Sendable {
    private let last = Atomic<Int32>(0)

    func next() -> Int32 {
        last.wrappingAdd(1, ordering: .relaxed).newValue & Int32.max
    }
}

extension SocketAddress {
    fileprivate var text: String {
        guard let ipAddress, let port else { return description }
        return ipAddress.contains(":") ? "[\(ipAddress)]:\(port)" : "\(ipAddress):\(port)"
    }
}

extension Gateway {
    /// Ends what has lasted too long, and forgets what nobody can ask for any more.
    func maintain() async {
        var rounds = 0
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(500))
            let now = ContinuousClock.now
            for transaction in transactions.open where transaction.started + configuration.transactionLifetime < now {
                transaction.expire()
            }
            rounds += 1
            guard rounds % 120 == 0 else { continue }
            cursors.forget(unusedSince: now - .seconds(600))
            writes.forget(unusedSince: now - .seconds(2100))
            transactions.forget(unusedSince: now - .seconds(2100))
            if rounds % 600 == 0 { try? await EngineSchema.forgetOldSessions(database) }
        }
    }
}
