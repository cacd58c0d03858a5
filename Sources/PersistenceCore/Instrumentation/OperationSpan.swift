import Logging
import Synchronization
public import Tracing

/// A running operation, from ``Instrumentation/begin(_:)`` to its end.
///
/// End it once, on any thread; a second end does nothing.
public final class OperationSpan: Sendable {
    /// What is done.
    public var operation: DatabaseOperation { description.operation }
    private let description: OperationDescription
    private let core: Instrumentation.Core
    private let id: UInt64
    private let start: ContinuousClock.Instant
    private let parent: ServiceContext
    private let span: (any Span)?
    private let isEnded = Atomic<Bool>(false)

    @usableFromInline
    convenience init(core: Instrumentation.Core, operation: DatabaseOperation) {
        self.init(core: core, core.descriptions.description(of: operation))
    }

    init(core: Instrumentation.Core, _ description: OperationDescription) {
        self.core = core
        self.description = description
        self.id = core.nextID()
        self.parent = ServiceContext.current ?? .topLevel
        if description.isTraced, let tracer = core.tracer {
            let span = tracer.startSpan(description.spanName, context: parent, ofKind: description.spanKind)
            Self.describe(span, description)
            self.span = span
        } else {
            self.span = nil
        }
        for observer in core.observers {
            observer.operationDidStart(OperationStart(id: id, operation: description.operation))
        }
        self.start = core.now()
    }

    deinit {
        guard !isEnded.load(ordering: .acquiring) else { return }
        finish(rows: nil, error: PersistenceError(.internal, "the operation was dropped before its end"))
    }

    /// The context of the operation's span, or of its parent when the operation has none.
    ///
    /// Work that belongs to the operation, such as the body of a transaction, runs in it:
    /// ``withContext(_:)``.
    public var context: ServiceContext { span?.context ?? parent }

    /// Records which server answered, where the deployment has several and the operation's target names another.
    ///
    /// - Parameters:
    ///   - address: `server.address`.
    ///   - port: `server.port`, recorded only when it is not the system's default.
    package func answered(by address: String, port: Int?) {
        guard let span, span.isRecording else { return }
        let port = port == operation.target.system.defaultPort ? nil : port
        span.updateAttributes { attributes in
            attributes[Instrumentation.Attribute.serverAddress] = address
            // A port that does not go with this address must not stay.
            attributes.set(Instrumentation.Attribute.serverPort.name, value: port?.toSpanAttribute())
        }
    }

    /// Reports that the operation has succeeded.
    ///
    /// - Parameter rows: How many rows or documents came back or were changed, when known.
    public func end(rows: Int? = nil) {
        finish(rows: rows, error: nil)
    }

    /// Reports that the operation has failed.
    ///
    /// - Parameter error: Why. Its description is recorded, and holds no values.
    public func end(throwing error: PersistenceError) {
        finish(rows: nil, error: error)
    }

    private func finish(rows: Int?, error: PersistenceError?) {
        guard !isEnded.exchange(true, ordering: .acquiringAndReleasing) else { return }
        let duration = start.duration(to: core.now())
        let isSlow = isSlow(duration)
        if let span = span ?? (isSlow ? makeLateSpan(duration) : nil) {
            Self.conclude(span, rows: core.options.recordsReturnedRows ? rows : nil, error: error)
        }
        if description.isMeasured {
            core.metrics?.record(duration, of: description, error: error)
        }
        if let logger = core.logger {
            if isSlow { logSlow(duration, rows: rows, error: error, to: logger) }
            if let error { logFailure(error, after: duration, to: logger) }
        }
        for observer in core.observers {
            observer.operationDidEnd(
                OperationEnd(id: id, operation: operation, duration: duration, rows: rows, error: error)
            )
        }
    }

    private func isSlow(_ duration: Duration) -> Bool {
        guard let threshold = core.options.slowOperationThreshold, duration >= threshold else { return false }
        return operation.kind.isReportedWhenSlow
    }
}

// MARK: - Spans

