public import Persistence
public import PersistenceCore

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// The executions of one job and their logs in an ``InMemoryDatabase``.
public struct InMemoryJobExecutionRepository: JobExecutionRepository {
    let database: InMemoryDatabase
    let key: InMemoryDocuments.JobKey

    // MARK: Executions

    /// Queues an execution.
    @discardableResult
    public func create(_ execution: NewJobExecution) async throws(PersistenceError) -> JobExecution {
        try execution.context.check(operation: "CreateJobExecution")
        return try change("CreateJobExecution") { job, now throws(PersistenceError) in
            guard job.executions[execution.id] == nil else { throw PersistenceError(.jobExecutionID) }
            let queued = execution.queued(at: now).with(context: execution.context.inMilliseconds)
            job.executions[execution.id] = queued
            return queued
        }
    }

    /// Looks an execution up.
    public func execution(id: JobExecutionID) async throws(PersistenceError) -> JobExecution? {
        try read("GetJobExecution") { job, _ in job.executions[id] }
    }

    /// Takes an execution from state to state.
    @discardableResult
    public func advance(
        _ id: JobExecutionID, by transition: JobTransition, expecting version: Int64
    ) async throws(PersistenceError) -> JobExecution {
        try change("AdvanceJobExecution") { job, now throws(PersistenceError) in
            let next = try job.current(id, version).advanced(by: transition, at: now)
            job.executions[id] = next
            return next
        }
    }

    /// Starts the execution that has been queued the longest.
    public func startNext(worker: Label) async throws(PersistenceError) -> JobExecution? {
        try change("StartNextJobExecution") { job, now throws(PersistenceError) in
            let queued = job.executions.values.filter { $0.state == .queued }
            guard let oldest = queued.min(by: { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }) else { return nil }
            let next = try oldest.advanced(by: .start(worker: worker), at: now)
            job.executions[next.id] = next
            return next
        }
    }

    /// Records that the worker of a running execution is alive.
    public func heartbeat(_ id: JobExecutionID, expecting version: Int64) async throws(PersistenceError) {
        try change("RecordJobHeartbeat") { job, now throws(PersistenceError) in
            let execution = try job.current(id, version)
            guard execution.state == .running else { throw PersistenceError(.jobExecutionState) }
            job.executions[id] = execution.with(heartbeatAt: max(now.inMilliseconds, execution.heartbeatAt ?? now))
        }
    }

    /// Changes the runtime context.
    @discardableResult
    public func updateContext(
        of id: JobExecutionID, setting fields: Payload, removing names: [String], expecting version: Int64
    ) async throws(PersistenceError) -> JobExecution {
        try change("UpdateJobContext") { job, _ throws(PersistenceError) in
            let execution = try job.current(id, version)
            let context = execution.context.removing(names).merging(fields)
            try context.check()
            let changed = execution.with(context: context.inMilliseconds)
            job.executions[id] = changed
            return changed
        }
    }

    /// Queues executions again whose workers have given no life sign since a point in time.
    public func requeueStale(
        heartbeatBefore date: Date, limit: Int
    ) async throws(PersistenceError) -> [JobExecution] {
        let filter = JobExecutionFilter.stale(heartbeatBefore: date)
        try filter.check(operation: "RequeueStaleJobExecutions")
        try JobRules.check(limit: limit, operation: "RequeueStaleJobExecutions")
        return try change("RequeueStaleJobExecutions") { job, now throws(PersistenceError) in
            let stale = job.executions.values.filter(filter.matches)
                .sorted { ($0.heartbeatAt ?? now, $0.id) < ($1.heartbeatAt ?? now, $1.id) }
            var requeued: [JobExecution] = []
            for execution in stale.prefix(limit) {
                let next = try execution.advanced(by: .requeue, at: now)
                job.executions[next.id] = next
                requeued.append(next)
            }
            return requeued
        }
    }

    /// Lists executions page by page.
    public func executions(
        matching filter: JobExecutionFilter, sortedBy order: ChronologicalOrder, _ request: KeysetPageRequest
    ) async throws(PersistenceError) -> KeysetPage<JobExecution> {
        try filter.check(operation: "ListJobExecutions")
        return try read("ListJobExecutions") { job, _ throws(PersistenceError) in
            try job.executions.values.filter(filter.matches)
                .page(.executions(order), request) { ($0.createdAt, $0.id) }
        }
    }

    /// Goes through executions.
    public func stream(
        matching filter: JobExecutionFilter, sortedBy order: ChronologicalOrder
    ) -> ResultStream<JobExecution> {
        ResultStream { () throws(PersistenceError) in
            try filter.check(operation: "StreamJobExecutions")
            return try read("StreamJobExecutions") { job, _ in
                job.executions.values.filter(filter.matches).sorted(.executions(order)) { ($0.createdAt, $0.id) }
            }
        }
    }

    /// Counts executions.
    public func count(matching filter: JobExecutionFilter) async throws(PersistenceError) -> Int {
        try filter.check(operation: "CountJobExecutions")
        return try read("CountJobExecutions") { job, _ in job.executions.values.count(where: filter.matches) }
    }

