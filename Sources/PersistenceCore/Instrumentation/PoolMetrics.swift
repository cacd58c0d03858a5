import CoreMetrics
import Tracing

/// The metrics of one connection pool, as the OpenTelemetry database conventions name them.
///
/// A pool asks ``Instrumentation/poolMetrics(name:)`` for them once and reports changes. Counts are set, not added up, so
/// that a missed report corrects itself with the next. Durations are in seconds; for the bounds of their
/// histograms see ``Instrumentation/durationBuckets``.
public struct PoolMetrics: Sendable {
    // One reference, because the metrics are passed around with every use of a connection.
    private let recorders: Recorders

    init(name: String, factory: any MetricsFactory) {
        recorders = Recorders(name: name, factory: factory)
        // A counter that is silent until the first timeout cannot be told from one that is missing.
        recorders.timeouts.increment(by: 0)
    }

    private final class Recorders: Sendable {
        let idle: Meter
        let used: Meter
        let idleMaximum: Meter
        let idleMinimum: Meter
        let maximum: Meter
        let pending: Meter
        let timeouts: Counter
        // The handlers themselves: what wraps them converts every number through generic code.
        let createTime: any RecorderHandler
        let waitTime: any RecorderHandler
        let useTime: any RecorderHandler

        init(name: String, factory: any MetricsFactory) {
            let pool = (Instrumentation.Attribute.poolName.name, name)
            let state = Instrumentation.Attribute.connectionState.name
            func meter(_ label: String, _ dimensions: [(String, String)]) -> Meter {
                Meter(label: label, dimensions: dimensions, factory: factory)
            }
            func histogram(_ label: String) -> any RecorderHandler {
                factory.makeRecorder(label: label, dimensions: [pool], aggregate: true)
            }
            self.idle = meter(Instrumentation.Metric.connectionCount, [pool, (state, "idle")])
            self.used = meter(Instrumentation.Metric.connectionCount, [pool, (state, "used")])
            self.idleMaximum = meter(Instrumentation.Metric.connectionIdleMaximum, [pool])
            self.idleMinimum = meter(Instrumentation.Metric.connectionIdleMinimum, [pool])
            self.maximum = meter(Instrumentation.Metric.connectionMaximum, [pool])
            self.pending = meter(Instrumentation.Metric.connectionPendingRequests, [pool])
            self.timeouts = Counter(
                label: Instrumentation.Metric.connectionTimeouts,
                dimensions: [pool],
                factory: factory
            )
            self.createTime = histogram(Instrumentation.Metric.connectionCreateTime)
            self.waitTime = histogram(Instrumentation.Metric.connectionWaitTime)
            self.useTime = histogram(Instrumentation.Metric.connectionUseTime)
        }
    }

    /// Reports the pool's limits, once.
    ///
    /// - Parameters:
    ///   - maximum: The largest number of connections that the pool opens.
    ///   - idleMinimum: The smallest number of idle connections that it keeps.
    ///   - idleMaximum: The largest number of idle connections that it keeps.
    public func setLimits(maximum: Int, idleMinimum: Int, idleMaximum: Int) {
        recorders.maximum.set(maximum)
        recorders.idleMinimum.set(idleMinimum)
        recorders.idleMaximum.set(idleMaximum)
    }

    /// Reports how many connections there are.
    ///
    /// - Parameters:
    ///   - idle: Open and not borrowed.
    ///   - used: Borrowed.
    public func setConnections(idle: Int, used: Int) {
        recorders.idle.set(idle)
        recorders.used.set(used)
    }

    /// Reports how many callers wait for a connection.
    ///
    /// - Parameter count: The number of waiting callers.
    public func setPendingRequests(_ count: Int) {
        recorders.pending.set(count)
    }

    /// Reports that a wait for a connection ran out.
    public func recordTimeout() {
        recorders.timeouts.increment()
    }

    /// Reports how long opening a connection took.
    ///
    /// - Parameter duration: From the first packet to the end of authentication.
    public func recordCreateTime(_ duration: Duration) {
        recorders.createTime.record(duration / .seconds(1))
    }

    /// Reports how long a caller waited for a connection.
    ///
    /// - Parameter duration: From asking to getting it.
    public func recordWaitTime(_ duration: Duration) {
        recorders.waitTime.record(duration / .seconds(1))
    }

    /// Reports that a caller got a connection at once.
    package func recordNoWait() {
        recorders.waitTime.record(0.0)
    }

    /// Reports how long a caller kept a connection.
    ///
    /// - Parameter duration: From getting it to giving it back.
    public func recordUseTime(_ duration: Duration) {
        recorders.useTime.record(duration / .seconds(1))
    }

    /// Reports how long a caller kept a connection, in nanoseconds.
    package func recordUseTime(nanoseconds: Int64) {
        recorders.useTime.record(Double(nanoseconds) / 1e9)
    }
}
