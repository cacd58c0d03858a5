import PersistenceCore
import Subprocess

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

/// The user that a private server runs as: the caller, or, because PostgreSQL refuses to run as root, the user that
/// Debian's package makes for it.
struct ServerUser: Sendable, Equatable {
    var identity: uid_t
    var group: gid_t
    /// Whether the caller is root and has to become this user.
    var isAnother: Bool

    static func current() throws(PersistenceError) -> ServerUser {
        if geteuid() != 0 {
            return ServerUser(identity: geteuid(), group: getegid(), isAnother: false)
        }
        for name in ["postgres", "nobody"] {
            var entry = passwd()
            var found: UnsafeMutablePointer<passwd>?
            var buffer = [CChar](repeating: 0, count: 16_384)
            if getpwnam_r(name, &entry, &buffer, buffer.count, &found) == 0, found != nil {
                return ServerUser(identity: entry.pw_uid, group: entry.pw_gid, isAnother: true)
            }
        }
        throw PersistenceError(
            .configuration, "root may not run a PostgreSQL server, and there is no user 'postgres' to run it as",
            operation: "server.user")
    }
}

/// Runs the programs of a private server: without the caller's `PG…` variables, in English, and as its user.
struct ServerProcess: Sendable {
    /// What a program printed on both streams, and whether it exited with 0.
    struct Result: Sendable {
        var output: String
        var isSuccess: Bool
    }

    var user: ServerUser

    /// Runs a program to its end.
    ///
    /// The waiting costs no thread. Cancelling the task ends the program.
    func run(
        _ program: String,
        _ arguments: [String],
        environment: [String: String] = [:],
        asCaller: Bool = false
    ) async throws(PersistenceError) -> Result {
        var changes: [Environment.Key: String?] = ["LC_ALL": "C"]
        for name in ProcessInfo.processInfo.environment.keys where name.hasPrefix("PG") {
            if let key = Environment.Key(rawValue: name) { changes.updateValue(nil, forKey: key) }
        }
        for (name, value) in environment {
            if let key = Environment.Key(rawValue: name) { changes.updateValue(value, forKey: key) }
        }
        do {
            let (program, arguments) = asCaller ? (program, arguments) : asUser(program, arguments)
            let result = try await Subprocess.run(
                program.contains("/") ? .path(FilePath(program)) : .name(program),
                arguments: Arguments(arguments),
                environment: .inherit.updating(changes),
                workingDirectory: "/",
                output: .string(limit: 1 << 20),
                error: .combinedWithOutput
            )
            // Cancelling kills the program, which is no failure of its own.
            if !result.terminationStatus.isSuccess { try Task.checkCancellation() }
            return Result(output: result.standardOutput, isSuccess: result.terminationStatus.isSuccess)
        } catch {
            throw Self.failure(program, error)
        }
    }

    /// Runs a program that has to succeed.
    ///
    /// - Throws: ``PersistenceError`` with what the program printed in its summary: a private server has no secrets.
    @discardableResult
    func require(
        _ program: String,
        _ arguments: [String],
        environment: [String: String] = [:],
        asCaller: Bool = false
    ) async throws(PersistenceError) -> String {
        let result = try await run(program, arguments, environment: environment, asCaller: asCaller)
        if result.isSuccess { return result.output }
        throw PersistenceError(.server, "\(program) failed: \(result.output)", operation: "server.process")
    }

    /// Starts a shell script that outlives the call in a session of its own, where a Ctrl-C for the caller does not
    /// reach it.
    ///
    /// - Parameter input: The script's standard input; closed here when the script has it.
    func startInBackground(
        _ script: String, _ arguments: [String], input: FileDescriptor
    ) async throws(PersistenceError) {
        var options = PlatformOptions()
        options.createSession = true
        do {
            let result = try await Subprocess.run(
                .path("/bin/sh"),
                arguments: Arguments(["-c", script, "sh"] + arguments),
                workingDirectory: "/",
                platformOptions: options,
                input: .fileDescriptor(input, closeAfterSpawningProcess: true),
                output: .discarded,
                error: .discarded
            )
            if result.terminationStatus.isSuccess { return }
        } catch {
            throw Self.failure("sh", error)
        }
        throw PersistenceError(.server, "the watchdog did not start", operation: "server.process")
    }

    /// The command that runs a program as the server's user.
    ///
    /// Through `setpriv`, not through Subprocess's own options: those make it call `setgroups` between fork and exec, and
    /// glibc's then waits for threads of the parent that the child does not have. Every few hundred starts it hung.
    private func asUser(_ program: String, _ arguments: [String]) -> (String, [String]) {
        guard user.isAnother else { return (program, arguments) }
        let prefix = ["--reuid=\(user.identity)", "--regid=\(user.group)", "--clear-groups", "--", program]
        return ("setpriv", prefix + arguments)
    }

    private static func failure(_ program: String, _ error: any Error) -> PersistenceError {
        if error is CancellationError || Task.isCancelled {
            return PersistenceError(.cancelled, operation: "server.process")
        }
        return PersistenceError(.configuration, "\(program) could not be run: \(error)", operation: "server.process")
            .with { $0.underlying = error }
    }
}

extension ServerProcess {
    /// Asks again and again for what another program does in its own time and tells nobody of.
    ///
    /// - Parameters:
    ///   - attempts: How often to ask at most.
    ///   - pause: How long to wait in between.
    ///   - operation: What is waited for, for the error.
    ///   - condition: Asks.
    /// - Returns: Whether it has happened.
    /// - Throws: ``PersistenceError``: `cancelled`, and what `condition` throws.
    func poll(
        _ attempts: Int, every pause: Duration, operation: String,
        _ condition: () async throws(PersistenceError) -> Bool
    ) async throws(PersistenceError) -> Bool {
        for _ in 0..<attempts {
            if try await condition() { return true }
            do {
                try await Task.sleep(for: pause)
            } catch {
                throw PersistenceError(.cancelled, operation: operation)
            }
        }
        return false
    }
}
