import BSON
import MongoEngine
public import Persistence
public import PersistenceCore

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// The executions of one job and their logs, in the collection `{workspaceID}/{jobID}`.
///
/// Get it from ``MongoDocumentStore/jobExecutions(workspace:job:)``. Times are those of the client's clock.
public struct MongoJobExecutionRepository: JobExecutionRepository {
    let executionDocuments: StoredDocuments
    let eventDocuments: StoredDocuments

    init(executions: StoredDocuments, events: StoredDocuments) {
        executionDocuments = executions
        eventDocuments = events
    }

    private var now: Date { executionDocuments.store.now().inMilliseconds }

    // MARK: Executions

    /// Queues an execution.
    @discardableResult
    public func create(_ execution: NewJobExecution) async throws(PersistenceError) -> JobExecution {
        try execution.context.check(operation: "CreateJobExecution")
        let queued = execution.queued(at: now).with(context: execution.context.inMilliseconds)
        let isNew = try await executionDocuments.named("CreateJobExecution") { () async throws(PersistenceError) in
            try await executionDocuments.insert(queued.document)
        }
        guard isNew else { throw PersistenceError(.jobExecutionID, operation: "CreateJobExecution") }
        return queued
    }

    /// Looks an execution up.
    public func execution(id: JobExecutionID) async throws(PersistenceError) -> JobExecution? {
        try await executionDocuments.named("GetJobExecution") { () async throws(PersistenceError) in
            try await find(id)
        }
    }

    /// Takes an execution from state to state.
    @discardableResult
    public func advance(
        _ id: JobExecutionID, by transition: JobTransition, expecting version: Int64
    ) async throws(PersistenceError) -> JobExecution {
        try await executionDocuments.named("AdvanceJobExecution") { () async throws(PersistenceError) in
            try await change(id, expecting: version) { execution throws(PersistenceError) in
                try execution.advanced(by: transition, at: now)
            }
        }
    }

    /// Starts the execution that has been queued the longest.
    public func startNext(worker: Label) async throws(PersistenceError) -> JobExecution? {
        try await executionDocuments.named("StartNextJobExecution") { () async throws(PersistenceError) in
            var filter = ListFilter(.execution)
            filter.add(["status": .string(JobExecutionState.queued.rawValue)])
            let sort = MongoSort.ascending("at").ascending("_id")
            // Whoever finds that others have taken what it saw looks again.
            var width = 1
            while true {
                let waiting = try await executionDocuments.find(filter.document, sort: sort, limit: width)
                guard !waiting.isEmpty else { return nil }
                for document in waiting.shuffledBeyondFirst() {
                    let queued = try JobExecution(try executionDocuments.fields(document))
                    let started = try queued.advanced(by: .start(worker: worker), at: now)
                    if try await replace(document, with: started) { return started }
                }
                try Self.checkCancellation()
                width = min(width * 4, 64)
            }
        }
    }

    /// Records that the worker of a running execution is alive.
    public func heartbeat(_ id: JobExecutionID, expecting version: Int64) async throws(PersistenceError) {
        try await executionDocuments.named("RecordJobHeartbeat") { () async throws(PersistenceError) in
            let moment = now
            // One round trip, and without sending the context, for what is as it should be.
            let filter: Document = [
                "_id": StoredKind.execution.keyValue(id), "version": .int64(version), "v": executionDocuments.version,
                "status": .string(JobExecutionState.running.rawValue),
            ]
            let sign = MongoUpdate(trusted: [
                "$max": ["heartbeatAt": BSONValue(millisecondsOf: moment)], "$inc": ["rev": .int64(1)],
            ])
            let result = try await executionDocuments.collection().updateOne(MongoFilter(trusted: filter), sign)
            if result.matchedCount > 0 { return }
            _ = try await change(id, expecting: version) { execution throws(PersistenceError) in
                guard execution.state == .running else { throw PersistenceError(.jobExecutionState) }
                return execution.with(heartbeatAt: max(moment, execution.heartbeatAt ?? moment))
            }
        }
    }

    /// Changes the runtime context.
    @discardableResult
    public func updateContext(
        of id: JobExecutionID, setting fields: Payload, removing names: [String], expecting version: Int64
    ) async throws(PersistenceError) -> JobExecution {
        try await executionDocuments.named("UpdateJobContext") { () async throws(PersistenceError) in
            try await change(id, expecting: version) { execution throws(PersistenceError) in
                let context = execution.context.removing(names).merging(fields)
                try context.check()
                return execution.with(context: context.inMilliseconds)
            }
        }
    }

