import CoreMetrics
import PersistenceCore
import Synchronization

/// Metrics that add up in memory, as those of a service that is scraped do.
final class MeasuringMetrics: MetricsFactory {
    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler { Handler() }

    func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler { Handler() }

    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler { Handler() }

    func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler { Handler() }

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler { Handler() }

    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    func destroyMeter(_ handler: any MeterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}
}

/// Keeps number, sum and last value, which is what every kind needs at least.
private final class Handler: CounterHandler, FloatingPointCounterHandler, MeterHandler, RecorderHandler, TimerHandler {
    private struct State {
        var count = 0
        var sum = 0.0
        var last = 0.0
    }

    private let state = Mutex(State())

    private func add(_ value: Double) {
        state.withLock { state in
            state.count += 1
            state.sum += value
            state.last = value
        }
    }

    func increment(by amount: Int64) { add(Double(amount)) }
    func increment(by amount: Double) { add(amount) }
    func decrement(by amount: Double) { add(-amount) }
    func set(_ value: Int64) { add(Double(value)) }
    func set(_ value: Double) { add(value) }
    func record(_ value: Int64) { add(Double(value)) }
    func record(_ value: Double) { add(value) }
    func recordNanoseconds(_ duration: Int64) { add(Double(duration)) }
    func reset() { state.withLock { $0 = State() } }
}

extension PersistenceCore.Instrumentation {
    /// Everything on.
    static let measuring = PersistenceCore.Instrumentation(tracer: MeasuringTracer(), metrics: MeasuringMetrics())
}
