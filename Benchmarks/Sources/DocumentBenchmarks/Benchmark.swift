import ArgumentParser
import BenchmarkSupport
import Foundation

/// Compares documents and their engine with C and with pymongo.
@main
struct Benchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "document-benchmarks",
        abstract: "Compares the MongoDB engine with libmongoc in C and with pymongo, interleaved in one run.",
        discussion: DocumentSuite.help + " Differences under 10% are noise."
    )

    @Flag(help: "A run of about three minutes: 5 rounds of 0.4 s, pymongo in every other.")
    var short = false

    @Option(help: "Rounds; in each, every contender runs every workload once.")
    var rounds: Int?

    @Option(help: "Seconds that one contender runs one workload.")
    var seconds: Double?

    @Option(help: "Workloads such as find×8,scan×1, and coding; all when left out.")
    var only: String?

    @Flag(inversion: .prefixedNo, help: "Measure pymongo, too.")
    var peers = true

    @Flag(help: "Leave the documents where they are, for the next run.")
    var keep = false

    @Option(help: "Write what was measured on to this file.")
    var machine: String?

    @Option(help: "Write the figures to this file, as a list of name, value, unit, target and met.")
    var json: String?

    func validate() throws {
        guard (1...1000).contains(plan.rounds) else { throw ValidationError("--rounds takes 1 to 1000") }
        guard plan.seconds > 0, plan.seconds <= 600 else {
            throw ValidationError("--seconds takes more than 0 up to 600")
        }
    }

    private var plan: Plan {
        var plan = short ? Plan.short : Plan.full
        if let rounds { plan.rounds = rounds }
        if let seconds { plan.seconds = seconds }
        return plan
    }

    func run() async throws {
        var names = only.map { $0.split(separator: ",").map(String.init) } ?? ["coding"] + DocumentSuite.all
        let withCoding = names.contains("coding")
        names.removeAll { $0 == "coding" }
        var run = Run(plan: plan, report: Report(targets: Targets.all))
        if withCoding { try Coding().measure(rounds: max(plan.rounds, 5), into: &run.report) }
        if !names.isEmpty { try await compare(names, &run) }
        progress("")
        for line in run.lines { print(line) }
        if let json { try Results.write(run.figures, to: json) }
    }

    private func compare(_ names: [String], _ run: inout Run) async throws {
        let environment = ProcessInfo.processInfo.environment
        guard let url = environment["MONGO_URL"], !url.isEmpty else {
            throw ValidationError("MONGO_URL is not set: Scripts/benchmark-documents starts a server and sets it")
        }
        let place = Place(url: url)
        if let machine {
            let versions = ["server": place.serverVersion, "libmongoc": Place.libraryVersion]
            try Results.write(Machine(plan: plan.description, versions: versions), to: machine)
        }
        var peer: (python: String, script: String)?
        if peers, let python = environment["BENCHMARK_PYTHON"], let scripts = environment["BENCHMARK_SCRIPTS"] {
            peer = (python, "\(scripts)/pymongo_peer.py")
        }
        progress("\(Place.documents) documents")
        try place.prepare()
        defer { if !keep { try? place.drop() } }
        let suite = DocumentSuite(place: place, peer: peer)
        try await run.measure(try names.map(suite.comparison))
    }
}
