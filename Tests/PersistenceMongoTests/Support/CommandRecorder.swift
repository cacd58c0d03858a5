import PersistenceCore
import Synchronization

/// Counts the commands that are sent.
final class CommandRecorder: InstrumentationObserver {
    private let counts = Mutex<[String: Int]>([:])

    func operationDidEnd(_ event: OperationEnd) {
        guard event.operation.kind == .command, let name = event.operation.operationName else { return }
        counts.withLock { $0[name, default: 0] += 1 }
    }

    /// How often each was sent since the last call.
    func take() -> [String: Int] {
        counts.withLock { counts in
            defer { counts = [:] }
            return counts
        }
    }
}
