internal import PersistenceCore
internal import Synchronization

/// Counts the connections of a pool, and measures how long it takes to open them.
final class ConnectionCounts: Sendable {
    let metrics: PoolMetrics?
    private let openCount = Atomic<Int>(0)
    private let openedCount = Atomic<Int64>(0)
    private let interruptedCount = Atomic<Int64>(0)

    init(metrics: PoolMetrics?) {
        self.metrics = metrics
    }

    var open: Int { openCount.load(ordering: .relaxed) }
    var opened: Int64 { openedCount.load(ordering: .relaxed) }
    var interrupted: Int64 { interruptedCount.load(ordering: .relaxed) }

    func noteOpened() {
        openCount.wrappingAdd(1, ordering: .relaxed)
        openedCount.wrappingAdd(1, ordering: .relaxed)
    }

    func noteClosed() {
        openCount.wrappingSubtract(1, ordering: .relaxed)
    }

    func noteInterrupted() {
        interruptedCount.wrappingAdd(1, ordering: .relaxed)
    }
}
