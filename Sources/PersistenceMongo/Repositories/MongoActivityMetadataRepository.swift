import BSON
import MongoEngine
public import Persistence
public import PersistenceCore

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// The metadata of one job's activities, in the collection `{workspaceID}/{jobID}`.
///
/// Get it from ``MongoDocumentStore/activityMetadata(workspace:job:)``.
public struct MongoActivityMetadataRepository: ActivityMetadataRepository {
    let documents: StoredDocuments

    init(_ documents: StoredDocuments) {
        self.documents = documents
    }

    /// Records an activity.
    public func insert(_ metadata: ActivityMetadata) async throws(PersistenceError) {
        try metadata.check(operation: "InsertActivityMetadata")
        let isNew = try await documents.named("InsertActivityMetadata") { () async throws(PersistenceError) in
            try await documents.insert(metadata.document)
        }
        guard isNew else { throw PersistenceError(.activityID, operation: "InsertActivityMetadata") }
    }

    /// Records those of many activities that have not been recorded before, in one round trip.
    @discardableResult
    public func insertManyIfAbsent(_ metadata: [ActivityMetadata]) async throws(PersistenceError) -> [ActivityID] {
        let operation = "InsertManyActivityMetadata"
        try Batch.check(count: metadata.count, operation: operation)
        var seen: Set<ActivityID> = []
        var first: [ActivityMetadata] = []
        for item in metadata {
            try item.check(operation: operation)
            if seen.insert(item.activity).inserted { first.append(item) }
        }
        let new = first
        let present = try await documents.named(operation) { () async throws(PersistenceError) in
            try await documents.insertIfAbsent(new.map(\.document))
        }
        return new.indices.filter { !present.contains($0) }.map { new[$0].activity }
    }

    /// Changes the metadata of an activity.
    @discardableResult
    public func update(
        _ activity: ActivityID, with changes: ActivityMetadataUpdate
    ) async throws(PersistenceError) -> ActivityMetadata {
        try await documents.named("UpdateActivityMetadata") { () async throws(PersistenceError) in
            var result: ActivityMetadata?
            _ = try await documents.modify(StoredKind.activity.keyValue(activity)) {
                fields throws(PersistenceError) in
                let before = try ActivityMetadata(fields)
                let changed = changes.applied(to: before)
                try changed.check()
                result = changed.asStored
                return changed == before ? nil : changed.document
            }
            guard let result else { throw PersistenceError(.notFound, "the activity has not been recorded") }
            return result
        }
    }

    /// Looks an activity up.
    public func metadata(of activity: ActivityID) async throws(PersistenceError) -> ActivityMetadata? {
        try await documents.named("GetActivityMetadata") { () async throws(PersistenceError) in
            guard let document = try await documents.findOne(["_id": StoredKind.activity.keyValue(activity)])
            else { return nil }
            return try ActivityMetadata(try documents.fields(document))
        }
    }

    /// Looks many activities up in one round trip.
    public func metadata(
        of activities: [ActivityID]
    ) async throws(PersistenceError) -> [ActivityID: ActivityMetadata] {
        try Batch.check(count: activities.count, operation: "GetManyActivityMetadata")
        guard !activities.isEmpty else { return [:] }
        return try await documents.named("GetManyActivityMetadata") { () async throws(PersistenceError) in
            let keys = Set(activities).map { StoredKind.activity.keyValue($0) }
            var found: [ActivityID: ActivityMetadata] = [:]
            for document in try await documents.find(["_id": ["$in": .array(BSONArray(keys))]]) {
                let metadata = try ActivityMetadata(try documents.fields(document))
                found[metadata.activity] = metadata
            }
            return found
        }
    }

    /// Lists activities page by page, at the same cost for every page.
    public func metadata(
        matching filter: ActivityFilter, sortedBy order: ChronologicalOrder, _ request: KeysetPageRequest
    ) async throws(PersistenceError) -> KeysetPage<ActivityMetadata> {
        try filter.check(operation: "ListActivityMetadata")
        return try await documents.named("ListActivityMetadata") { () async throws(PersistenceError) in
            try await TimedQuery(listing: .activities(order), kind: .activity).page(
                request, in: documents, ListFilter(filter), by: { ($0.occurredAt, $0.activity) },
                decode: { (fields) throws(PersistenceError) in try ActivityMetadata(fields) })
        }
    }

    /// Goes through activities in bounded memory.
    public func stream(
        matching filter: ActivityFilter, sortedBy order: ChronologicalOrder
    ) -> ResultStream<ActivityMetadata> {
        documents.stream(
            "StreamActivityMetadata", sort: TimedQuery(listing: .activities(order), kind: .activity).sort(),
            filter: { () throws(PersistenceError) in
                try filter.check(operation: "StreamActivityMetadata")
                return ListFilter(filter).document
            }, decode: { (fields) throws(PersistenceError) in try ActivityMetadata(fields) })
    }

    /// Counts activities.
    public func count(matching filter: ActivityFilter) async throws(PersistenceError) -> Int {
        try filter.check(operation: "CountActivityMetadata")
        return try await documents.named("CountActivityMetadata") { () async throws(PersistenceError) in
            try await documents.count(ListFilter(filter).document)
        }
    }

    /// Removes the metadata of an activity.
    @discardableResult
    public func delete(_ activity: ActivityID) async throws(PersistenceError) -> Bool {
        try await documents.named("DeleteActivityMetadata") { () async throws(PersistenceError) in
            try await documents.deleteOne(StoredKind.activity.keyValue(activity))
        }
    }

    /// Removes the metadata of activities that happened before a point in time.
    @discardableResult
    public func deleteAll(before date: Date) async throws(PersistenceError) -> Int {
        let filter = ActivityFilter.occurred(before: date)
        try filter.check(operation: "DeleteOldActivityMetadata")
        return try await documents.named("DeleteOldActivityMetadata") { () async throws(PersistenceError) in
            try await documents.deleteMany(ListFilter(filter).document)
        }
    }

    /// Counts what ended on each day, by outcome.
    public func outcomesPerDay(in period: Range<Date>) async throws(PersistenceError) -> [DailyOutcomes] {
        try await documents.named("ReportActivityOutcomes") { () async throws(PersistenceError) in
            try await DocumentReports(documents: documents, kind: .activity).outcomesPerDay(in: period)
        }
    }

    /// Finds how long what ended took.
    public func latency(
        percentiles: [Double], in period: Range<Date>
    ) async throws(PersistenceError) -> LatencyReport {
        try ReportRules.check(percentiles: percentiles, operation: "ReportActivityLatency")
        return try await documents.named("ReportActivityLatency") { () async throws(PersistenceError) in
            try await DocumentReports(documents: documents, kind: .activity).latency(percentiles, in: period)
        }
    }

    /// Counts failures by code.
    public func topErrors(limit: Int, in period: Range<Date>) async throws(PersistenceError) -> [ErrorCount] {
        try ReportRules.check(limit: limit, operation: "ReportActivityErrors")
        return try await documents.named("ReportActivityErrors") { () async throws(PersistenceError) in
            try await DocumentReports(documents: documents, kind: .activity).topErrors(limit, in: period)
        }
    }
}

extension ActivityMetadata {
    /// As it comes back: with the dates of its payload to the millisecond.
    fileprivate var asStored: ActivityMetadata {
        ActivityMetadata(
            activity: activity, kind: kind, status: status, occurredAt: occurredAt, startedAt: startedAt,
            finishedAt: finishedAt, failure: failure, payload: payload.inMilliseconds)
    }
}
