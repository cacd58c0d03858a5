public import BSON

/// One change of a collection's documents.
///
/// Source: "Change Events" in the MongoDB manual.
public struct MongoChange<Element: Sendable>: Sendable {
    /// What happened.
    @nonexhaustive
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// A document was inserted.
        case insert
        /// Fields of a document were changed.
        case update
        /// A document was replaced.
        case replace
        /// A document was deleted.
        case delete
        /// The collection was dropped.
        case drop
        /// The collection was renamed.
        case rename
        /// The database was dropped.
        case dropDatabase
        /// The stream has ended on the server.
        case invalidate
        /// Something that this version does not know.
        case other
    }

    /// What happened.
    public let kind: Kind
    /// The `_id` of the document, and the keys of its shard.
    public let documentKey: Document?
    /// The document as it is now: for inserts and replacements, and for updates when the stream asks for it.
    public let document: Element?
    /// The fields that an update has set, by their paths.
    public let updatedFields: Document?
    /// The paths of the fields that an update has removed.
    public let removedFields: [String]
    /// Where a stream goes on after this change: give it to ``MongoChangeStreamOptions/resumeToken``.
    public let resumeToken: Document
    /// The whole event.
    public let event: Document
}

/// How a change stream is opened.
public struct MongoChangeStreamOptions: Sendable, Hashable {
    /// Where to go on: the token of the last change that was dealt with.
    ///
    /// From now on without it.
    public var resumeToken: Document?
    /// Whether an update brings the whole document, as it is when the server looks it up.
    public var includesDocumentOnUpdate: Bool
    /// Which changes: a pipeline of `match` and `project` stages over the events.
    public var pipeline: MongoPipeline
    /// How long the server waits for a change before it answers without one.
    public var maximumWait: Duration

    /// Creates options.
    ///
    /// - Parameters:
    ///   - resumeToken: Where to go on.
    ///   - includesDocumentOnUpdate: Whether an update brings the whole document.
    ///   - pipeline: Which changes.
    ///   - maximumWait: How long the server waits for a change before it answers without one.
    public init(
        resumeToken: Document? = nil, includesDocumentOnUpdate: Bool = false,
        pipeline: MongoPipeline = MongoPipeline(), maximumWait: Duration = .seconds(1)
    ) {
        self.resumeToken = resumeToken
        self.includesDocumentOnUpdate = includesDocumentOnUpdate
        self.pipeline = pipeline
        self.maximumWait = maximumWait
    }

    var document: Document {
        // The driver takes an Int64.
        var document: Document = ["maxAwaitTimeMS": .int64(max(1, maximumWait.wholeMilliseconds))]
        if let resumeToken { document.append("resumeAfter", .document(resumeToken)) }
        if includesDocumentOnUpdate { document.append("fullDocument", "updateLookup") }
        return document
    }
}
