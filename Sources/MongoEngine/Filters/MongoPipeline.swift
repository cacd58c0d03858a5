public import BSON

/// The stages of an aggregation, one after the other.
///
/// ```swift
/// let byOutcome = MongoPipeline()
///     .match(Field<Date>("startedAt") >= monday)
///     .group(by: .field("outcome"), ["count": .count, "seconds": .average(.field("seconds"))])
///     .sort(.descending("count"))
/// for try await row in executions.aggregate(byOutcome, as: Row.self) { … }
/// ```
public struct MongoPipeline: Sendable, Hashable {
    /// The stages as they are sent.
    public private(set) var stages: [Document] = []

    /// A pipeline without stages, which gives the collection's documents as they are.
    public init() {}

    /// Adds a stage as it is, operators included.
    ///
    /// - Parameter stage: The stage document.
    /// - Returns: The longer pipeline.
    public func trusted(_ stage: Document) -> MongoPipeline {
        var copy = self
        copy.stages.append(stage)
        return copy
    }

    private func adding(_ name: String, _ value: BSONValue) -> MongoPipeline {
        trusted(Document([(name, value)]))
    }

    var value: BSONValue { .array(BSONArray(stages.map { .document($0) })) }

    /// Whether the pipeline writes its result into a collection.
    var isWrite: Bool { stages.last.map { $0.contains(key: "$out") || $0.contains(key: "$merge") } ?? false }

    // MARK: Choosing

    /// Goes on with the documents that a filter matches.
    ///
    /// - Parameter filter: The filter.
    /// - Returns: The longer pipeline.
    public func match(_ filter: MongoFilter) -> MongoPipeline { adding("$match", .document(filter.document)) }

    /// Puts the documents into an order.
    ///
    /// - Parameter order: The order.
    /// - Returns: The longer pipeline.
    public func sort(_ order: MongoSort) -> MongoPipeline { adding("$sort", .document(order.document)) }

    /// Goes on with the first documents.
    ///
    /// - Parameter count: How many, at least 1.
    /// - Returns: The longer pipeline.
    public func limit(_ count: Int) -> MongoPipeline { adding("$limit", .int64(Int64(count))) }

    /// Leaves out the first documents.
    ///
    /// - Parameter count: How many.
    /// - Returns: The longer pipeline.
    public func skip(_ count: Int) -> MongoPipeline { adding("$skip", .int64(Int64(count))) }

    /// Goes on with documents taken at random.
    ///
    /// - Parameter size: How many.
    /// - Returns: The longer pipeline.
    public func sample(_ size: Int) -> MongoPipeline { adding("$sample", ["size": .int64(Int64(size))]) }

    // MARK: Shaping

    /// Goes on with some of the fields.
    ///
    /// - Parameter projection: Which.
    /// - Returns: The longer pipeline.
    public func project(_ projection: MongoProjection) -> MongoPipeline {
        adding("$project", .document(projection.document))
    }

    /// Gives fields computed values.
    ///
    /// - Parameter fields: The fields and their values.
    /// - Returns: The longer pipeline.
    public func set(_ fields: KeyValuePairs<FieldPath, MongoExpression>) -> MongoPipeline {
        adding("$set", .document(Document(fields.map { ($0.key.text, $0.value.value) })))
    }

    /// Removes fields.
    ///
    /// - Parameter paths: The fields.
    /// - Returns: The longer pipeline.
    public func unset(_ paths: FieldPath...) -> MongoPipeline {
        adding("$unset", .array(BSONArray(paths.map { .string($0.text) })))
    }

    /// Goes on with a document of each document.
    ///
    /// - Parameter expression: The document.
    /// - Returns: The longer pipeline.
    public func replaceRoot(with expression: MongoExpression) -> MongoPipeline {
        adding("$replaceRoot", ["newRoot": expression.value])
    }

    /// Makes a document of each element of an array.
    ///
    /// - Parameters:
    ///   - path: The array.
    ///   - keepsEmpty: Whether documents without elements are kept.
    ///   - indexField: The field that gets the element's index.
    /// - Returns: The longer pipeline.
    public func unwind(_ path: FieldPath, keepingEmpty keepsEmpty: Bool = false, indexField: FieldPath? = nil) -> Self {
        var unwind: Document = ["path": .string("$\(path.text)")]
        if keepsEmpty { unwind.append("preserveNullAndEmptyArrays", true) }
        if let indexField { unwind.append("includeArrayIndex", .string(indexField.text)) }
        return adding("$unwind", .document(unwind))
    }

    // MARK: Grouping

