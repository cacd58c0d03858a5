import BenchmarkSupport
import CBaseline
import Foundation

/// Other programs and libraries on the same work, each in a process of its own.
struct Peers: Sendable {
    /// The server, as libpq's URI.
    var url: String
    /// PostgreSQL's own programs: psql and pgbench.
    var programs: String
    /// The Python that has asyncpg and psycopg; `nil` leaves them out.
    var python: String?
    /// Where the peers' scripts are.
    var scripts: String
    /// A folder for files that last as long as the run.
    var scratch: String

    static let readOne = """
        \\set id random(1, \(Schema.rows))
        SELECT id, owner, name, email, score, is_active, visits, created_at FROM benchmark.items WHERE id = :id;
        """

    static let transaction = """
        \\set id random(1, \(Schema.rows))
        BEGIN;
        SELECT balance FROM benchmark.accounts WHERE id = :id FOR UPDATE;
        UPDATE benchmark.accounts SET balance = balance + 1 WHERE id = :id;
        INSERT INTO benchmark.entries (account, amount) VALUES (:id, 1);
        COMMIT;
        """

    /// asyncpg or psycopg, which print what they measured as JSON.
    func python(_ name: String, workload: String, connections: Int) -> Contender {
        Contender(name, isPeer: true) { seconds in
            guard let python else { throw Skipped() }
            return try PythonPeer.sample(
                python, "\(scripts)/\(name)_peer.py",
                ["--workload", workload, "--connections", "\(connections)", "--seconds", "\(seconds)"],
                environment: ["BENCHMARK_URL": url])
        }
    }

    /// pgbench with prepared statements; a thread for each of the machine's cores, as its manual advises.
    func pgbench(script: String, connections: Int) -> Contender {
        Contender(Name.pgbench, isPeer: true) { seconds in
            let file = "\(scratch)/pgbench.sql"
            try script.write(toFile: file, atomically: true, encoding: .utf8)
            let threads = min(connections, ProcessInfo.processInfo.activeProcessorCount)
            let before = baseline_children_cpu()
            let output = try execute(
                "\(programs)/pgbench",
                [
                    "-n", "-M", "prepared", "-c", "\(connections)", "-j", "\(threads)", "-T",
                    "\(max(1, Int(seconds.rounded())))", "-f", file, url,
                ])
            let operations = try number(in: output, after: "number of transactions actually processed: ")
            return Sample(
                operationsPerSecond: try number(in: output, after: "tps = "), median: nil, ninetyNinth: nil,
                cpuPerOperation: (baseline_children_cpu() - before) / max(operations, 1))
        }
    }

    /// `psql \copy` from a file, timed by psql itself, so that its start and its connecting don't count.
    func psqlCopy(_ name: String, format: String) -> Contender {
        Contender(name, isPeer: true) { _ in
            let file = "\(scratch)/imports.\(format)"
            if !FileManager.default.fileExists(atPath: file) {
                try psql(
                    "\\copy (SELECT i, gen_random_uuid(), 'Person number ' || i, 'person.' || i || '@mail.example.com', "
                        + "i / 7.0::double precision, i % 3 = 0, (i % 1000)::integer, "
                        + "timestamptz '2024-01-01 00:00:00+00' + i * interval '1 minute' "
                        + "FROM generate_series(1::bigint, \(Schema.imports)) AS i) to '\(file)' (format \(format))")
            }
            let before = baseline_children_cpu()
            let output = try psql("\\timing on", "\\copy benchmark.imports from '\(file)' (format \(format))")
            let wall = try number(in: output, after: "Time: ") / 1000
            return Sample(
                operationsPerSecond: 1 / wall, median: wall, ninetyNinth: wall,
                cpuPerOperation: baseline_children_cpu() - before)
        }
    }

    @discardableResult
    private func psql(_ commands: String...) throws -> String {
        try execute(
            "\(programs)/psql", ["-X", "-v", "ON_ERROR_STOP=1", "-d", url] + commands.flatMap { ["-c", $0] })
    }

    private func number(in output: String, after label: String) throws -> Double {
        guard let start = output.range(of: label)?.upperBound,
            let value = Double(output[start...].prefix { $0.isNumber || $0 == "." })
        else {
            throw Failure(description: "no \"\(label)\" in: \(output)")
        }
        return value
    }

    private func execute(_ program: String, _ arguments: [String]) throws -> String {
        try Child.run(program, arguments, environment: ["BENCHMARK_URL": url])
    }
}

extension Peers {
    /// What Scripts/benchmark found and installed; `nil` when the program was started by hand without it.
    static func found(url: String, scratch: String) -> Peers? {
        let environment = ProcessInfo.processInfo.environment
        guard let programs = environment["BENCHMARK_PROGRAMS"], let scripts = environment["BENCHMARK_SCRIPTS"] else {
            return nil
        }
        return Peers(
            url: url, programs: programs, python: environment["BENCHMARK_PYTHON"], scripts: scripts, scratch: scratch)
    }
}
