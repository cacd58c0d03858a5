import ArgumentParser
import DocumentGateway
import Logging
import PersistenceCore
import PostgresEngine
import ServiceLifecycle
import UnixSignals

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif
#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The command line: listens until it is told to stop.
@main
struct DocumentGatewayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "document-gateway",
        abstract: "A MongoDB endpoint for development, in front of PostgreSQL with the DocumentDB extension.",
        discussion: """
            Clients authenticate with SCRAM-SHA-256. The environment variable GATEWAY_ADMIN_PASSWORD is the password of \
            the user that --admin-user names, who has the role root.
            """
    )

    @Option(help: "The engine: a PostgreSQL connection URI.")
    var engine: String

    @Option(help: "The address to listen on.")
    var host = "127.0.0.1"

    @Option(help: "The port to listen on; 0 takes a free one.")
    var port = 27017

    @Option(help: "A socket's file to listen on as well: it costs clients here less.", completion: .file())
    var socket: String?

    @Option(help: "The host and port that clients are told, when they differ from where it listens.")
    var advertise: String?

    @Option(help: "The user that is created with the role root.")
    var adminUser = "admin"

    @Flag(help: "Let everybody do everything, without authentication.")
    var noAuthentication = false

    @Flag(help: "Offer configureFailPoint, for tests.")
    var failPoints = false

    @Option(help: "The certificate in a PEM file; with it connections are encrypted.", completion: .file())
    var tlsCertificate: String?

    @Option(help: "The certificate's private key in a PEM file.", completion: .file())
    var tlsKey: String?

    @Option(help: "The authority, in a PEM file, whose certificates clients must have.", completion: .file())
    var tlsClientAuthority: String?

    @Option(help: "How many connections to the engine commands share; transactions have as many of their own.")
    var engineConnections = 32

    @Option(help: "How many clients may be connected.")
    var maximumConnections = 1000

    @Option(help: "How long the rest of a message may take, in seconds.")
    var messageTimeout = 30.0

    @Option(help: "How long a transaction may stay open, in seconds.")
    var transactionLifetime = 60.0

    @Option(help: "How long commands that are running may take when the gateway shuts down, in seconds.")
    var shutdownTimeout = 5.0

    @Option(help: "The least severe messages to log: trace, debug, info, notice, warning, error.")
    var logLevel = "notice"

    func validate() throws {
        guard (0...65_535).contains(port) else { throw ValidationError("--port must be from 0 to 65535") }
        guard (1...1000).contains(engineConnections) else {
            throw ValidationError("--engine-connections must be from 1 to 1000")
        }
        guard (1...100_000).contains(maximumConnections) else {
            throw ValidationError("--maximum-connections must be from 1 to 100000")
        }
        guard (tlsCertificate == nil) == (tlsKey == nil) else {
            throw ValidationError("--tls-certificate and --tls-key belong together")
        }
        guard tlsClientAuthority == nil || tlsCertificate != nil else {
            throw ValidationError("--tls-client-authority needs --tls-certificate")
        }
        guard (0.01...86_400).contains(messageTimeout) else {
            throw ValidationError("--message-timeout must be from 0.01 to 86400 seconds")
        }
        guard (0.01...86_400).contains(transactionLifetime) else {
            throw ValidationError("--transaction-lifetime must be from 0.01 to 86400 seconds")
        }
        guard (0...86_400).contains(shutdownTimeout) else {
            throw ValidationError("--shutdown-timeout must be from 0 to 86400 seconds")
        }
        guard Logger.Level(rawValue: logLevel) != nil else { throw ValidationError("--log-level is not a level") }
    }

    func run() async throws {
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        var logger = Logger(label: "document-gateway")
        logger.logLevel = Logger.Level(rawValue: logLevel) ?? .notice
        let server = try GatewayServer(configuration: try gatewayConfiguration(), logger: logger) { port in
            print("listening on \(port)")
            // Whoever reads it through a pipe waits for it.
            fflush(nil)
        }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [.init(service: server)], gracefulShutdownSignals: [.sigint, .sigterm], logger: logger))
        try await group.run()
    }

    private func gatewayConfiguration() throws -> GatewayConfiguration {
        var configuration = GatewayConfiguration(engine: try PostgresConfiguration(uri: engine))
        configuration.host = host
        configuration.port = port
        configuration.socketPath = socket
        configuration.advertisedAddress = advertise
        configuration.requiresAuthentication = !noAuthentication
        configuration.allowsFailPoints = failPoints
        configuration.engineConnections = engineConnections
        configuration.maximumConnections = maximumConnections
        configuration.messageTimeout = .seconds(messageTimeout)
        configuration.transactionLifetime = .seconds(transactionLifetime)
        configuration.shutdownTimeout = .seconds(shutdownTimeout)
        if let tlsCertificate, let tlsKey {
            configuration.tls = .init(
                certificate: tlsCertificate, key: tlsKey, clientAuthority: tlsClientAuthority)
        }
        if !noAuthentication {
            guard let password = ProcessInfo.processInfo.environment["GATEWAY_ADMIN_PASSWORD"], !password.isEmpty else {
                throw ValidationError("set GATEWAY_ADMIN_PASSWORD, or allow everybody with --no-authentication")
            }
            configuration.administrator = (adminUser, Secret(password))
        }
        return configuration
    }
}