extension OperationSpan {
    /// A span for an operation whose kind makes none, started in the past.
    private func makeLateSpan(_ duration: Duration) -> (any Span)? {
        guard let tracer = core.tracer else { return nil }
        let now = DefaultTracerClock.now.nanosecondsSinceEpoch
        let (seconds, attoseconds) = duration.components
        let elapsed = UInt64(clamping: seconds) &* 1_000_000_000 &+ UInt64(clamping: attoseconds / 1_000_000_000)
        let span = tracer.startSpan(
            description.spanName,
            context: parent,
            ofKind: description.spanKind,
            at: DefaultTracerClock.Timestamp(nanosecondsSinceEpoch: now - min(elapsed, now))
        )
        Self.describe(span, description)
        return span
    }

    private static func describe(_ span: any Span, _ description: OperationDescription) {
        guard span.isRecording else { return }
        var attributes = span.attributes
        if attributes.isEmpty {
            attributes = description.attributes
        } else {
            attributes.merge(description.attributes)
        }
        span.attributes = attributes
    }

    private static func conclude(_ span: any Span, rows: Int?, error: PersistenceError?) {
        if rows != nil || error != nil, span.isRecording {
            span.updateAttributes { attributes in
                if let rows { attributes[Instrumentation.Attribute.returnedRows] = rows }
                if let error {
                    attributes[Instrumentation.Attribute.errorType] = error.telemetryType
                    attributes[Instrumentation.Attribute.responseStatusCode] = error.serverCode
                }
            }
        }
        if let error {
            span.recordError(error)
            span.setStatus(SpanStatus(code: .error, message: error.description))
        }
        span.end()
    }
}

// MARK: - Log lines

extension OperationSpan {
    private func logSlow(_ duration: Duration, rows: Int?, error: PersistenceError?, to logger: Logger) {
        logger.warning("slow database operation", metadata: metadata(duration, rows: rows, error: error))
    }

    private func logFailure(_ error: PersistenceError, after duration: Duration, to logger: Logger) {
        let level: Logger.Level =
            switch error.code {
            case .commitUnknown, .internal: .warning
            default: .debug
            }
        logger.log(
            level: level,
            "database operation failed: \(error)",
            metadata: metadata(duration, rows: nil, error: error)
        )
    }

    private func metadata(_ duration: Duration, rows: Int?, error: PersistenceError?) -> Logger.Metadata {
        typealias Attribute = Instrumentation.Attribute
        var metadata: Logger.Metadata = [
            Attribute.systemName.name: "\(operation.target.system.name)",
            "operation.kind": "\(operation.kind)",
            "duration": "\(duration / .seconds(1))",
        ]
        let optional: [(SpanAttributeKey<String>, String?)] = [
            (Attribute.namespace, operation.target.namespace),
            (Attribute.operationName, operation.operationName),
            (Attribute.querySummary, operation.summary),
            (Attribute.collectionName, operation.collection),
            (Attribute.serverAddress, operation.target.address),
            (Attribute.errorType, error?.telemetryType),
        ]
        for case (let key, let value?) in optional {
            metadata[key.name] = "\(value)"
        }
        if let rows { metadata["rows"] = "\(rows)" }
        return metadata
    }
}

// MARK: - Nesting

extension OperationSpan {
    /// Runs `body` with ``context`` as the current service context, so that its spans are children of this one.
    ///
    /// - Parameter body: Runs in the caller's isolation.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    public nonisolated(nonsending) func withContext<Result>(
        _ body: () async throws -> Result
    ) async rethrows -> Result {
        try await ServiceContext.$current.withValue(context) {
            try await body()
        }
    }
}

extension OperationSpan? {
    /// Runs `body` in the operation's context, or just runs it when nothing is recorded.
    ///
    /// - Parameter body: Runs in the caller's isolation.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    public nonisolated(nonsending) func withContext<Result>(
        _ body: () async throws -> Result
    ) async rethrows -> Result {
        guard let self else { return try await body() }
        return try await self.withContext(body)
    }
}
