import PersistenceCore
import Synchronization

/// The data folders that private servers begin with.
///
/// `initdb` takes a second or two, a copy of what it has made a fraction of one. So it runs once in a process for each
/// kind of server, and every server gets a copy.
final class ClusterTemplate: Sendable {
    /// What a data folder depends on.
    struct Kind: Hashable {
        var programs: String
        var username: String
        var arguments: [String] = []
    }

    /// A data folder, and what removes it when the process ends.
    private struct Made: Sendable {
        var folder: String
        var guardian: ServerGuard
    }

    static let shared = ClusterTemplate()

    /// The superusers' password.
    ///
    /// It is part of the data folder, so the servers of a process share it.
    static let password =
        String(UInt64.random(in: .min ... .max), radix: 36) + String(UInt64.random(in: .min ... .max), radix: 36)

    private let made = Mutex<[Kind: Task<Made, any Error>]>([:])

    /// The data folder to copy for a kind of server; the first who asks has it made.
    func folder(for kind: Kind, with process: ServerProcess) async throws(PersistenceError) -> String {
        let task = made.withLock { made in
            if let task = made[kind] { return task }
            // A task of its own: others wait for it, too, so that cancelling the first one must not end it.
            let task = Task { try await Self.make(kind, with: process) }
            made[kind] = task
            return task
        }
        do {
            return try await task.value.folder
        } catch {
            // The next one may have more luck, with a disk that is no longer full.
            made.withLock { made in
                if made[kind] == task { made[kind] = nil }
            }
            throw error as? PersistenceError ?? PersistenceError(.internal, operation: "server.template")
        }
    }

    private static func make(_ kind: Kind, with process: ServerProcess) async throws(PersistenceError) -> Made {
        let (folder, guardian) = try await PostgresTestServer.makeFolder(for: process)
        #if os(Linux)
            let locale = "C.UTF-8"
        #else
            let locale = "C"
        #endif
        // The password goes through the environment, which other users cannot read, unlike arguments.
        let script = #"""
            set -eu
            umask 077
            printf '%s\n' "$PASSWORD" >"$1/password"
            # Its output goes through a file: an initdb whose pipe breaks dies in the middle and leaves shared memory behind.
            folder=$1 program=$2 user=$3 locale=$4
            shift 4
            "$program" -D "$folder/data" --username="$user" --pwfile="$folder/password" --auth=scram-sha-256 \
                --encoding=UTF8 --locale="$locale" --no-sync "$@" >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
            rm "$folder/log" "$folder/password"
            """#
        try await process.require(
            "/bin/sh", ["-c", script, "sh", folder, "\(kind.programs)/initdb", kind.username, locale] + kind.arguments,
            environment: ["PASSWORD": password])
        return Made(folder: "\(folder)/data", guardian: guardian)
    }
}
