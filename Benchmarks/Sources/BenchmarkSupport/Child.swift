import Foundation

/// Other processes, and this program again.
package enum Child {
    /// Runs a program until it ends.
    ///
    /// - Returns: What it printed to standard output.
    package static func run(
        _ program: String, _ arguments: [String], environment: [String: String] = [:]
    ) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let pipe = Pipe()
        process.standardOutput = pipe
        try withoutBlockedSignals { try process.run() }
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(description: "\(program) ended with \(process.terminationStatus)")
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// Runs this program with other arguments and decodes the JSON that it prints.
    package static func again<Result: Decodable>(
        _ arguments: [String], environment: [String: String], as type: Result.Type
    ) throws -> Result {
        let output = try run(CommandLine.arguments[0], arguments, environment: environment)
        return try JSONDecoder().decode(type, from: Data(output.utf8))
    }

    /// A child inherits the calling thread's blocked signals, and threads of Swift's pool block nearly all of them:
    /// pgbench would wait for ever for the alarm that ends its run.
    private static func withoutBlockedSignals(_ body: () throws -> Void) rethrows {
        var none = sigset_t()
        var before = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try body()
    }
}
