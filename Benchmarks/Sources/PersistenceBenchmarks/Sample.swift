import CBaseline

/// What one run of a workload measured.
struct Sample: Sendable {
    var operationsPerSecond: Double
    /// Seconds.
    var median: Double
    /// Seconds.
    var ninetyNinth: Double
    /// Seconds of this process's processor time per operation, user and system.
    var cpuPerOperation: Double

    init(operations: UInt64, wall: Double, cpu: Double, latencies: histogram) {
        operationsPerSecond = Double(operations) / wall
        cpuPerOperation = cpu / Double(max(operations, 1))
        (median, ninetyNinth) = withUnsafePointer(to: latencies) {
            (histogram_percentile($0, 50), histogram_percentile($0, 99))
        }
    }
}

/// A workload with its number of concurrent connections.
struct Case: Sendable, Hashable, CustomStringConvertible {
    enum Workload: String, Sendable {
        case readOne = "W1"
        case transaction = "W4"
        /// The same, with update and insert in one flight; the baseline stays as it is.
        case pipelinedTransaction = "W4p"

        var baseline: baseline_workload {
            switch self {
            case .readOne: BASELINE_READ_ONE
            case .transaction, .pipelinedTransaction: BASELINE_TRANSACTION
            }
        }

        var writes: Bool {
            switch self {
            case .readOne: false
            case .transaction, .pipelinedTransaction: true
            }
        }
    }

    static let all = [
        Case(workload: .readOne, connections: 1),
        Case(workload: .readOne, connections: 16),
        Case(workload: .readOne, connections: 64),
        Case(workload: .transaction, connections: 8),
        Case(workload: .pipelinedTransaction, connections: 8),
    ]

    var workload: Workload
    var connections: Int

    var description: String { "\(workload.rawValue)×\(connections)" }
}

/// Who runs a workload.
enum Contender: String, Sendable, CaseIterable {
    case baseline = "libpq in C, a thread each"
    case onExecutor = "on the library's executor"
    case fromGlobalPool = "from the global pool"
}

struct Failure: Error, CustomStringConvertible {
    var description: String
}

/// A C array of characters, as far as its terminator.
func text<T>(of field: T) -> String {
    withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}
