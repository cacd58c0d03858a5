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

    @OptionGroup var measuring: MeasuringOptions

    @Option(help: "Workloads such as find×8,scan×1, and coding; all when left out.")
    var only: String?

    @Flag(inversion: .prefixedNo, help: "Measure pymongo, too.")
    var peers = true

    @Flag(help: "Leave the documents where they are, for the next run.")
    var keep = false

    private var plan: Plan { measuring.plan }

    func run() async throws {
        var names = only.map { $0.split(separator: ",").map(String.init) } ?? ["coding"] + DocumentSuite.all
        let withCoding = names.contains("coding")
        names.removeAll { $0 == "coding" }
        var run = Run(plan: plan, report: Report(targets: Targets.all))
        if withCoding { try Coding().measure(rounds: max(plan.rounds, 5), into: &run.report) }
        if !names.isEmpty { try await compare(names, &run) }
        progress("")
        for line in run.lines { print(line) }
        if let json = measuring.json { try Results.write(run.figures, to: json) }
    }

    private func compare(_ names: [String], _ run: inout Run) async throws {
        let environment = ProcessInfo.processInfo.environment
        guard let url = environment["MONGO_URL"], !url.isEmpty else {
            throw ValidationError("MONGO_URL is not set: Scripts/benchmark-documents starts a server and sets it")
        }
        let place = Place(url: url)
        if let machine = measuring.machine {
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
