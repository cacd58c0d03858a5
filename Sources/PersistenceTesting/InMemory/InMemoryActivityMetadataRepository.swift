public import Persistence
public import PersistenceCore

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// The metadata of one job's activities in an ``InMemoryDatabase``.
public struct InMemoryActivityMetadataRepository: ActivityMetadataRepository {
    let database: InMemoryDatabase
    let key: InMemoryDocuments.JobKey

    /// Records an activity.
    public func insert(_ metadata: ActivityMetadata) async throws(PersistenceError) {
        try metadata.check(operation: "InsertActivityMetadata")
        try change("InsertActivityMetadata") { activities, _ throws(PersistenceError) in
            guard activities[metadata.activity] == nil else { throw PersistenceError(.activityID) }
            activities[metadata.activity] = metadata.asStored
        }
    }

    /// Records those of many activities that have not been recorded before.
    @discardableResult
    public func insertManyIfAbsent(_ metadata: [ActivityMetadata]) async throws(PersistenceError) -> [ActivityID] {
        let operation = "InsertManyActivityMetadata"
        try Batch.check(count: metadata.count, operation: operation)
        for item in metadata { try item.check(operation: operation) }
        return try change(operation) { activities, _ in
            var inserted: [ActivityID] = []
            for item in metadata where activities[item.activity] == nil {
                activities[item.activity] = item.asStored
                inserted.append(item.activity)
            }
            return inserted
        }
    }

    /// Changes the metadata of an activity.
    @discardableResult
    public func update(
        _ activity: ActivityID, with changes: ActivityMetadataUpdate
    ) async throws(PersistenceError) -> ActivityMetadata {
        try change("UpdateActivityMetadata") { activities, _ throws(PersistenceError) in
            guard let metadata = activities[activity] else {
                throw PersistenceError(.notFound, "the activity has not been recorded")
            }
            let changed = changes.applied(to: metadata)
            try changed.check()
            activities[activity] = changed.asStored
            return changed.asStored
        }
    }

    /// Looks an activity up.
    public func metadata(of activity: ActivityID) async throws(PersistenceError) -> ActivityMetadata? {
        try read("GetActivityMetadata") { $0[activity] }
    }

    /// Looks many activities up.
    public func metadata(
        of activities: [ActivityID]
    ) async throws(PersistenceError) -> [ActivityID: ActivityMetadata] {
        try Batch.check(count: activities.count, operation: "GetManyActivityMetadata")
        return try read("GetManyActivityMetadata") { all in
            activities.reduce(into: [:]) { $0[$1] = all[$1] }
        }
    }

    /// Lists activities page by page.
    public func metadata(
        matching filter: ActivityFilter, sortedBy order: ChronologicalOrder, _ request: KeysetPageRequest
    ) async throws(PersistenceError) -> KeysetPage<ActivityMetadata> {
        try filter.check(operation: "ListActivityMetadata")
        return try read("ListActivityMetadata") { all throws(PersistenceError) in
            try all.values.filter(filter.matches).page(.activities(order), request) { ($0.occurredAt, $0.activity) }
        }
    }

    /// Goes through activities.
    public func stream(
        matching filter: ActivityFilter, sortedBy order: ChronologicalOrder
    ) -> ResultStream<ActivityMetadata> {
        ResultStream { () throws(PersistenceError) in
            try filter.check(operation: "StreamActivityMetadata")
            return try read("StreamActivityMetadata") { all in
                all.values.filter(filter.matches).sorted(.activities(order)) { ($0.occurredAt, $0.activity) }
            }
        }
    }

    /// Counts activities.
    public func count(matching filter: ActivityFilter) async throws(PersistenceError) -> Int {
        try filter.check(operation: "CountActivityMetadata")
        return try read("CountActivityMetadata") { $0.values.count(where: filter.matches) }
    }

    /// Removes the metadata of an activity.
    @discardableResult
    public func delete(_ activity: ActivityID) async throws(PersistenceError) -> Bool {
        try change("DeleteActivityMetadata") { activities, _ in activities.removeValue(forKey: activity) != nil }
    }

    /// Removes the metadata of activities that happened before a point in time.
    @discardableResult
    public func deleteAll(before date: Date) async throws(PersistenceError) -> Int {
        let bounds = TimeBounds(before: date)
        try bounds.check(operation: "DeleteOldActivityMetadata")
        return try change("DeleteOldActivityMetadata") { activities, _ in
            let before = activities.count
            activities = activities.filter { !bounds.contains($0.value.occurredAt) }
            return before - activities.count
        }
    }

    /// Counts what ended on each day, by outcome.
    public func outcomesPerDay(in period: Range<Date>) async throws(PersistenceError) -> [DailyOutcomes] {
        try read("ReportActivityOutcomes") { $0.values.compactMap(\.ended).ended(in: period).perDay() }
    }

    /// Finds how long what ended took.
    public func latency(
        percentiles: [Double], in period: Range<Date>
    ) async throws(PersistenceError) -> LatencyReport {
        try ReportRules.check(percentiles: percentiles, operation: "ReportActivityLatency")
        return try read("ReportActivityLatency") {
            $0.values.compactMap(\.ended).ended(in: period).latency(percentiles)
        }
    }

    /// Counts failures by code.
    public func topErrors(limit: Int, in period: Range<Date>) async throws(PersistenceError) -> [ErrorCount] {
        try ReportRules.check(limit: limit, operation: "ReportActivityErrors")
        return try read("ReportActivityErrors") {
            $0.values.compactMap(\.ended).ended(in: period).topErrors(limit)
        }
    }

    private func read<R: Sendable>(
        _ operation: String, _ body: ([ActivityID: ActivityMetadata]) throws(PersistenceError) -> R
    ) throws(PersistenceError) -> R {
        try database.runDocuments(operation) { documents, _ throws(PersistenceError) in
            try body(documents.jobs[key]?.activities ?? [:])
        }
    }

    private func change<R: Sendable>(
        _ operation: String, _ body: (inout [ActivityID: ActivityMetadata], Date) throws(PersistenceError) -> R
    ) throws(PersistenceError) -> R {
        try database.runDocuments(operation) { documents, now throws(PersistenceError) in
            try body(&documents.jobs[key, default: .init()].activities, now)
        }
    }
}

extension ActivityMetadata {
    /// With a payload as a document store gives it back.
    fileprivate var asStored: ActivityMetadata {
        ActivityMetadata(
            activity: activity, kind: kind, status: status, occurredAt: occurredAt, startedAt: startedAt,
            finishedAt: finishedAt, failure: failure, payload: payload.inMilliseconds)
    }
}
