import ArgumentParser
import Foundation
import PersistenceCore

@main
struct PersistenceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "persistence",
        abstract: "Looks after the databases of a service.",
        subcommands: [MigrateCommand.self]
    )

    /// Runs the command line.
    ///
    /// Exit codes: 0 for success, 1 for failure, 2 for a command line that cannot be understood (as golang-migrate and
    /// most tools have it), 130 when interrupted.
    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let error as PersistenceError {
            Terminal.report(error)
            exit(withError: ExitCode(error.code == .cancelled ? 130 : 1))
        } catch {
            guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
            Terminal.error(fullMessage(for: error))
            exit(withError: ExitCode(2))
        }
    }
}
