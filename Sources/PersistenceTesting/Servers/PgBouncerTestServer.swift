public import PersistenceCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A private PgBouncer in front of a private PostgreSQL server.
///
/// It is the PgBouncer that is installed on the machine, in a temporary folder, on a port of 127.0.0.1 that was free. When
/// the process ends, in whatever way, it is gone with its folder.
///
/// ```swift
/// try await PgBouncerTestServer.with(in: server) { bouncer in
///     // connect to bouncer.url
///     try await bouncer.kill()
///     try await bouncer.start()
/// }
/// ```
public final class PgBouncerTestServer: Sendable {
    /// When a connection of the server goes back to PgBouncer's pool.
    @nonexhaustive
    public enum PoolMode: String, Sendable, CaseIterable {
        /// When its client disconnects.
        case session
        /// After each transaction.
        case transaction
        /// After each statement; transactions of several statements are refused.
        case statement
    }

    /// What a PgBouncer is like.
    public struct Options: Sendable {
        /// When a connection goes back to the pool.
        public var poolMode = PoolMode.transaction
        /// How many connections to the server there are at most.
        public var poolSize = 20
        /// Settings of `pgbouncer.ini` beyond those, by name; they win over everything that is set here.
        public var settings: [String: String] = [:]

        /// The defaults: transaction mode, 20 connections.
        public init() {}
    }

    /// The address that PgBouncer listens on.
    public let host = "127.0.0.1"
    /// The port that PgBouncer listens on; it stays the same over restarts.
    public let port: Int
    /// The superuser, of the server and of PgBouncer's console.
    public let username: String
    /// The superuser's password.
    public let password: String
    /// The database.
    public let database: String

    private let folder: String
    private let program: String
    private let psql: String
    private let process: ServerProcess
    private let guardian: ServerGuard

    /// PgBouncer as a connection URI, with user and password.
    public var url: String { "postgres://\(username):\(password)@\(host):\(port)/\(database)" }

    /// Makes a PgBouncer, which does not run yet.
    ///
    /// - Parameters:
    ///   - server: The server that it stands in front of.
    ///   - proxy: A proxy on the way from PgBouncer to the server.
    ///   - options: What it is like.
    /// - Throws: ``PersistenceError`` with the code `configuration` when PgBouncer is not installed or an option is refused.
    public init(
        in server: PostgresTestServer, through proxy: TCPProxy? = nil, _ options: Options = Options()
    ) async throws(PersistenceError) {
        guard options.poolSize > 0,
            options.settings.allSatisfy({ name, value in
                !name.isEmpty && name.utf8.allSatisfy { $0 == 0x5F || (0x61...0x7A).contains($0) }
                    && !value.contains("\n") && !value.contains("\0")
            })
        else {
            throw PersistenceError(
                .configuration, "a setting of PgBouncer is not one line, or its pool has no size",
                operation: "pgbouncer.options")
        }
        self.program = try Self.find()
        self.process = server.process
        (self.folder, self.guardian) = try await PostgresTestServer.makeFolder(for: process)
        self.port = try PostgresTestServer.freePort()
        self.username = server.username
        self.password = server.password
        self.database = server.database
        self.psql = server.installation.program("psql")
        try await write(options, target: "host=127.0.0.1 port=\(proxy?.port ?? server.port)")
    }

    /// Whether PgBouncer is installed on this machine.
    public static var isInstalled: Bool { (try? find()) != nil }

    private static func find() throws(PersistenceError) -> String {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        // Debian's package puts it where only administrators look.
        let others = ["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin"]
        let folders = path.split(separator: ":").map(String.init) + others
        for folder in folders where FileManager.default.isExecutableFile(atPath: "\(folder)/pgbouncer") {
            return "\(folder)/pgbouncer"
        }
        throw PersistenceError(
            .configuration,
            "PgBouncer is not installed; Debian: apt-get install pgbouncer, macOS: brew install pgbouncer",
            operation: "pgbouncer.find")
    }

