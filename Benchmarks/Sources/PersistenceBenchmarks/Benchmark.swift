import ArgumentParser
import BenchmarkSupport
import Foundation

@main
struct Benchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "persistence-benchmarks",
        abstract: "Compares the engine with raw libpq in C and with other clients, interleaved in one run.",
        discussion: Suite.help + " Differences under 10% are noise."
    )

    @OptionGroup var measuring: MeasuringOptions

    @Flag(help: "Five rounds of 2 s after a round that does not count (the default).")
    var full = false

    @Option(help: "Workloads such as W1x16,W4x8, and micro; all when left out.")
    var only: String?

    @Flag(inversion: .prefixedNo, help: "Measure pgbench, psql, asyncpg and psycopg, too.")
    var peers = true

    @Flag(help: "Commit without waiting for the disk, on all sides, to see what the client costs.")
    var asynchronousCommit = false

    @Flag(help: "Measure how costs grow instead: rows, tasks, parameters, sizes, distinct statements.")
    var curves = false

    @Flag(help: .hidden)
    var countAllocations = false

    @Option(help: .hidden)
    var probe: String?

    @Option(help: .hidden)
    var size = 1

    func validate() throws {
        guard !(measuring.short && full) else { throw ValidationError("--short and --full exclude each other") }
    }

    private var plan: Plan { measuring.plan }

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        guard var url = environment["POSTGRES_URL"], !url.isEmpty else {
            throw ValidationError("POSTGRES_URL is not set: Scripts/benchmark starts a database and sets it")
        }
        if countAllocations { return try printJSON(try await Allocations.count(url: url)) }
        if let probe = probe.flatMap(Probe.init) { return try printJSON(try await probe.run(size, url: url)) }
        if asynchronousCommit { url = Suite.asynchronous(url) }
        let baseline = Baseline(url: url)
        try baseline.execute(Schema.create)
        defer { try? baseline.execute(Schema.drop) }
        if let machine = measuring.machine {
            let versions = ["postgres": baseline.serverVersion, "libpq": Baseline.libraryVersion]
            try Results.write(Machine(plan: plan.description, versions: versions), to: machine)
        }
        if curves {
            var curves = Curves(url: url)
            try await curves.measure()
            progress("")
            for figure in curves.figures { print(figure.line) }
            if let json = measuring.json { try Results.write(curves.figures, curves.curves, to: json) }
        } else {
            let run = try await compare(url: url)
            progress("")
            print(
                "PostgreSQL \(baseline.serverVersion), \(ProcessInfo.processInfo.activeProcessorCount) cores, "
                    + "\(plan), commits \(asynchronousCommit ? "asynchronous" : "durable")")
            for line in run.lines { print(line) }
            if let json = measuring.json { try Results.write(run.figures, to: json) }
        }
    }

    private func compare(url: String) async throws -> Run {
        var names = only.map { $0.split(separator: ",").map(String.init) } ?? Suite.all + ["micro"]
        let withMicro = names.contains("micro")
        names.removeAll { $0 == "micro" }
        let scratch = try Scratch()
        defer { scratch.remove() }
        let suite = Suite(
            url: url, secureURL: ProcessInfo.processInfo.environment["BENCHMARK_TLS_URL"],
            peers: peers ? Peers.found(url: url, scratch: scratch.path) : nil)
        // Without a server with TLS, what needs one is left out unless it was asked for.
        if only == nil, suite.secureURL == nil { names.removeAll(where: Suite.isSecure) }
        if names.contains(where: Suite.isSecure) { try Baseline(url: try suite.secured()).execute(Schema.create) }
        var run = Run(plan: plan, report: Report(targets: Targets.all, derived: Figure.derived(from:)))
        try await run.measure(try names.map(suite.comparison))
        if withMicro { try await run.measureMicro(url: url) }
        return run
    }

    private func printJSON(_ value: some Encodable) throws {
        print(String(decoding: try JSONEncoder().encode(value), as: UTF8.self))
    }
}

/// A temporary folder for the length of the run.
struct Scratch {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/persistence-benchmark-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    func remove() {
        try? FileManager.default.removeItem(atPath: path)
    }
}
