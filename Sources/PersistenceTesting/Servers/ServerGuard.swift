import PersistenceCore
import Synchronization

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif
#if canImport(System)
    import System
#else
    import SystemPackage
#endif

/// Sees to it that a private server and its folder go when this process does, even when it is killed.
///
/// A shell in the background reads a pipe of which only this process has the other end. The kernel closes that end when
/// the process ends, in whatever way; the shell then kills the server and removes the folder.
final class ServerGuard: Sendable {
    /// `nil` once it is closed.
    private let descriptor: Mutex<FileDescriptor?>

    private init(_ descriptor: FileDescriptor) {
        self.descriptor = Mutex(descriptor)
    }

    deinit {
        release()
    }

    /// Makes a folder for the server's user, and watches over it.
    ///
    /// The shell makes it, so that there is no moment at which the folder is there and the guard is not.
    static func makeFolder(_ folder: String, with process: ServerProcess) async throws(PersistenceError) -> ServerGuard
    {
        let (reading, writing) = try pipe()
        let result = ServerGuard(writing)
        let owner = process.user.isAnother ? "\(process.user.identity):\(process.user.group)" : ""
        try await process.startInBackground(script, ["watch", folder, owner], input: reading)
        return result
    }

    /// Lets the shell do its work; closing a pipe does not block.
    func release() {
        descriptor.withLock { descriptor in
            try? descriptor?.close()
            descriptor = nil
        }
    }

    /// Kills the server in a folder, with its children, and waits until they are gone.
    static func kill(folder: String, with process: ServerProcess) async throws(PersistenceError) {
        try await process.require("/bin/sh", ["-c", script, "sh", "kill", folder], asCaller: true)
    }

    /// Kills the server in a folder, removes the folder and lets the shell go; works in a cancelled task, too.
    func remove(_ folder: String, with process: ServerProcess) async {
        // A task of its own, because cancelling this one must not leave a server behind. Should a step fail, the shell
        // does the same again.
        await Task {
            try? await Self.kill(folder: folder, with: process)
            try? FileManager.default.removeItem(atPath: folder)
        }.value
        release()
    }

    /// Neither end may be inherited by other programs that this process starts: the pipe would outlive it with them.
    /// (Subprocess closes all descriptors of a child by itself, so a start between the two calls is no gap.)
    private static func pipe() throws(PersistenceError) -> (FileDescriptor, FileDescriptor) {
        var ends: [CInt] = [-1, -1]
        #if canImport(Darwin)
            let result = Darwin.pipe(&ends)
        #elseif canImport(Glibc)
            let result = Glibc.pipe(&ends)
        #else
            let result = Musl.pipe(&ends)
        #endif
        guard result == 0 else {
            throw PersistenceError(.resourceExhausted, "no pipe could be made: \(errno)", operation: "server.guard")
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (FileDescriptor(rawValue: ends[0]), FileDescriptor(rawValue: ends[1]))
    }

    /// Arguments: `watch` or `kill`, the server's folder, and its owner when that is another than the caller.
    private static let script = #"""
        folder=$2

        # A process that nobody has waited for yet is gone for us: it holds nothing any more.
        alive() {
            kill -0 "$1" 2>/dev/null || return 1
            if [ -r "/proc/$1/stat" ]; then ! grep -q '^[0-9]* (.*) [ZX] ' "/proc/$1/stat" 2>/dev/null; fi
        }
        children() {
            if [ -d /proc/self ]; then
                sed -n "s/^\([0-9]*\) (.*) [A-Z] $1 .*/\1/p" /proc/[0-9]*/stat 2>/dev/null
            else
                pgrep -P "$1"
            fi
        }
        # The number in postmaster.pid may have gone to another process since.
        is_server() {
            if [ -r "/proc/$1/cmdline" ]; then
                tr '\0' ' ' <"/proc/$1/cmdline" | grep -qF "$folder/data"
            else
                ps -o command= -p "$1" 2>/dev/null | grep -qF "$folder/data"
            fi
        }
        kill_server() {
            file=$folder/data/postmaster.pid
            server=$(sed -n 1p "$file" 2>/dev/null)
            memory=$(sed -n '7s/.* //p' "$file" 2>/dev/null)
            if [ -n "$server" ] && alive "$server" && is_server "$server"; then
                # Stopped first, so that it starts no more children while they are counted.
                kill -STOP "$server"
                all="$server $(children "$server")"
                kill -KILL $all 2>/dev/null
                for one in $all; do
                    while alive "$one"; do sleep 0.02; done
                done
            fi
            # What a killed server cannot remove itself: its lock files, and the segment that guards its folder. The next
            # server would see for itself that the files are stale, were there not systems whose first process leaves
            # orphans unwaited for: to PostgreSQL such a server is still alive.
            rm -f "$file" "$folder"/socket/.s.PGSQL.*
            if [ -n "$memory" ]; then ipcrm -m "$memory" 2>/dev/null; fi
            return 0
        }

        # Whether a program that was given the folder still runs: the server, or one that is setting it up.
        in_use() {
            if [ -d /proc/self ]; then
                for found in $(grep -lF -- "$folder" /proc/[0-9]*/cmdline 2>/dev/null); do
                    line=$(tr '\0' ' ' 2>/dev/null <"$found") || continue
                    case $line in
                    '' | *"watch $folder"*) ;;
                    *"$folder"*) return 0 ;;
                    esac
                done
                return 1
            else
                ps -A -o command= | grep -F "$folder" | grep -v -e "watch $folder" -e "grep -F" | grep -q .
            fi
        }

        if [ "$1" = kill ]; then
            kill_server
            exit 0
        fi
        mkdir -m 0700 "$folder" || exit 1
        if [ -n "$3" ] && ! chown "$3" "$folder"; then
            rmdir "$folder"
            exit 1
        fi
        # A background job's standard input is /dev/null unless it is named.
        exec 3<&0
        (
            trap '' INT TERM HUP
            while read -r _; do :; done
            # initdb and pg_ctl outlive the process that started them. They are let finish, because initdb leaves shared
            # memory behind when its folder goes; a stranger who holds the folder is not waited for without end.
            tries=0
            kill_server
            while in_use && [ $tries -lt 240 ]; do
                sleep 0.25
                kill_server
                tries=$((tries + 1))
            done
            rm -rf "$folder"
        ) <&3 3<&- &
        """#
}