    /// Removes executions that ended before a point in time, with their logs.
    @discardableResult
    public func deleteFinished(before date: Date) async throws(PersistenceError) -> Int {
        let bounds = TimeBounds(before: date)
        try bounds.check(operation: "DeleteFinishedJobExecutions")
        return try change("DeleteFinishedJobExecutions") { job, _ in
            let old = job.executions.values.filter { $0.finishedAt.map(bounds.contains) ?? false }.map(\.id)
            for id in old { job.executions[id] = nil }
            let removed = Set(old)
            job.events = job.events.filter { !removed.contains($0.value.execution) }
            return old.count
        }
    }

    // MARK: Logs

    /// Appends an event to the log of an execution.
    public func append(_ event: JobEvent) async throws(PersistenceError) {
        try event.check(operation: "AppendJobEvent")
        try change("AppendJobEvent") { job, _ throws(PersistenceError) in
            guard job.events[event.id] == nil else { throw PersistenceError(.jobEventID) }
            job.events[event.id] = event.asStored
        }
    }

    /// Appends those of many events that have not been appended before.
    @discardableResult
    public func appendManyIfAbsent(_ events: [JobEvent]) async throws(PersistenceError) -> [JobEventID] {
        try Batch.check(count: events.count, operation: "AppendJobEvents")
        for event in events { try event.check(operation: "AppendJobEvents") }
        return try change("AppendJobEvents") { job, _ in
            var appended: [JobEventID] = []
            for event in events where job.events[event.id] == nil {
                job.events[event.id] = event.asStored
                appended.append(event.id)
            }
            return appended
        }
    }

    /// Lists the log of an execution page by page.
    public func events(
        of execution: JobExecutionID, sortedBy order: ChronologicalOrder, _ request: KeysetPageRequest
    ) async throws(PersistenceError) -> KeysetPage<JobEvent> {
        try read("ListJobEvents") { job, now throws(PersistenceError) in
            try job.log(of: execution, now: now).page(.events(order), request) { ($0.occurredAt, $0.id) }
        }
    }

    /// Goes through the log of an execution.
    public func eventStream(
        of execution: JobExecutionID, sortedBy order: ChronologicalOrder
    ) -> ResultStream<JobEvent> {
        ResultStream { () throws(PersistenceError) in
            try read("StreamJobEvents") { job, now in
                job.log(of: execution, now: now).sorted(.events(order)) { ($0.occurredAt, $0.id) }
            }
        }
    }

    // MARK: Reports

    /// Counts what ended on each day, by outcome.
    public func outcomesPerDay(in period: Range<Date>) async throws(PersistenceError) -> [DailyOutcomes] {
        try read("ReportJobOutcomes") { job, _ in
            job.executions.values.compactMap(\.ended).ended(in: period).perDay()
        }
    }

    /// Finds how long what ended took.
    public func latency(
        percentiles: [Double], in period: Range<Date>
    ) async throws(PersistenceError) -> LatencyReport {
        try ReportRules.check(percentiles: percentiles, operation: "ReportJobLatency")
        return try read("ReportJobLatency") { job, _ in
            job.executions.values.compactMap(\.ended).ended(in: period).latency(percentiles)
        }
    }

    /// Counts failures by code.
    public func topErrors(limit: Int, in period: Range<Date>) async throws(PersistenceError) -> [ErrorCount] {
        try ReportRules.check(limit: limit, operation: "ReportJobErrors")
        return try read("ReportJobErrors") { job, _ in
            job.executions.values.compactMap(\.ended).ended(in: period).topErrors(limit)
        }
    }

    private func read<R: Sendable>(
        _ operation: String, _ body: (InMemoryDocuments.JobDocuments, Date) throws(PersistenceError) -> R
    ) throws(PersistenceError) -> R {
        try database.runDocuments(operation) { documents, now throws(PersistenceError) in
            try body(documents.jobs[key] ?? .init(), now)
        }
    }

    private func change<R: Sendable>(
        _ operation: String, _ body: (inout InMemoryDocuments.JobDocuments, Date) throws(PersistenceError) -> R
    ) throws(PersistenceError) -> R {
        try database.runDocuments(operation) { documents, now throws(PersistenceError) in
            try body(&documents.jobs[key, default: .init()], now)
        }
    }
}

extension InMemoryDocuments.JobDocuments {
    fileprivate func current(_ id: JobExecutionID, _ version: Int64) throws(PersistenceError) -> JobExecution {
        guard let execution = executions[id] else {
            throw PersistenceError(.notFound, "there is no such execution")
        }
        guard execution.version == version else { throw PersistenceError(.staleVersion) }
        return execution
    }

    fileprivate func log(of execution: JobExecutionID, now: Date) -> [JobEvent] {
        events.values.filter { $0.execution == execution && ($0.expiresAt.map { $0 > now } ?? true) }
    }
}

extension JobEvent {
    /// With a payload as a document store gives it back.
    fileprivate var asStored: JobEvent {
        JobEvent(
            id: id, execution: execution, kind: kind, occurredAt: occurredAt, expiresAt: expiresAt,
            payload: payload.inMilliseconds)
    }
}
