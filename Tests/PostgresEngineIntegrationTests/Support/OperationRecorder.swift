import PersistenceCore
import Synchronization

/// Keeps what an engine reports.
final class OperationRecorder: InstrumentationObserver {
    private let ends = Mutex<[OperationEnd]>([])

    func operationDidEnd(_ event: OperationEnd) {
        ends.withLock { $0.append(event) }
    }

    var instrumentation: Instrumentation { Instrumentation(observers: [self]) }

    func operations(_ kind: DatabaseOperation.Kind) -> [OperationEnd] {
        ends.withLock { $0.filter { $0.operation.kind == kind } }
    }
}
