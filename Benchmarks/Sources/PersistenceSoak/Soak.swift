import ArgumentParser
import PersistenceCore
import PersistenceTesting
import PostgresEngine

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Lets faults happen at random to servers, networks, tasks and pools under a mixed load, and looks for what is lost,
/// leaked, hangs, or is not true.
@main
struct Soak: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "Scripts/soak",
        abstract: "Faults at random under load, and whether anything is lost, leaks, hangs or lies.",
        discussion: """
            Two private servers, one following the other synchronously, two pools that write and read (one straight, one \
            through PgBouncer in transaction mode), and proxies between them. Every write is in a ledger under a key of its \
            own; in the end of each round the ledger is compared with the table. Exits with 1 when anything was wrong.
            """)

    @Option(help: "How long.")
    var minutes = 5.0

    @Option(help: "The faults' order and the load are drawn from this; printed, so that a run can be repeated.")
    var seed = UInt64.random(in: 1...999_999)

    @Option(help: "How many tasks use each pool at the same time.")
    var workers = 8

    @Option(help: "Only faults whose names begin so, separated by commas.")
    var only: String?

    @Option(help: "Writes a list of name and value.")
    var json: String?

    func validate() throws {
        guard minutes > 0, minutes <= 10_000 else { throw ValidationError("--minutes is above 0, and up to 10000") }
        guard (1...500).contains(workers) else { throw ValidationError("--workers is from 1 to 500") }
        guard !faults.isEmpty else {
            throw ValidationError("--only: there are \(Fault.allCases.map(\.rawValue).joined(separator: ", "))")
        }
    }

    private var faults: [Fault] {
        guard let only else { return Fault.allCases }
        let wanted = only.split(separator: ",")
        return Fault.allCases.filter { fault in wanted.contains { fault.rawValue.hasPrefix($0) } }
    }

    func run() async throws {
        print("seed \(seed), \(minutes) minutes, \(workers) tasks for each of 2 pools")
        let stage = try await Stage()
        let run = try SoakRun(on: stage, faults: faults, seed: seed, workers: workers)
        let report = await run.run(for: .seconds(minutes * 60))
        await stage.remove()
        print(report.text)
        if let json { try report.json.write(toFile: json, atomically: true, encoding: .utf8) }
        if !report.violations.isEmpty { throw ExitCode(1) }
    }
}
