import CBaseline

/// The C side.
///
/// Its calls block, so they run where nothing else waits: the harness runs one contender at a time.
struct Baseline: Sendable {
    var url: String

    func run(_ test: Case, seconds: Double) throws -> Sample {
        var result = baseline_result()
        guard baseline_run(url, test.workload.baseline, Int32(test.connections), seconds, Schema.rows, &result) else {
            throw Failure(description: "\(test) in C: \(text(of: result.error))")
        }
        return Sample(
            operations: result.operations, wall: result.wall_seconds, cpu: result.cpu_seconds,
            latencies: result.latencies)
    }

    func execute(_ sql: String) throws {
        var error = [CChar](repeating: 0, count: 512)
        guard baseline_execute(url, sql, &error) else {
            throw Failure(description: error.withUnsafeBytes { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
    }

    var serverVersion: String {
        let version = baseline_server_version(url)
        return version == 0 ? "?" : "\(version / 10_000).\(version % 10_000)"
    }
}
