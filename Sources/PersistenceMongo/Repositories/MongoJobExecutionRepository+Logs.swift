import BSON
import MongoEngine
public import Persistence
public import PersistenceCore

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

extension MongoJobExecutionRepository {
    /// Appends an event to the log of an execution.
    public func append(_ event: JobEvent) async throws(PersistenceError) {
        try event.check(operation: "AppendJobEvent")
        let isNew = try await eventDocuments.named("AppendJobEvent") { () async throws(PersistenceError) in
            try await eventDocuments.insert(event.document)
        }
        guard isNew else { throw PersistenceError(.jobEventID, operation: "AppendJobEvent") }
    }

    /// Appends those of many events that have not been appended before, in one round trip.
    @discardableResult
    public func appendManyIfAbsent(_ events: [JobEvent]) async throws(PersistenceError) -> [JobEventID] {
        try Batch.check(count: events.count, operation: "AppendJobEvents")
        var seen: Set<JobEventID> = []
        var first: [JobEvent] = []
        for event in events {
            try event.check(operation: "AppendJobEvents")
            if seen.insert(event.id).inserted { first.append(event) }
        }
        let new = first
        let present = try await eventDocuments.named("AppendJobEvents") { () async throws(PersistenceError) in
            try await eventDocuments.insertIfAbsent(new.map(\.document))
        }
        return new.indices.filter { !present.contains($0) }.map { new[$0].id }
    }

    /// Lists the log of an execution page by page.
    public func events(
        of execution: JobExecutionID, sortedBy order: ChronologicalOrder, _ request: KeysetPageRequest
    ) async throws(PersistenceError) -> KeysetPage<JobEvent> {
        try await eventDocuments.named("ListJobEvents") { () async throws(PersistenceError) in
            try await TimedQuery(listing: .events(order), kind: .event).page(
                request, in: eventDocuments, Self.log(of: execution, now: eventDocuments.store.now()),
                by: { ($0.occurredAt, $0.id) },
                decode: { (fields) throws(PersistenceError) in try JobEvent(fields) })
        }
    }

    /// Goes through the log of an execution in bounded memory.
    public func eventStream(
        of execution: JobExecutionID, sortedBy order: ChronologicalOrder
    ) -> ResultStream<JobEvent> {
        let store = eventDocuments.store
        return eventDocuments.stream(
            "StreamJobEvents", sort: TimedQuery(listing: .events(order), kind: .event).sort(),
            filter: { () throws(PersistenceError) in Self.log(of: execution, now: store.now()).document },
            decode: { (fields) throws(PersistenceError) in try JobEvent(fields) })
    }

    /// Removes executions that ended before a point in time, with their logs.
    ///
    /// A process that ends in between can leave logs without their executions; nobody sees them, and those that expire are
    /// removed then.
    @discardableResult
    public func deleteFinished(before date: Date) async throws(PersistenceError) -> Int {
        let bounds = TimeBounds(before: date)
        try bounds.check(operation: "DeleteFinishedJobExecutions")
        return try await executionDocuments.named("DeleteFinishedJobExecutions") { () async throws(PersistenceError) in
            var filter = ListFilter(.execution)
            filter.add("endedAt", bounds)
            var removed = 0
            while true {
                let keys = try await executionDocuments.find(
                    filter.document, sort: .ascending("endedAt"), limit: 500, projection: .including("_id")
                ).compactMap { $0["_id"] }
                guard !keys.isEmpty else { return removed }
                // Those that were queued again in the meantime are no longer what the filter says, and stay.
                var batch = filter
                batch.add(["_id": ["$in": .array(BSONArray(keys))]])
                removed += try await executionDocuments.deleteMany(batch.document)
                try await deleteLogs(ofMissing: keys)
            }
        }
    }

    private func deleteLogs(ofMissing keys: [BSONValue]) async throws(PersistenceError) {
        let left = try await executionDocuments.find(
            ["_id": ["$in": .array(BSONArray(keys))]], projection: .including("_id"))
        let kept = Set(left.compactMap { $0["_id"] })
        let prefix = StoredKind.execution.rawValue.utf8.count + 1
        let missing = keys.filter { !kept.contains($0) }.compactMap(\.string).map {
            BSONValue.string(String($0.dropFirst(prefix)))
        }
        var filter = ListFilter(.event)
        filter.add(["execution": ["$in": .array(BSONArray(missing))]])
        _ = try await eventDocuments.deleteMany(filter.document)
    }

    /// The log without what has expired, which the server removes some time later.
    private static func log(of execution: JobExecutionID, now: Date) -> ListFilter {
        var filter = ListFilter(.event)
        filter.add(["execution": .string(execution.description)])
        filter.add([
            "$or": [
                ["expiresAt": ["$exists": false]],
                ["expiresAt": ["$gt": BSONValue(millisecondsOf: now.inMilliseconds)]],
            ]
        ])
        return filter
    }

    // MARK: Reports

    /// Counts what ended on each day, by outcome.
    public func outcomesPerDay(in period: Range<Date>) async throws(PersistenceError) -> [DailyOutcomes] {
        try await executionDocuments.named("ReportJobOutcomes") { () async throws(PersistenceError) in
            try await DocumentReports(documents: executionDocuments, kind: .execution).outcomesPerDay(in: period)
        }
    }

    /// Finds how long what ended took.
    public func latency(
        percentiles: [Double], in period: Range<Date>
    ) async throws(PersistenceError) -> LatencyReport {
        try ReportRules.check(percentiles: percentiles, operation: "ReportJobLatency")
        return try await executionDocuments.named("ReportJobLatency") { () async throws(PersistenceError) in
            try await DocumentReports(documents: executionDocuments, kind: .execution).latency(percentiles, in: period)
        }
    }

    /// Counts failures by code.
    public func topErrors(limit: Int, in period: Range<Date>) async throws(PersistenceError) -> [ErrorCount] {
        try ReportRules.check(limit: limit, operation: "ReportJobErrors")
        return try await executionDocuments.named("ReportJobErrors") { () async throws(PersistenceError) in
            try await DocumentReports(documents: executionDocuments, kind: .execution).topErrors(limit, in: period)
        }
    }
}
