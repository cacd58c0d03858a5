public import PersistenceCore
import Synchronization

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif
#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif
#if canImport(System)
    import System
#else
    import SystemPackage
#endif

/// A private PostgreSQL server for tests that must own theirs: to kill it, to restart it, or to set it up in their own
/// way.
///
/// It is the PostgreSQL that is installed on the machine, in a temporary folder, on a port of 127.0.0.1 that was free and
/// on a Unix socket. When the process ends, in whatever way, the server and its folder are gone.
///
/// ```swift
/// try await PostgresTestServer.with { server in
///     // connect to server.url
///     try await server.kill()
///     // see what the client makes of that
///     try await server.start()
/// }
/// ```
///
/// The server does not flush to disk (`fsync = off`): what it wrote survives its own crash, as the operating system keeps
/// it, but not one of the machine. Set `fsync` to measure durability.
public final class PostgresTestServer: Sendable {
    /// The address that the server listens on.
    public let host = "127.0.0.1"
    /// The port that the server listens on; it stays the same over restarts.
    public let port: Int
    /// The superuser.
    public let username: String
    /// The superuser's password, made for the servers of this process.
    public let password: String
    /// The database.
    public let database: String
    /// The folder of the Unix socket, over which no password is asked.
    public let socketFolder: String
    /// The certificates, when the server has TLS.
    public let certificates: Certificates?
    /// The PostgreSQL that runs.
    public let installation: PostgresInstallation

    let folder: String
    let process: ServerProcess
    private let guardian: ServerGuard
    private let state = Mutex(State.stopped)

    private enum State {
        case stopped
        case running
        /// A call is changing the state.
        case changing
        case removed
    }

    /// The server as a connection URI over TCP, with user and password.
    public var url: String { "postgres://\(username):\(password)@\(host):\(port)/\(database)" }

    var certificateFolder: String { "\(folder)/certificates" }
    var dataFolder: String { "\(folder)/data" }
    private var logFile: String { "\(folder)/log" }

    /// Makes a server, which does not run yet.
    ///
    /// - Parameter options: What the server is like.
    /// - Throws: ``PersistenceError`` with the code `configuration` when no server is installed or an option is refused, and
    ///   with what `initdb` or `openssl` printed when they fail. Nothing is left behind then.
    public init(_ options: Options = Options()) async throws(PersistenceError) {
        try Self.check(options)
        if let chosen = options.installation {
            self.installation = chosen
        } else {
            self.installation = try await .find()
        }
        let user = try ServerUser.current()
        self.process = ServerProcess(user: user)
        (self.folder, self.guardian) = try await Self.makeFolder(for: process)
        self.socketFolder = "\(folder)/socket"
        self.username = options.username
        self.database = options.database
        self.password = ClusterTemplate.password
        self.certificates = options.isTLSEnabled ? Certificates(folder: "\(folder)/certificates") : nil
        self.port = try Self.freePort()
        // From here on the guard removes the folder when the initialiser throws and the guard is released.
        try await makeCluster(options)
    }

    /// Copies a running server, which the new one then follows.
    init(
        following primary: PostgresTestServer, as name: String, settings: [String: String]
    ) async throws(PersistenceError) {
        self.installation = primary.installation
        self.process = primary.process
        (self.folder, self.guardian) = try await Self.makeFolder(for: process)
        self.socketFolder = "\(folder)/socket"
        self.username = primary.username
        self.database = primary.database
        self.password = primary.password
        self.certificates = nil
        self.port = try Self.freePort()
        try await copyCluster(of: primary, as: name, settings)
    }

    // MARK: Scope

    /// Runs a server for as long as a closure runs.
    ///
    /// - Parameters:
    ///   - options: What the server is like.
    ///   - body: Uses the running server.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws, after the end of the server's log has been printed to standard error; or
    ///   ``PersistenceError`` when the server does not start.
    public static func with<Result>(
        _ options: Options = Options(),
        _ body: (PostgresTestServer) async throws -> Result
    ) async throws -> Result {
        let server = try await PostgresTestServer(options)
        do {
            try await server.start()
            let result = try await body(server)
            await server.remove()
            return result
        } catch {
            let text = "\(error)\nThe end of the server's log:\n\(server.log(lines: 40))\n"
            _ = try? FileDescriptor.standardError.writeAll(text.utf8)
            await server.remove()
            throw error
        }
    }

    // MARK: Life

    /// Starts the server and waits until it accepts connections; recovers first when it was killed.
    ///
    /// Does nothing when the server runs.
    ///
    /// - Throws: ``PersistenceError`` with the code `server` and the end of the log when the server does not start, and
    ///   with `invalidArgument` while another call is starting or stopping it, or after it was removed.
    public func start() async throws(PersistenceError) {
        try await change(to: .running) { () async throws(PersistenceError) in
            try await launch()
        }
    }

