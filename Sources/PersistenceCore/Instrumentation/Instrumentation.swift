public import CoreMetrics
public import Logging
import Synchronization
public import Tracing

/// The one hook through which every engine reports what it does.
///
/// It holds a tracer, a metrics factory, a logger and observers, each of them optional. Everything recorded follows the
/// OpenTelemetry database conventions; see ``Attribute``, ``Metric`` and ``DatabaseOperation/Kind``. Values and secrets
/// are never recorded.
///
/// ```swift
/// let instrumentation = Instrumentation(
///     tracer: tracer,
///     metrics: metricsFactory,
///     logger: logger,
///     options: .init(slowOperationThreshold: .milliseconds(250))
/// )
/// ```
///
/// ## What is logged
///
/// - A slow operation at level warning; see ``Options/slowOperationThreshold``.
/// - A failure at level debug, because it is thrown to a caller who knows whether it matters. An unknown outcome of
///   COMMIT and a broken rule of the library's own are logged at warning, because somebody must look.
public struct Instrumentation: Sendable {
    @usableFromInline
    let core: Core?

    /// Records nothing, at the cost of one branch for each operation.
    public static let disabled = Instrumentation(core: nil)

    /// Creates a hook.
    ///
    /// Without a tracer, metrics, logger and observers this is ``disabled``.
    ///
    /// - Parameters:
    ///   - tracer: Makes the spans.
    ///   - metrics: Makes the metrics.
    ///   - logger: Gets slow operations and failures.
    ///   - observers: Get every operation.
    ///   - options: What is recorded.
    public init(
        tracer: (any Tracer)? = nil,
        metrics: (any MetricsFactory)? = nil,
        logger: Logger? = nil,
        observers: [any InstrumentationObserver] = [],
        options: Options = Options()
    ) {
        self.init(tracer: tracer, metrics: metrics, logger: logger, observers: observers, options: options) {
            ContinuousClock.now
        }
    }

    /// Takes the time from `now`, for tests of durations.
    package init(
        tracer: (any Tracer)? = nil,
        metrics: (any MetricsFactory)? = nil,
        logger: Logger? = nil,
        observers: [any InstrumentationObserver] = [],
        options: Options = Options(),
        now: @escaping @Sendable () -> ContinuousClock.Instant
    ) {
        guard tracer != nil || metrics != nil || logger != nil || !observers.isEmpty else {
            self.init(core: nil)
            return
        }
        self.init(
            core: Core(
                tracer: tracer,
                metrics: metrics,
                logger: logger,
                observers: observers,
                options: options,
                now: now
            )
        )
    }

    private init(core: Core?) {
        self.core = core
    }

    /// A hook to the tracer and the metrics factory that the process was bootstrapped with, and to a new logger.
    ///
    /// Call it after `InstrumentationSystem.bootstrap(_:)`, `MetricsSystem.bootstrap(_:)` and
    /// `LoggingSystem.bootstrap(_:)`: what is bootstrapped later is not seen. A system that was not bootstrapped is left
    /// out, so that it costs nothing.
    ///
    /// - Parameters:
    ///   - label: The logger's label.
    ///   - observers: Get every operation.
    ///   - options: What is recorded.
    /// - Returns: The hook.
    public static func bootstrapped(
        label: String = "persistence",
        observers: [any InstrumentationObserver] = [],
        options: Options = Options()
    ) -> Instrumentation {
        let tracer = InstrumentationSystem.tracer
        let metrics = MetricsSystem.factory
        return Instrumentation(
            tracer: tracer is NoOpTracer ? nil : tracer,
            metrics: metrics is NOOPMetricsHandler ? nil : metrics,
            logger: Logger(label: label),
            observers: observers,
            options: options
        )
    }

    /// Whether anything is recorded.
    @inlinable
    public var isEnabled: Bool { core != nil }

    /// Whether somebody hears of operations that take no time and leave neither a span nor a metric.
    package var hasObservers: Bool { core?.observers.isEmpty == false }

    /// Whether somebody hears of an operation that takes no time and leaves neither a span nor a metric: an observer, or
    /// whoever calls everything slow.
    package var reportsInstantOperations: Bool { core?.reportsInstantOperations == true }

    /// The logger, for the messages of an engine's own.
    public var logger: Logger? { core?.logger }

    /// Reports that an operation begins.
    ///
    /// The operation is not even described when nothing is recorded. What comes back must be ended, with
    /// ``OperationSpan/end(rows:)`` or ``OperationSpan/end(throwing:)``; dropped without an end, it reports an internal
    /// error.
    ///
    /// The parent of its span is `ServiceContext.current`.
    ///
    /// - Parameter operation: What is done.
    /// - Returns: The running operation, or nil when nothing is recorded.
    @inlinable
    public func begin(_ operation: @autoclosure () -> DatabaseOperation) -> OperationSpan? {
        guard let core else { return nil }
        return OperationSpan(core: core, operation: operation())
    }

    /// Reports that an operation begins that is described alike whenever the same type does it on the same target, so that
    /// it need not be described again.
    ///
    /// - Parameters:
    ///   - type: What always does the same, such as the type of a query.
    ///   - target: Where it is done.
    ///   - operation: What is done.
    /// - Returns: The running operation, or nil when nothing is recorded.
    package func begin(
        _ type: Any.Type, on target: DatabaseTarget, _ operation: @autoclosure () -> DatabaseOperation
    ) -> OperationSpan? {
        guard let core else { return nil }
        return OperationSpan(
            core: core, core.descriptions.description(of: ObjectIdentifier(type), on: target, operation))
    }

    /// Makes the metrics of one connection pool.
    ///
    /// - Parameter name: The pool's name, unique in the process; see ``DatabaseTarget/poolName``.
    /// - Returns: The metrics, or nil when no metrics are recorded.
    public func poolMetrics(name: String) -> PoolMetrics? {
        guard let factory = core?.metrics?.factory else { return nil }
        return PoolMetrics(name: name, factory: factory)
    }

    @usableFromInline
    final class Core: Sendable {
        let tracer: (any Tracer)?
        let metrics: OperationMetrics?
        let descriptions: OperationDescriptions
        let logger: Logger?
        let observers: [any InstrumentationObserver]
        let options: Options
        let now: @Sendable () -> ContinuousClock.Instant
        let reportsInstantOperations: Bool
        private let lastID = Atomic<UInt64>(0)

        init(
            tracer: (any Tracer)?,
            metrics: (any MetricsFactory)?,
            logger: Logger?,
            observers: [any InstrumentationObserver],
            options: Options,
            now: @escaping @Sendable () -> ContinuousClock.Instant
        ) {
            self.tracer = tracer
            self.metrics = metrics.map { OperationMetrics(factory: $0, limit: options.cardinalityLimit) }
            self.descriptions = OperationDescriptions(hasTracer: tracer != nil, options: options)
            self.logger = logger
            self.observers = observers
            self.options = options
            self.now = now
            self.reportsInstantOperations =
                !observers.isEmpty || options.slowOperationThreshold.map { $0 < .milliseconds(1) } ?? false
        }

        func nextID() -> UInt64 {
            lastID.wrappingAdd(1, ordering: .relaxed).newValue
        }
    }
}