    /// Makes a document of each group of documents.
    ///
    /// - Parameters:
    ///   - key: What the documents of a group have in common, as `_id` of the result; nil makes one group of all.
    ///   - fields: The other fields of the result.
    /// - Returns: The longer pipeline.
    public func group(
        by key: MongoExpression?, _ fields: KeyValuePairs<FieldPath, MongoAccumulator> = [:]
    ) -> MongoPipeline {
        var group: Document = ["_id": key?.value ?? .null]
        for (path, accumulator) in fields { group.append(path.text, accumulator.value) }
        return adding("$group", .document(group))
    }

    /// Makes a document of each group of documents that have several values in common.
    ///
    /// - Parameters:
    ///   - keys: What they have in common, as fields of the result's `_id`.
    ///   - fields: The other fields of the result.
    /// - Returns: The longer pipeline.
    public func group(
        by keys: KeyValuePairs<FieldPath, MongoExpression>, _ fields: KeyValuePairs<FieldPath, MongoAccumulator>
    ) -> MongoPipeline {
        let key = Document(keys.map { ($0.key.text, $0.value.value) })
        return group(by: MongoExpression(trusted: .document(key)), fields)
    }

    /// Makes a document of each range of values.
    ///
    /// - Parameters:
    ///   - expression: The value of each document.
    ///   - boundaries: The ranges: each begins with one boundary and ends before the next.
    ///   - fallback: The `_id` for what is in no range; without it, such a document is an error.
    ///   - fields: The fields of the result.
    /// - Returns: The longer pipeline.
    public func bucket(
        by expression: MongoExpression, boundaries: [some MongoValue],
        default fallback: (some MongoValue)? = String?.none,
        _ fields: KeyValuePairs<FieldPath, MongoAccumulator> = ["count": .count]
    ) -> MongoPipeline {
        var bucket: Document = ["groupBy": expression.value, "boundaries": boundaries.bsonValue]
        if let fallback { bucket.append("default", fallback.bsonValue) }
        bucket.append("output", .document(Document(fields.map { ($0.key.text, $0.value.value) })))
        return adding("$bucket", .document(bucket))
    }

    /// Counts the documents.
    ///
    /// - Parameter path: The field that gets the number.
    /// - Returns: The longer pipeline.
    public func count(as path: FieldPath) -> MongoPipeline { adding("$count", .string(path.text)) }

    /// Runs several pipelines over the same documents, each into an array of the one result.
    ///
    /// - Parameter pipelines: The pipelines by the names of their arrays.
    /// - Returns: The longer pipeline.
    public func facet(_ pipelines: KeyValuePairs<FieldPath, MongoPipeline>) -> MongoPipeline {
        adding("$facet", .document(Document(pipelines.map { ($0.key.text, $0.value.value) })))
    }

    // MARK: Other collections

    /// Adds the documents of another collection that have a value in common.
    ///
    /// - Parameters:
    ///   - collection: The other collection, of the same database.
    ///   - localField: The value here.
    ///   - foreignField: The value there.
    ///   - path: The field that gets the array of documents.
    /// - Returns: The longer pipeline.
    public func lookup<Other>(
        from collection: MongoCollection<Other>, localField: FieldPath, foreignField: FieldPath, as path: FieldPath
    ) -> MongoPipeline {
        adding(
            "$lookup",
            [
                "from": .string(collection.name), "localField": .string(localField.text),
                "foreignField": .string(foreignField.text), "as": .string(path.text),
            ])
    }

    /// Adds the documents of another collection.
    ///
    /// - Parameters:
    ///   - collection: The other collection, of the same database.
    ///   - pipeline: What is done with its documents before.
    /// - Returns: The longer pipeline.
    public func union<Other>(
        with collection: MongoCollection<Other>, _ pipeline: MongoPipeline = MongoPipeline()
    ) -> MongoPipeline {
        adding("$unionWith", ["coll": .string(collection.name), "pipeline": pipeline.value])
    }

    /// Writes the result into a collection, whose documents it merges with by `_id`; the pipeline's last stage.
    ///
    /// - Parameter collection: The collection, of the same database.
    /// - Returns: The longer pipeline.
    public func merge<Other>(into collection: MongoCollection<Other>) -> MongoPipeline {
        adding("$merge", ["into": .string(collection.name)])
    }

    /// Replaces a collection by the result; the pipeline's last stage.
    ///
    /// - Parameter collection: The collection, of the same database.
    /// - Returns: The longer pipeline.
    public func out<Other>(to collection: MongoCollection<Other>) -> MongoPipeline {
        adding("$out", .string(collection.name))
    }
}