    /// Stops the server and waits until it is gone.
    ///
    /// Does nothing when it does not run.
    ///
    /// - Parameter mode: How it is asked to stop.
    /// - Throws: ``PersistenceError`` with the code `server` when the server does not stop, and with `invalidArgument`
    ///   while another call is starting or stopping it, or after it was removed.
    public func stop(mode: StopMode = .fast) async throws(PersistenceError) {
        try await change(to: .stopped) { () async throws(PersistenceError) in
            try await process.require(
                installation.program("pg_ctl"),
                ["stop", "-s", "-w", "-t", "60", "-m", mode.rawValue, "-D", dataFolder])
        }
    }

    /// Kills the server and all its sessions as a crash would, with SIGKILL, and waits until they are gone.
    ///
    /// Does nothing when it does not run.
    ///
    /// - Throws: ``PersistenceError`` with the code `invalidArgument` while another call is starting or stopping the
    ///   server, or after it was removed.
    public func kill() async throws(PersistenceError) {
        try await change(to: .stopped) { () async throws(PersistenceError) in
            try await ServerGuard.kill(folder: folder, with: process)
        }
    }

    /// Stops the server and starts it again, on the same port.
    ///
    /// - Parameter mode: How it is asked to stop.
    /// - Throws: As ``stop(mode:)`` and ``start()``.
    public func restart(mode: StopMode = .fast) async throws(PersistenceError) {
        try await stop(mode: mode)
        try await start()
    }

    /// Ends the server and removes its folder.
    ///
    /// The server cannot be used afterwards. Works in a cancelled task, too.
    public func remove() async {
        state.withLock { $0 = .removed }
        await guardian.remove(folder, with: process)
    }

    /// Runs SQL as the superuser through `psql` and the Unix socket.
    ///
    /// - Parameter sql: The statements. They are not built from untrusted values: this is for tests.
    /// - Returns: The rows, a line each, with `|` between columns.
    /// - Throws: ``PersistenceError`` with the code `server` and what `psql` printed.
    @discardableResult
    public func query(_ sql: String) async throws(PersistenceError) -> String {
        try await query(sql, database: database)
    }

