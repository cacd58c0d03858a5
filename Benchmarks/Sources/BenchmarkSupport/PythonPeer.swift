import Foundation

/// A script of somebody else's client library, which measures itself.
package enum PythonPeer {
    /// What a peer's script prints; seconds.
    private struct Measured: Decodable {
        var operations: Double
        var wall: Double
        var cpu: Double
        var p50: Double
        var p99: Double
    }

    /// Runs a script, which prints what it measured as JSON.
    package static func sample(
        _ python: String, _ script: String, _ arguments: [String], environment: [String: String]
    ) throws -> Sample {
        let output = try Child.run(python, [script] + arguments, environment: environment)
        let result = try JSONDecoder().decode(Measured.self, from: Data(output.utf8))
        return Sample(
            operationsPerSecond: result.operations / result.wall, median: result.p50, ninetyNinth: result.p99,
            cpuPerOperation: result.cpu / max(result.operations, 1))
    }
}