    /// Runs a PgBouncer for as long as a closure runs.
    ///
    /// - Parameters:
    ///   - server: The server that it stands in front of.
    ///   - proxy: A proxy on the way from PgBouncer to the server.
    ///   - options: What it is like.
    ///   - body: Uses the running PgBouncer.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws; ``PersistenceError`` when PgBouncer does not start.
    public static func with<Result>(
        in server: PostgresTestServer, through proxy: TCPProxy? = nil, _ options: Options = Options(),
        _ body: (PgBouncerTestServer) async throws -> Result
    ) async throws -> Result {
        let bouncer = try await PgBouncerTestServer(in: server, through: proxy, options)
        do {
            try await bouncer.start()
            let result = try await body(bouncer)
            await bouncer.remove()
            return result
        } catch {
            await bouncer.remove()
            throw error
        }
    }

    /// Starts PgBouncer and waits until it accepts connections.
    ///
    /// - Throws: ``PersistenceError`` with the code `server` and the end of its log when it does not start.
    public func start() async throws(PersistenceError) {
        try await process.require(program, ["-d", "-q", "\(folder)/data/pgbouncer.ini"])
        let isUp = try await process.poll(600, every: .milliseconds(20), operation: "pgbouncer.start") {
            () async throws(PersistenceError) in try await console("SHOW VERSION").isSuccess
        }
        guard isUp else {
            throw PersistenceError(.server, "PgBouncer did not start: \(log(lines: 20))", operation: "pgbouncer.start")
        }
    }

    /// Kills PgBouncer as a crash would, with SIGKILL, and waits until it is gone; does nothing when it does not run.
    ///
    /// - Throws: ``PersistenceError`` when the process cannot be ended.
    public func kill() async throws(PersistenceError) {
        try await ServerGuard.kill(folder: folder, with: process)
    }

    /// Ends PgBouncer and removes its folder.
    ///
    /// It cannot be used afterwards. Works in a cancelled task, too.
    public func remove() async {
        await guardian.remove(folder, with: process)
    }

    /// Runs a command of PgBouncer's console, such as `SHOW POOLS` or `KILL test`.
    ///
    /// - Parameter command: The command.
    /// - Returns: The rows, a line each, with `|` between columns.
    /// - Throws: ``PersistenceError`` with the code `server` and what `psql` printed.
    @discardableResult
    public func command(_ command: String) async throws(PersistenceError) -> String {
        let result = try await console(command)
        guard result.isSuccess else {
            throw PersistenceError(.server, "\(command) failed: \(result.output)", operation: "pgbouncer.command")
        }
        return result.output.hasSuffix("\n") ? String(result.output.dropLast()) : result.output
    }

    /// The end of PgBouncer's log.
    ///
    /// - Parameter lines: The number of lines at most.
    /// - Returns: The lines.
    public func log(lines: Int = 200) -> String {
        let text = (try? String(contentsOfFile: "\(folder)/log", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").suffix(max(0, lines)).joined(separator: "\n")
    }

    private func console(_ command: String) async throws(PersistenceError) -> ServerProcess.Result {
        try await process.run(
            psql,
            [
                "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", host, "-p", "\(port)", "-U", username, "-d",
                "pgbouncer", "-c", command,
            ], environment: ["PGPASSWORD": password, "PGCONNECT_TIMEOUT": "10"])
    }

    private func write(_ options: Options, target: String) async throws(PersistenceError) {
        var settings = [
            "listen_addr": host, "listen_port": "\(port)", "unix_socket_dir": "", "auth_type": "scram-sha-256",
            "auth_file": "\(folder)/data/users", "logfile": "\(folder)/log", "admin_users": username,
            "pool_mode": options.poolMode.rawValue, "default_pool_size": "\(options.poolSize)",
            "max_client_conn": "1000",
            // Where the guard of the folder looks for the process of a server.
            "pidfile": "\(folder)/data/postmaster.pid",
        ]
        settings.merge(options.settings) { $1 }
        let lines = settings.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)" }.joined(separator: "\n")
        let script = #"""
            set -eu
            umask 077
            mkdir "$1/data"
            printf '"%s" "%s"\n' "$2" "$PASSWORD" >"$1/data/users"
            printf '[databases]\n%s = %s dbname=%s\n[pgbouncer]\n%s\n' "$3" "$4" "$3" "$5" >"$1/data/pgbouncer.ini"
            """#
        try await process.require(
            "/bin/sh", ["-c", script, "sh", folder, username, database, target, lines],
            environment: ["PASSWORD": password])
    }
}
