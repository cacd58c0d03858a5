public import BSON
internal import PersistenceCore

/// What an update or a replacement did.
public struct MongoUpdateResult: Sendable, Hashable {
    /// How many documents the filter matched.
    public let matchedCount: Int
    /// How many of them were changed; one that had the new values already is not.
    public let modifiedCount: Int
    /// The `_id` of the document that was inserted because none matched.
    public let upsertedID: BSONValue?

    init(reply: Document) {
        matchedCount = reply["matchedCount"]?.int ?? 0
        modifiedCount = reply["modifiedCount"]?.int ?? 0
        upsertedID = reply["upsertedId"]
    }
}

/// What a bulk write did.
public struct MongoBulkResult: Sendable, Hashable {
    /// How many documents were inserted.
    public var insertedCount = 0
    /// How many documents updates and replacements matched.
    public var matchedCount = 0
    /// How many documents they changed.
    public var modifiedCount = 0
    /// How many documents were deleted.
    public var deletedCount = 0
    /// The `_id`s of the documents that upserts inserted, by the index of the write.
    public var upsertedIDs: [Int: BSONValue] = [:]

    init() {}

    /// Whether anything was done.
    var hasEffect: Bool {
        insertedCount > 0 || matchedCount > 0 || deletedCount > 0 || !upsertedIDs.isEmpty
    }

    init(reply: Document) {
        insertedCount = (reply["nInserted"] ?? reply["insertedCount"])?.int ?? 0
        matchedCount = reply["nMatched"]?.int ?? 0
        modifiedCount = reply["nModified"]?.int ?? 0
        deletedCount = reply["nRemoved"]?.int ?? 0
        for entry in reply["upserted"]?.array ?? [] {
            if let index = entry["index"]?.int, let id = entry["_id"] { upsertedIDs[index] = id }
        }
    }
}