    /// The end of the server's log.
    ///
    /// - Parameter lines: The number of lines at most.
    /// - Returns: The lines.
    public func log(lines: Int = 200) -> String {
        let text = (try? String(contentsOfFile: logFile, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").suffix(max(0, lines)).joined(separator: "\n")
    }

    private func change(
        to target: State, _ body: () async throws(PersistenceError) -> Void
    ) async throws(PersistenceError) {
        let before = try state.withLock { state throws(PersistenceError) in
            switch state {
            case .changing:
                throw PersistenceError(
                    .invalidArgument, "another call is starting or stopping the server", operation: "server.change")
            case .removed:
                throw PersistenceError(.invalidArgument, "the server was removed", operation: "server.change")
            case .stopped, .running:
                let before = state
                state = .changing
                return before
            }
        }
        // Removing does not wait for a change to end; what was removed stays removed.
        func settle(_ result: State) {
            state.withLock { if $0 != .removed { $0 = result } }
        }
        if before == target { return settle(target) }
        do {
            try await body()
        } catch {
            settle(before)
            throw error
        }
        settle(target)
    }

    private func launch() async throws(PersistenceError) {
        do {
            try await process.require(
                installation.program("pg_ctl"),
                ["start", "-s", "-w", "-t", "60", "-D", dataFolder, "-l", logFile, "-o", "-p \(port)"])
        } catch {
            // It may still be starting.
            let (folder, process) = (folder, process)
            await Task { try? await ServerGuard.kill(folder: folder, with: process) }.value
            if error.code == .cancelled { throw error }
            throw PersistenceError(
                .server, "the server did not start: \(error.summary)\n\(log(lines: 20))", operation: "server.start")
        }
        let known = try await query(
            "SELECT count(*) FROM pg_database WHERE datname = '\(database)'", database: "postgres")
        if known == "0" { try await query("CREATE DATABASE \"\(database)\"", database: "postgres") }
    }

    @discardableResult
    private func query(_ sql: String, database: String) async throws(PersistenceError) -> String {
        let output = try await process.require(
            installation.program("psql"),
            [
                "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", socketFolder, "-p", "\(port)", "-U", username,
                "-d", database, "-c", sql,
            ])
        return output.hasSuffix("\n") ? String(output.dropLast()) : output
    }

    // MARK: Making

    static func check(_ options: Options) throws(PersistenceError) {
        func isName(_ text: String) -> Bool {
            !text.isEmpty && text.utf8.count < 64 && text.utf8.allSatisfy { $0 == 0x5F || $0.isLetterOrDigit }
        }
        guard isName(options.username), isName(options.database) else {
            throw PersistenceError(
                .configuration, "user and database of a test server are up to 63 letters, digits and underscores",
                operation: "server.options")
        }
        let lines = options.settings.values + options.hostBasedAuthentication
        guard lines.allSatisfy({ !$0.contains("\n") && !$0.contains("\0") }),
            options.settings.keys.allSatisfy({ name in
                !name.isEmpty && name.utf8.allSatisfy { $0 == 0x5F || $0 == 0x2E || $0.isLetterOrDigit }
            })
        else {
            throw PersistenceError(
                .configuration, "a setting or an authentication line is not one line", operation: "server.options")
        }
    }

    /// A folder that the server's user can write, with a path short enough for a Unix socket (107 bytes with the name).
    static func makeFolder(
        for process: ServerProcess
    ) async throws(PersistenceError) -> (String, ServerGuard) {
        for parent in [FileManager.default.temporaryDirectory.path, "/tmp", "/var/tmp"] where parent.utf8.count < 60 {
            let path = "\(parent)/persistence-server-\(String(UInt64.random(in: .min ... .max), radix: 36))"
            do {
                let guardian = try await ServerGuard.makeFolder(path, with: process)
                // As the server's user, who may not be able to enter the caller's own temporary folder.
                if try await process.run("/bin/sh", ["-c", "test -w \"$1\"", "sh", path]).isSuccess {
                    return (path, guardian)
                }
            } catch  where error.code == .server {
                // No folder can be made there.
            }
        }
        throw PersistenceError(
            .configuration, "no temporary folder can be used by the server", operation: "server.folder")
    }

    /// A port of 127.0.0.1 that nobody has.
    ///
    /// Below the ports from which systems take those of outgoing connections (32768 on Linux, 49152 on macOS): a server
    /// that is killed finds its own free when it starts again. Another process may take it before the server does, which
    /// is so unlikely that the server then simply fails to start.
    static func freePort() throws(PersistenceError) -> Int {
        for _ in 0..<100 {
            let port = Int.random(in: 10_000..<27_000)
            if isFree(port) { return port }
        }
        throw PersistenceError(.resourceExhausted, "no free port was found: \(errno)", operation: "server.port")
    }

    private static func isFree(_ port: Int) -> Bool {
        #if canImport(Glibc)
            let kind = CInt(SOCK_STREAM.rawValue)
        #else
            let kind = SOCK_STREAM
        #endif
        let descriptor = socket(AF_INET, kind, 0)
        defer { if descriptor >= 0 { close(descriptor) } }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                descriptor >= 0 && bind(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    private func makeCluster(_ options: Options) async throws(PersistenceError) {
        if certificates != nil {
            try await process.require("/bin/sh", ["-c", Self.certificateScript, "sh", certificateFolder, username])
        }
        let template = try await ClusterTemplate.shared.folder(
            for: .init(programs: installation.programs, username: username, arguments: options.initialization),
            with: process)
        let script = #"""
            set -eu
            umask 077
            mkdir -p "$1/socket"
            cp -Rp "$2" "$1/data"
            cat >>"$1/data/postgresql.conf" <<END
            $3
            END
            cat >"$1/data/pg_hba.conf" <<END
            $4
            END
            """#
        try await process.require(
            "/bin/sh",
            ["-c", script, "sh", folder, template, configuration(options), authentication(options)])
    }

    private func configuration(_ options: Options) -> String {
        var settings = [
            "listen_addresses": host,
            "unix_socket_directories": socketFolder,
            "fsync": "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
            // In the folder, not in /dev/shm, where a killed server would leave its segments.
            "dynamic_shared_memory_type": "mmap",
        ]
        if let certificates {
            settings["ssl"] = "on"
            settings["ssl_ca_file"] = certificates.authority
            settings["ssl_cert_file"] = "\(certificateFolder)/localhost.crt"
            settings["ssl_key_file"] = "\(certificateFolder)/localhost.key"
        }
        if let placed = options.settingsByPlace?(socketFolder, port) { settings.merge(placed) { $1 } }
        settings.merge(options.settings) { $1 }
        return Self.lines(of: settings)
    }

    /// The settings as lines of `postgresql.conf`.
    static func lines(of settings: [String: String]) -> String {
        settings.sorted { $0.key < $1.key }
            .map { "\($0.key) = '\($0.value.replacing("'", with: "''"))'" }
            .joined(separator: "\n")
    }

    private func authentication(_ options: Options) -> String {
        let own = [
            "local all all trust", "local replication all trust", "host all all 127.0.0.1/32 scram-sha-256",
            "host replication all 127.0.0.1/32 scram-sha-256",
        ]
        return (options.hostBasedAuthentication + own).joined(separator: "\n")
    }
}

extension UInt8 {
    fileprivate var isLetterOrDigit: Bool {
        (0x30...0x39).contains(self) || (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self)
    }
}
