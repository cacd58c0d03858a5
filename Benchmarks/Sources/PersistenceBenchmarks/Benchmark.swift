import ArgumentParser
import Foundation

@main
struct Benchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "persistence-benchmarks",
        abstract: "Compares the engine with raw libpq in C, interleaved in one process.",
        discussion: """
            W1 reads one row of 8 columns by primary key, prepared; W4 is a transaction of BEGIN, select for update,
            update, insert and COMMIT; W4p is the same with update and insert in one flight
            (in C still one after the other); ×n is the number of connections. Differences under 10% are noise.
            """
    )

    @Option(help: "Rounds; in each, every contender runs every workload once.")
    var rounds = 5

    @Option(help: "Seconds that one contender runs one workload.")
    var seconds = 2.0

    @Option(help: "Workloads such as W1x16,W4x8; all when left out.")
    var only: String?

    @Flag(help: "Commit without waiting for the disk, on both sides, to see what the client costs.")
    var asynchronousCommit = false

    func validate() throws {
        guard (1...1000).contains(rounds) else { throw ValidationError("--rounds takes 1 to 1000") }
        guard seconds > 0, seconds <= 600 else { throw ValidationError("--seconds takes more than 0 up to 600") }
        _ = try cases()
    }

    func run() async throws {
        guard var url = ProcessInfo.processInfo.environment["POSTGRES_URL"], !url.isEmpty else {
            throw ValidationError("POSTGRES_URL is not set: Scripts/benchmark starts a database and sets it")
        }
        if asynchronousCommit {
            url += (url.contains("?") ? "&" : "?") + "options=-c%20synchronous_commit%3Doff"
        }
        let cases = try cases()
        let baseline = Baseline(url: url)
        try baseline.execute(Schema.create)
        defer { try? baseline.execute(Schema.drop) }

        var report = Report()
        for round in 1...rounds {
            for test in cases {
                progress("round \(round) of \(rounds): \(test)")
                // In turns, so that nobody always comes after the same neighbour.
                let order = Contender.allCases.rotated(by: round - 1)
                let engine = try Engine(url: url, connections: test.connections)
                for contender in order {
                    if test.workload.writes {
                        for statement in Schema.tidy { try baseline.execute(statement) }
                    }
                    let sample =
                        switch contender {
                        case .baseline: try baseline.run(test, seconds: seconds)
                        case .onExecutor: try await engine.run(test, seconds: seconds, onExecutor: true)
                        case .fromGlobalPool: try await engine.run(test, seconds: seconds, onExecutor: false)
                        }
                    report.add(sample, of: contender, to: test)
                }
            }
        }
        progress("")
        print(
            "PostgreSQL \(baseline.serverVersion), \(ProcessInfo.processInfo.activeProcessorCount) cores, "
                + "\(rounds) rounds of \(seconds) s, commits \(asynchronousCommit ? "asynchronous" : "durable")")
        for line in report.lines(for: cases) { print(line) }
    }

    private func cases() throws -> [Case] {
        guard let only else { return Case.all }
        return try only.split(separator: ",").map { name in
            let parts = name.split(whereSeparator: { $0 == "x" || $0 == "×" })
            guard parts.count == 2, let workload = Case.Workload(rawValue: String(parts[0])),
                let connections = Int(parts[1]), (1...150).contains(connections)
            else {
                throw ValidationError(
                    "\(name) is not a workload such as W1x16: W1, W4 or W4p, with 1 to 150 connections")
            }
            return Case(workload: workload, connections: connections)
        }
    }

    private func progress(_ text: String) {
        guard isatty(STDERR_FILENO) == 1 else { return }
        FileHandle.standardError.write(Data("\r\u{1B}[K\(text)".utf8))
    }
}

extension Array {
    func rotated(by count: Int) -> [Element] {
        isEmpty ? [] : Array(self[(count % self.count)...] + self[..<(count % self.count)])
    }
}
