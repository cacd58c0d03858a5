import Synchronization
import Tracing

/// What telemetry says of every operation that is described alike, made once: a span's attributes are a dictionary, and
/// filling one for each operation would cost more than all else that is recorded.
final class OperationDescription: Sendable {
    let operation: DatabaseOperation
    let spanName: String
    let spanKind: SpanKind
    let isTraced: Bool
    let isMeasured: Bool
    let attributes: SpanAttributes
    /// Gets the durations of operations that succeed.
    let successes = AtomicLazyReference<DurationRecorder>()

    init(_ operation: DatabaseOperation, hasTracer: Bool, options: Instrumentation.Options) {
        self.operation = operation
        self.spanName = operation.spanName
        self.spanKind = operation.kind.isClientCall ? .client : .internal
        self.isTraced = hasTracer && operation.kind.isTraced
        self.isMeasured = operation.kind.isMeasured
        self.attributes = hasTracer ? SpanAttributes(describing: operation, options: options) : [:]
    }
}

/// The descriptions that were used last, found without hashing a text.
final class OperationDescriptions: Sendable {
    private static var places: Int { 64 }
    /// Longer texts are not kept in memory.
    private static var longestText: Int { 8 << 10 }

    private struct Place {
        /// The type that always does the same, when the operation belongs to one.
        var type: ObjectIdentifier?
        var description: OperationDescription
    }

    private let entries = Mutex<[Place?]>(Array(repeating: nil, count: places))
    private let hasTracer: Bool
    private let options: Instrumentation.Options

    init(hasTracer: Bool, options: Instrumentation.Options) {
        self.hasTracer = hasTracer
        self.options = options
    }

    /// The description of an operation that is the same whenever `type` does it on the same target.
    func description(
        of type: ObjectIdentifier, on target: DatabaseTarget, _ operation: () -> DatabaseOperation
    ) -> OperationDescription {
        // Metadata is aligned, so the lowest bits say nothing.
        let place = (Int(bitPattern: type) >> 4) & (Self.places - 1)
        let known = entries.withLock { entries -> OperationDescription? in
            guard let entry = entries[place], entry.type == type, entry.description.operation.target == target else {
                return nil
            }
            return entry.description
        }
        if let known { return known }
        let made = OperationDescription(operation(), hasTracer: hasTracer, options: options)
        entries.withLock { $0[place] = Place(type: type, description: made) }
        return made
    }

    func description(of operation: DatabaseOperation) -> OperationDescription {
        let place = Int(truncatingIfNeeded: operation.fingerprint % UInt(Self.places))
        let known = entries.withLock { entries -> OperationDescription? in
            guard let entry = entries[place], entry.description.operation.isDescribed(as: operation) else {
                return nil
            }
            return entry.description
        }
        if let known { return known }
        let made = OperationDescription(operation, hasTracer: hasTracer, options: options)
        // What may hold values is not kept in memory either.
        if !operation.queryTextMayHoldValues, operation.queryText?.utf8.count ?? 0 <= Self.longestText {
            entries.withLock { $0[place] = Place(type: nil, description: made) }
        }
        return made
    }
}

extension DatabaseOperation {
    /// A number that most operations of different descriptions do not share.
    fileprivate var fingerprint: UInt {
        var number = UInt(bitPattern: batchSize ?? 0)
        /// Mixes in the end of a text: its beginning is often the same.
        func mix(_ text: String?) {
            guard let text else { return }
            number = number &* 31 &+ UInt(text.utf8.count)
            text.utf8.withContiguousStorageIfAvailable { bytes in
                for byte in bytes.suffix(16) { number = number &* 31 &+ UInt(byte) }
            }
        }
        mix(summary ?? name)
        mix(collection)
        if summary == nil { mix(queryText) }
        return number
    }

    fileprivate func isDescribed(as other: DatabaseOperation) -> Bool {
        kind == other.kind && target == other.target && batchSize == other.batchSize && summary == other.summary
            && name == other.name && collection == other.collection && storedProcedure == other.storedProcedure
            && queryText == other.queryText && queryTextMayHoldValues == other.queryTextMayHoldValues
    }
}

extension SpanAttributes {
    /// What is known of an operation before it has run.
    fileprivate init(describing operation: DatabaseOperation, options: Instrumentation.Options) {
        typealias Attribute = Instrumentation.Attribute
        self = [:]
        self[Attribute.systemName] = operation.target.system.name
        self[Attribute.namespace] = operation.target.namespace
        self[Attribute.serverAddress] = operation.target.address
        self[Attribute.serverPort] = operation.target.recordedPort
        self[Attribute.operationName] = operation.operationName
        self[Attribute.querySummary] = operation.summary
        self[Attribute.collectionName] = operation.collection
        self[Attribute.storedProcedureName] = operation.storedProcedure
        self[Attribute.queryText] = options.recordedText(of: operation)
        if let size = operation.batchSize, size > 1 {
            // "SHOULD never be 1": one statement is not a batch.
            self[Attribute.batchSize] = size
        }
    }

    subscript<Value: SpanAttributeConvertible>(key: SpanAttributeKey<Value>) -> Value? {
        get { nil }
        set {
            // Assigning nil through the library's own subscript would need the attribute to be looked up first.
            guard let newValue else { return }
            set(key.name, value: newValue.toSpanAttribute())
        }
    }
}
