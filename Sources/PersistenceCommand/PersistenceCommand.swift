import ArgumentParser

@main
struct PersistenceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "persistence")
}
