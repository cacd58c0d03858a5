package import PersistenceCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A private MongoDB endpoint for tests that must own theirs: the gateway of `Tools/DocumentGateway`, in front of an
/// engine of its own.
///
/// `Scripts/databases env` names the programs of both, in `GATEWAY_PROGRAM` and `ENGINE_PROGRAMS`. When the process ends,
/// in whatever way, both are gone with their folders.
///
/// ```swift
/// let engine = try await DocumentTestServer.makeEngine()
/// try await DocumentTestServer.with(engine) { server in
///     // connect to server.url
///     try await server.kill()
///     try await server.start()
/// }
/// ```
package final class DocumentTestServer: Sendable {
    /// What a gateway is like.
    package struct Options: Sendable {
        /// The certificate that the gateway shows; `nil` for no TLS.
        package var certificate: PostgresTestServer.ServerCertificate?
        /// Whether clients must show a certificate.
        package var requiresClientCertificate = false
        /// Further arguments of the gateway.
        package var arguments: [String] = []

        /// The defaults: no TLS.
        package init() {}
    }

    /// The certificates of a gateway with TLS, as MongoDB's drivers take them.
    package struct Certificates: Sendable {
        /// The authority that signed the gateway's and the client's certificates.
        package let authority: String
        /// An authority that signed nothing here.
        package let strangeAuthority: String
        /// A client's certificate and its key, in one file.
        package let client: String
    }

    /// The address that the gateway listens on.
    package let host = "127.0.0.1"
    /// The port that the gateway listens on; it stays the same over restarts.
    package let port: Int
    /// The user with the role root.
    package let username: String
    /// The user's password.
    package let password: String
    /// The certificates, when the gateway has TLS.
    package let certificates: Certificates?
    /// The engine behind the gateway.
    package let engine: PostgresTestServer

    private let folder: String
    private let process: ServerProcess
    private let guardian: ServerGuard
    private let program: String
    private let arguments: [String]

    /// The endpoint as a connection string, with user and password.
    package var url: String { "mongodb://\(username):\(password)@\(host):\(port)/?authSource=admin" }

    // MARK: Programs

    private static var gatewayProgram: String? { ProcessInfo.processInfo.environment["GATEWAY_PROGRAM"] }
    private static var enginePrograms: String? { ProcessInfo.processInfo.environment["ENGINE_PROGRAMS"] }

    /// Whether tests with private endpoints run: when the programs are named, and wherever the gateway serves the others
    /// and nothing may be skipped.
    package static var isExpected: Bool {
        let environment = ProcessInfo.processInfo.environment
        if gatewayProgram != nil, enginePrograms != nil { return true }
        return environment["CI"] == "true" && environment["DOCUMENT_ENGINE"] != nil
    }

    private static func require(_ path: String?, _ name: String) throws(PersistenceError) -> String {
        guard let path, !path.isEmpty else {
            throw PersistenceError(
                .configuration, "\(name) is not set; see Scripts/databases env", operation: "gateway.find")
        }
        return path
    }

    // MARK: Making

    /// Makes an engine, and starts it.
    ///
    /// - Returns: The engine: PostgreSQL with the extension that gateways call.
    /// - Throws: ``PersistenceError`` as `PostgresTestServer` does, and with the code `configuration` when the programs are
    ///   not named.
    package static func makeEngine() async throws(PersistenceError) -> PostgresTestServer {
        let system = try await PostgresInstallation.find()
        var options = PostgresTestServer.Options(
            settings: [
                "shared_preload_libraries": "pg_cron,pg_documentdb_core,pg_documentdb,pg_documentdb_extended_rum",
                "cron.database_name": "postgres", "cron.log_run": "off", "cron.log_statement": "off",
                "documentdb.useFileBasedPersistedCursors": "on", "full_page_writes": "off", "max_connections": "200",
            ], username: "postgres", database: "postgres",
            installation: try PostgresInstallation(
                programs: try require(enginePrograms, "ENGINE_PROGRAMS"), psql: system.program("psql")))
        // The programs come with a C library and none of its locales.
        options.initialization = ["--locale-provider=builtin"]
        options.settingsByPlace = { folder, port in
            [
                "cron.host": folder,
                "documentdb.localhost_connection_string":
                    "host=\(folder) port=\(port) dbname=postgres user=postgres",
            ]
        }
        let engine = try await PostgresTestServer(options)
        do {
            try await engine.start()
            return engine
        } catch {
            await engine.remove()
            throw error
        }
    }

    /// Makes a gateway, which does not run yet.
    ///
    /// - Parameters:
    ///   - engine: The engine, which may be behind several gateways.
    ///   - options: What the gateway is like.
    /// - Throws: ``PersistenceError`` with the code `configuration` when its program is not named.
    package init(_ engine: PostgresTestServer, _ options: Options = Options()) async throws(PersistenceError) {
        self.engine = engine
        program = try Self.require(Self.gatewayProgram, "GATEWAY_PROGRAM")
        // As the caller, who can reach the program wherever it was built.
        process = ServerProcess(user: ServerUser(identity: 0, group: 0, isAnother: false))
        (folder, guardian) = try await PostgresTestServer.makeFolder(for: process)
        port = try PostgresTestServer.freePort()
        // Users are the engine's: two gateways in front of one must not change each other's.
        username = "gateway_\(String(UInt64.random(in: .min ... .max), radix: 36))"
        password = String(UInt64.random(in: .min ... .max), radix: 36)
        var arguments = [
            "--engine", engine.url, "--port", "\(port)", "--admin-user", username, "--engine-connections", "16",
            "--fail-points",
        ]
        if let certificate = options.certificate {
            let name = "\(folder)/certificates"
            certificates = Certificates(
                authority: "\(name)/authority.crt", strangeAuthority: "\(name)/stranger.crt",
                client: "\(name)/client.pem")
            arguments += [
                "--tls-certificate", "\(name)/\(certificate.rawValue).crt",
                "--tls-key", "\(name)/\(certificate.rawValue).key",
            ]
            if options.requiresClientCertificate { arguments += ["--tls-client-authority", "\(name)/authority.crt"] }
        } else {
            certificates = nil
        }
        self.arguments = arguments + options.arguments
        guard certificates != nil else { return }
        try await process.require(
            "/bin/sh", ["-c", PostgresTestServer.certificateScript, "sh", "\(folder)/certificates", username])
        try await process.require(
            "/bin/sh",
            ["-c", "cat \"$1/client.crt\" \"$1/client.key\" >\"$1/client.pem\"", "sh", "\(folder)/certificates"])
    }

    /// Runs a gateway for as long as a closure runs.
    ///
    /// - Parameters:
    ///   - engine: The engine.
    ///   - options: What the gateway is like.
    ///   - body: Uses the running gateway.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws; ``PersistenceError`` when the gateway does not start.
    package static func with<Result>(
        _ engine: PostgresTestServer, _ options: Options = Options(),
        _ body: (DocumentTestServer) async throws -> Result
    ) async throws -> Result {
        let server = try await DocumentTestServer(engine, options)
        do {
            try await server.start()
            let result = try await body(server)
            await server.remove()
            return result
        } catch {
            await server.remove()
            throw error
        }
    }

    // MARK: Life

    /// Starts the gateway and waits until it listens.
    ///
    /// - Throws: ``PersistenceError`` with the code `server` and the end of its log when it does not start.
    package func start() async throws(PersistenceError) {
        // The path in the folder is what the folder's guard knows the process by.
        let script = #"""
            set -eu
            folder=$1 program=$2
            shift 2
            mkdir -p "$folder/data"
            ln -sf "$program" "$folder/data/document-gateway"
            "$folder/data/document-gateway" "$@" >"$folder/log" 2>&1 </dev/null &
            echo $! >"$folder/data/postmaster.pid"
            """#
        try await process.require(
            "/bin/sh", ["-c", script, "sh", folder, program] + arguments,
            environment: ["GATEWAY_ADMIN_PASSWORD": password])
        let listening = "listening on"
        _ = try await process.poll(3000, every: .milliseconds(20), operation: "gateway.start") {
            () async throws(PersistenceError) in
            let printed = log()
            return printed.contains(listening) || printed.contains("Error:")
        }
        let printed = log()
        guard printed.contains(listening) else {
            throw PersistenceError(.server, "the gateway did not start: \(printed)", operation: "gateway.start")
        }
    }

    /// Kills the gateway as a crash would, with SIGKILL, and waits until it is gone; does nothing when it does not run.
    ///
    /// - Throws: ``PersistenceError`` when the process cannot be ended.
    package func kill() async throws(PersistenceError) {
        try await ServerGuard.kill(folder: folder, with: process)
    }

    /// Ends the gateway and removes its folder.
    ///
    /// It cannot be used afterwards. Works in a cancelled task, too.
    package func remove() async {
        await guardian.remove(folder, with: process)
    }

    /// What the gateway has printed.
    package func log() -> String {
        (try? String(contentsOfFile: "\(folder)/log", encoding: .utf8)) ?? ""
    }
}