    /// Queues executions again whose workers have given no life sign since a point in time.
    public func requeueStale(
        heartbeatBefore date: Date, limit: Int
    ) async throws(PersistenceError) -> [JobExecution] {
        let stale = JobExecutionFilter.stale(heartbeatBefore: date)
        try stale.check(operation: "RequeueStaleJobExecutions")
        try JobRules.check(limit: limit, operation: "RequeueStaleJobExecutions")
        return try await executionDocuments.named("RequeueStaleJobExecutions") { () async throws(PersistenceError) in
            let found = try await executionDocuments.find(
                ListFilter(stale).document, sort: .ascending("heartbeatAt").ascending("_id"), limit: limit)
            var requeued: [JobExecution] = []
            for document in found {
                let execution = try JobExecution(try executionDocuments.fields(document))
                let next = try execution.advanced(by: .requeue, at: now)
                // A life sign raises the revision, so that a worker that gives one keeps its execution.
                if try await replace(document, with: next) { requeued.append(next) }
            }
            return requeued
        }
    }

    /// Lists executions page by page, at the same cost for every page.
    public func executions(
        matching filter: JobExecutionFilter, sortedBy order: ChronologicalOrder, _ request: KeysetPageRequest
    ) async throws(PersistenceError) -> KeysetPage<JobExecution> {
        try filter.check(operation: "ListJobExecutions")
        return try await executionDocuments.named("ListJobExecutions") { () async throws(PersistenceError) in
            try await TimedQuery(listing: .executions(order), kind: .execution).page(
                request, in: executionDocuments, ListFilter(filter), by: { ($0.createdAt, $0.id) },
                decode: { (fields) throws(PersistenceError) in try JobExecution(fields) })
        }
    }

    /// Goes through executions in bounded memory.
    public func stream(
        matching filter: JobExecutionFilter, sortedBy order: ChronologicalOrder
    ) -> ResultStream<JobExecution> {
        executionDocuments.stream(
            "StreamJobExecutions", sort: TimedQuery(listing: .executions(order), kind: .execution).sort(),
            filter: { () throws(PersistenceError) in
                try filter.check(operation: "StreamJobExecutions")
                return ListFilter(filter).document
            }, decode: { (fields) throws(PersistenceError) in try JobExecution(fields) })
    }

    /// Counts executions.
    public func count(matching filter: JobExecutionFilter) async throws(PersistenceError) -> Int {
        try filter.check(operation: "CountJobExecutions")
        return try await executionDocuments.named("CountJobExecutions") { () async throws(PersistenceError) in
            try await executionDocuments.count(ListFilter(filter).document)
        }
    }

    private func find(_ id: JobExecutionID) async throws(PersistenceError) -> JobExecution? {
        guard let document = try await executionDocuments.findOne(["_id": StoredKind.execution.keyValue(id)])
        else { return nil }
        return try JobExecution(try executionDocuments.fields(document))
    }

    /// Changes an execution of a version.
    private func change(
        _ id: JobExecutionID, expecting version: Int64,
        _ body: (JobExecution) throws(PersistenceError) -> JobExecution
    ) async throws(PersistenceError) -> JobExecution {
        var result: JobExecution?
        _ = try await executionDocuments.modify(StoredKind.execution.keyValue(id)) { fields throws(PersistenceError) in
            let execution = try JobExecution(fields)
            guard execution.version == version else { throw PersistenceError(.staleVersion) }
            let changed = try body(execution)
            result = changed
            return changed == execution ? nil : changed.document
        }
        guard let result else { throw PersistenceError(.notFound, "there is no such execution") }
        return result
    }

    /// Replaces a document, unless somebody has written it since it was read.
    private func replace(
        _ document: Document, with execution: JobExecution
    ) async throws(PersistenceError) -> Bool {
        try await executionDocuments.replace(document, with: execution.document)
    }

    private static func checkCancellation() throws(PersistenceError) {
        if Task.isCancelled { throw PersistenceError(.cancelled) }
    }
}

extension [Document] {
    /// The first and then the others in any order, so that those who look for work at the same time do not try the same
    /// ones one after the other.
    fileprivate func shuffledBeyondFirst() -> [Document] {
        Array(prefix(1)) + dropFirst().shuffled()
    }
}
