import Foundation

/// The built command line tool, run as a process of its own.
struct CommandLineTool {
    struct Outcome {
        var status: Int32
        var output: String
        var error: String
    }

    /// The tool lies beside the tests that it was built with.
    private static let executable: URL = {
        // On Linux the tests are an executable in the folder of products; on macOS a bundle in it.
        var folder = Bundle.main.bundleURL
        #if canImport(Darwin)
            for bundle in Bundle.allBundles where bundle.bundlePath.hasSuffix(".xctest") {
                folder = bundle.bundleURL.deletingLastPathComponent()
            }
        #endif
        return folder.appending(path: "persistence")
    }()

    /// Variables for the process, beside the ones that every process needs; the tests' own `POSTGRES_URL` is not passed on.
    var environment: [String: String] = [:]

    /// Where the process works.
    var directory: String?

    /// Runs the tool to its end, with nothing on its standard input.
    ///
    /// - Parameters:
    ///   - arguments: What stands behind `persistence`.
    ///   - whileRunning: Gets the running process, to send it a signal for example.
    func run(
        _ arguments: [String], whileRunning: (Process) async throws -> Void = { _ in }
    ) async throws -> Outcome {
        let process = Process()
        process.executableURL = Self.executable
        process.arguments = arguments
        var all = ["PATH": "/usr/bin:/bin"]
        all.merge(environment) { _, own in own }
        process.environment = all
        if let directory { process.currentDirectoryURL = URL(filePath: directory) }
        process.standardInput = FileHandle.nullDevice
        let output = Pipe()
        let error = Pipe()
        process.standardOutput = output
        process.standardError = error
        let (ended, continuation) = AsyncStream<Int32>.makeStream()
        process.terminationHandler = { process in
            continuation.yield(process.terminationStatus)
            continuation.finish()
        }
        try process.run()
        // Both pipes are read at once, so that neither fills up while the other is waited for.
        async let outputText = Self.text(of: output.fileHandleForReading)
        async let errorText = Self.text(of: error.fileHandleForReading)
        try await whileRunning(process)
        let status = await ended.first { _ in true } ?? -1
        return Outcome(status: status, output: await outputText, error: await errorText)
    }

    func run(
        _ arguments: String..., whileRunning: (Process) async throws -> Void = { _ in }
    ) async throws -> Outcome {
        try await run(arguments, whileRunning: whileRunning)
    }

    @concurrent
    private static func text(of handle: FileHandle) async -> String {
        await withCheckedContinuation { continuation in
            // Reading blocks, and must not do so on a thread that tasks need.
            Thread.detachNewThread {
                continuation.resume(returning: String(decoding: handle.readDataToEndOfFile(), as: UTF8.self))
            }
        }
    }
}
