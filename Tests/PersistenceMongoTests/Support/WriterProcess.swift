import Foundation
import Persistence
import PersistenceCore
import Synchronization

/// The program `JobWriter`, which lies beside the tests that it was built with, as a running process.
final class WriterProcess: Sendable {
    private struct State {
        var lines: [String] = []
        var rest: [UInt8] = []
        var status: Int32?
    }

    // Processes are not Sendable: it is used under the lock. The thread that reads has its end of the pipe for itself.
    private let process: Mutex<Process>
    private let input: FileHandle
    private let state = Mutex(State())

    private static let executable: URL = {
        // On Linux the tests are an executable in the folder of products; on macOS a bundle in it.
        var folder = Bundle.main.bundleURL
        #if canImport(Darwin)
            for bundle in Bundle.allBundles where bundle.bundlePath.hasSuffix(".xctest") {
                folder = bundle.bundleURL.deletingLastPathComponent()
            }
        #endif
        return folder.appending(path: "JobWriter")
    }()

    /// Starts the program, which connects and waits then.
    ///
    /// - Parameters:
    ///   - database: The name of the database.
    ///   - count: How many documents it writes to each job.
    ///   - port: Where the server is on this machine, when not where the tests' server is.
    init(database: String, workspace: WorkspaceID, jobs: [JobID], count: Int, port: Int? = nil) throws {
        let process = Process()
        process.executableURL = Self.executable
        process.arguments =
            [database, "\(workspace)", jobs.map(\.description).joined(separator: ","), "\(count)"]
            + (port.map { ["\($0)"] } ?? [])
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        self.input = input.fileHandleForWriting
        self.process = Mutex(process)
        let reading = output.fileHandleForReading
        try self.process.withLock { process in
            process.terminationHandler = { [weak self] process in
                let status = process.terminationStatus
                self?.state.withLock { $0.status = status }
            }
            try process.run()
        }
        // Foundation's own way, a handler that is called when there is something to read, leaks the handle on Linux.
        Thread.detachNewThread { [weak self] in
            while case let data = reading.availableData, !data.isEmpty { self?.receive(data) }
        }
    }

    deinit {
        kill()
    }

    /// What it has printed, line by line.
    var lines: [String] { state.withLock(\.lines) }

    /// What it exited with, once it has; a signal's number when it was killed.
    var status: Int32? { state.withLock(\.status) }

    /// Whether it waits to be let go.
    var isReady: Bool { lines.first == "ready" }

    /// The documents that were acknowledged: job and activity.
    var acknowledged: [(job: String, activity: String)] {
        lines.compactMap { line in
            let parts = line.split(separator: " ")
            return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
        }
    }

    /// Lets it write.
    func go() throws {
        try input.write(contentsOf: Data("go\n".utf8))
    }

    /// Ends it at once, whatever it does; nothing of its own runs any more.
    func kill() {
        process.withLock { process in
            if process.isRunning { Foundation.kill(process.processIdentifier, SIGKILL) }
        }
    }

    private func receive(_ data: Data) {
        state.withLock { state in
            state.rest += data
            while let end = state.rest.firstIndex(of: UInt8(ascii: "\n")) {
                state.lines.append(String(decoding: state.rest[..<end], as: UTF8.self))
                state.rest.removeSubrange(...end)
            }
        }
    }
}
