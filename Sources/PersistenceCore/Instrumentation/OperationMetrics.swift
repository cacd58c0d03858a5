import CoreMetrics
import Synchronization
import Tracing

/// Takes the durations of one set of dimensions.
///
/// It holds a backend's handler itself: what wraps handlers converts every number through generic code.
final class DurationRecorder: Sendable {
    private let handler: any RecorderHandler

    init(_ handler: any RecorderHandler) {
        self.handler = handler
    }

    func record(_ duration: Duration) {
        handler.record(duration / .seconds(1))
    }
}

/// The recorders of `db.client.operation.duration`, one for each set of dimensions.
///
/// Making a recorder costs a backend a lookup and an array of dimensions, so each is made once and kept.
final class OperationMetrics: Sendable {
    let factory: any MetricsFactory
    private let limit: Int
    private let recorders = Mutex<[Key: DurationRecorder]>([:])
    private let overflow: Mutex<DurationRecorder?> = Mutex(nil)

    init(factory: any MetricsFactory, limit: Int) {
        self.factory = factory
        self.limit = limit
    }

    func record(_ duration: Duration, of description: OperationDescription, error: PersistenceError?) {
        let recorder =
            if error == nil {
                // Looked up once for each description.
                description.successes.load()
                    ?? description.successes.storeIfNil(recorder(of: description.operation, error: nil))
            } else {
                recorder(of: description.operation, error: error)
            }
        recorder.record(duration)
    }

    private func recorder(of operation: DatabaseOperation, error: PersistenceError?) -> DurationRecorder {
        let key = Key(
            target: operation.target,
            operationName: operation.operationName,
            summary: operation.summary,
            collection: operation.collection,
            storedProcedure: operation.storedProcedure,
            statusCode: error?.serverCode,
            errorType: error?.telemetryType
        )
        let recorder = recorders.withLock { recorders -> DurationRecorder? in
            if let recorder = recorders[key] { return recorder }
            guard recorders.count < limit else { return nil }
            let recorder = makeRecorder(key.dimensions)
            recorders[key] = recorder
            return recorder
        }
        return recorder ?? overflowRecorder(of: key)
    }

    private func overflowRecorder(of key: Key) -> DurationRecorder {
        overflow.withLock { recorder in
            if let recorder { return recorder }
            let made = makeRecorder([
                (Instrumentation.Attribute.systemName.name, key.target.system.name),
                (Instrumentation.Attribute.metricOverflow.name, "true"),
            ])
            recorder = made
            return made
        }
    }

    private func makeRecorder(_ dimensions: [(String, String)]) -> DurationRecorder {
        DurationRecorder(
            factory.makeRecorder(
                label: Instrumentation.Metric.operationDuration, dimensions: dimensions, aggregate: true))
    }

    private struct Key: Hashable {
        let target: DatabaseTarget
        let operationName: String?
        let summary: String?
        let collection: String?
        let storedProcedure: String?
        let statusCode: String?
        let errorType: String?

        /// Hashes what tells most keys apart: hashing every text would cost more than all else that is recorded.
        func hash(into hasher: inout Hasher) {
            hasher.combine(summary ?? operationName)
            hasher.combine(errorType)
        }

        var dimensions: [(String, String)] {
            typealias Attribute = Instrumentation.Attribute
            let all: [(SpanAttributeKey<String>, String?)] = [
                (Attribute.systemName, target.system.name),
                (Attribute.namespace, target.namespace),
                (Attribute.collectionName, collection),
                (Attribute.operationName, operationName),
                (Attribute.querySummary, summary),
                (Attribute.storedProcedureName, storedProcedure),
                (Attribute.responseStatusCode, statusCode),
                (Attribute.errorType, errorType),
                (Attribute.serverAddress, target.address),
            ]
            var dimensions = all.compactMap { key, value in value.map { (key.name, $0) } }
            if let port = target.recordedPort {
                dimensions.append((Attribute.serverPort.name, String(port)))
            }
            return dimensions
        }
    }
}

extension PersistenceError {
    /// The value of `error.type`: what the server called it, else the error's code.
    ///
    /// Both come from small sets.
    var telemetryType: String { serverCode ?? code.description }
}
