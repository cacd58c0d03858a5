public import BSON
internal import PersistenceCore

/// What a collection is created with.
///
/// Source: `create` in the MongoDB manual.
public struct MongoCollectionOptions: Sendable, Hashable {
    /// What happens to documents that the validator refuses.
    @nonexhaustive
    public enum ValidationAction: String, Sendable, Hashable, CaseIterable {
        /// The write fails.
        case error
        /// The write is done, and the server logs it.
        case warn
    }

    /// Which writes are validated.
    @nonexhaustive
    public enum ValidationLevel: String, Sendable, Hashable, CaseIterable {
        /// All.
        case strict
        /// Inserts, and updates of documents that were valid before.
        case moderate
        /// None.
        case off
    }

    /// How a collection of measurements is kept.
    public struct TimeSeries: Sendable, Hashable {
        /// How far apart measurements of one source are, roughly.
        @nonexhaustive
        public enum Granularity: String, Sendable, Hashable, CaseIterable {
            /// Seconds.
            case seconds
            /// Minutes.
            case minutes
            /// Hours.
            case hours
        }

        /// The field with the date of a measurement.
        public var timeField: FieldPath
        /// The field that names its source.
        public var metaField: FieldPath?
        /// How far apart measurements of one source are.
        public var granularity: Granularity?

        /// Describes a collection of measurements.
        ///
        /// - Parameters:
        ///   - timeField: The field with the date.
        ///   - metaField: The field that names the source.
        ///   - granularity: How far apart measurements of one source are.
        public init(timeField: FieldPath, metaField: FieldPath? = nil, granularity: Granularity? = nil) {
            self.timeField = timeField
            self.metaField = metaField
            self.granularity = granularity
        }
    }

    /// What documents must satisfy: a filter, or `["$jsonSchema": …]` as a trusted one.
    public var validator: MongoFilter?
    /// Which writes are validated.
    public var validationLevel: ValidationLevel?
    /// What happens to documents that the validator refuses.
    public var validationAction: ValidationAction?
    /// How texts are compared, unless an operation says otherwise.
    public var collation: MongoCollation?
    /// How many bytes a collection holds before the oldest documents make room.
    public var cappedBytes: Int?
    /// How a collection of measurements is kept.
    public var timeSeries: TimeSeries?
    /// How long measurements are kept.
    public var expiresAfter: Duration?

    /// Options that leave all to the server.
    public init() {}

    func document() throws(PersistenceError) -> Document {
        func refuse(_ reason: String) -> PersistenceError {
            PersistenceError(.invalidArgument, "a collection \(reason)", operation: "create")
        }
        var document = Document()
        if let validator { document.append("validator", .document(validator.document)) }
        if let validationLevel { document.append("validationLevel", .string(validationLevel.rawValue)) }
        if let validationAction { document.append("validationAction", .string(validationAction.rawValue)) }
        if let collation { document.append("collation", .document(collation.document)) }
        if let cappedBytes {
            guard cappedBytes > 0 else { throw refuse("holds at least one byte") }
            document.append("capped", true)
            document.append("size", .int64(Int64(cappedBytes)))
        }
        if let timeSeries {
            var series: Document = ["timeField": .string(timeSeries.timeField.text)]
            if let metaField = timeSeries.metaField { series.append("metaField", .string(metaField.text)) }
            if let granularity = timeSeries.granularity {
                series.append("granularity", .string(granularity.rawValue))
            }
            document.append("timeseries", .document(series))
        }
        if let expiresAfter {
            guard let seconds = expiresAfter.expirySeconds else {
                throw refuse("keeps documents for a time out of range")
            }
            document.append("expireAfterSeconds", .int64(seconds))
        }
        return document
    }
}

/// A collection that a database has.
public struct MongoCollectionInfo: Sendable, Hashable {
    /// The collection's name.
    public let name: String
    /// `collection`, `view` or `timeseries`.
    public let kind: String
    /// What it was created with, as the server says it.
    public let options: Document

    init(_ document: Document) {
        name = document["name"]?.string ?? ""
        kind = document["type"]?.string ?? "collection"
        options = document["options"]?.document?.detached() ?? Document()
    }
}
