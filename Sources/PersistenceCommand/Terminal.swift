import Foundation
import PersistenceCore

/// What the command line says and asks.
enum Terminal {
    /// A line of the result.
    static func print(_ line: String) {
        FileHandle.standardOutput.write(Data((line + "\n").utf8))
    }

    /// A line about the result.
    static func error(_ line: String) {
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }

    /// What failed and where; a person at the command line may see the server's own words, too.
    static func report(_ error: PersistenceError) {
        self.error("error: \(error.summary)\(error.serverCode.map { " [\($0)]" } ?? "")")
        if let message = error.serverMessage, !error.summary.contains(message) {
            self.error("the server says: \(message)")
        }
        if let cause = error.underlying as? PersistenceError, error.serverMessage == nil {
            if let message = cause.serverMessage {
                self.error("the server says: \(message)")
            } else if !error.summary.contains(cause.summary) {
                self.error("because: \(cause.summary)")
            }
        }
    }

    /// Asks a question that only `y` answers with yes.
    ///
    /// - Returns: `nil` when nobody is there to be asked.
    static func confirm(_ question: String) -> Bool? {
        guard isatty(STDIN_FILENO) == 1 else { return nil }
        FileHandle.standardError.write(Data("\(question) [y/N] ".utf8))
        let answer = readLine()?.trimmingCharacters(in: .whitespaces).lowercased()
        return answer == "y" || answer == "yes"
    }

    /// A duration for a person.
    static func text(of duration: Duration) -> String {
        let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
        return seconds < 1 ? String(format: "%.1f ms", seconds * 1_000) : String(format: "%.2f s", seconds)
    }
}
