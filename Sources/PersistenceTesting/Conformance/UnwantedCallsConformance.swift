import Persistence
import PersistenceCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Calls that nobody waits for any more: those of a cancelled task, and those after their deadline.
///
/// Every function of the document repositories is called so; each says why it does nothing, and nothing is changed.
enum UnwantedCallsConformance {
    private typealias Call = @Sendable () async throws -> Void

    static let activities = ConformanceCheck<DocumentFixture>(
        "Nothing is done for a cancelled task, or after its deadline, and both are said"
    ) { fixture in
        let metadata = try fixture.activities()
        let kept = ActivityMetadata(payload: ["n": 1])
        try await metadata.insert(kept)
        let period = kept.occurredAt..<(kept.occurredAt + 1)
        let calls: [(String, Call)] = [
            ("recording", { try await metadata.insert(ActivityMetadata()) }),
            ("recording many", { try await metadata.insertManyIfAbsent([ActivityMetadata()]) }),
            (
                "changing",
                { try await metadata.update(kept.activity, with: ActivityMetadataUpdate(payload: ["n": 2])) }
            ),
            ("looking one up", { _ = try await metadata.metadata(of: kept.activity) }),
            ("looking many up", { _ = try await metadata.metadata(of: [kept.activity]) }),
            (
                "listing",
                {
                    _ = try await metadata.metadata(
                        matching: .all, sortedBy: .newestFirst, KeysetPageRequest(limit: 5))
                }
            ),
            ("streaming", { _ = try await metadata.stream(matching: .all, sortedBy: .newestFirst).collect() }),
            ("counting", { _ = try await metadata.count(matching: .all) }),
            ("removing", { try await metadata.delete(kept.activity) }),
            ("removing all", { try await metadata.deleteAll(before: .distantFuture) }),
        ]
        try await expectRefusals(calls + reports(metadata, period))
        let left = try await metadata.stream(matching: .all, sortedBy: .newestFirst).collect()
        try expectEqual(left, [kept], "what is left")
    }

    static let executions = ConformanceCheck<DocumentFixture>(
        "Nothing is done for a cancelled task, or after its deadline, and both are said"
    ) { fixture in
        let jobs = try fixture.executions()
        let worker = try Label("w")
        let finished = try await jobs.create(NewJobExecution())
        try await jobs.advance(finished.id, by: .cancel, expecting: 1)
        try await jobs.create(NewJobExecution())
        let running = try unwrap(try await jobs.startNext(worker: worker), "an execution")
        try await jobs.create(NewJobExecution())
        try await jobs.append(JobEvent(execution: running.id, kind: worker, occurredAt: fixture.time.now))
        fixture.time.advance(by: 60)
        let now = fixture.time.now
        let all = try await jobs.stream(matching: .all, sortedBy: .oldestFirst).collect()
        let calls: [(String, Call)] = [
            ("queueing", { try await jobs.create(NewJobExecution()) }),
            ("looking up", { _ = try await jobs.execution(id: running.id) }),
            ("a step", { try await jobs.advance(running.id, by: .succeed, expecting: 2) }),
            ("starting the next", { _ = try await jobs.startNext(worker: worker) }),
            ("a life sign", { try await jobs.heartbeat(running.id, expecting: 2) }),
            (
                "changing the context",
                { try await jobs.updateContext(of: running.id, setting: ["x": 1], removing: [], expecting: 2) }
            ),
            ("queueing again", { _ = try await jobs.requeueStale(heartbeatBefore: now, limit: 10) }),
            (
                "listing",
                {
                    _ = try await jobs.executions(
                        matching: .all, sortedBy: .newestFirst, KeysetPageRequest(limit: 5))
                }
            ),
            ("streaming", { _ = try await jobs.stream(matching: .all, sortedBy: .newestFirst).collect() }),
            ("counting", { _ = try await jobs.count(matching: .all) }),
            ("removing", { try await jobs.deleteFinished(before: now) }),
            ("appending", { try await jobs.append(JobEvent(execution: running.id, kind: worker)) }),
            (
                "appending many",
                { try await jobs.appendManyIfAbsent([JobEvent(execution: running.id, kind: worker)]) }
            ),
            (
                "listing a log",
                {
                    _ = try await jobs.events(
                        of: running.id, sortedBy: .newestFirst, KeysetPageRequest(limit: 5))
                }
            ),
            (
                "streaming a log",
                { _ = try await jobs.eventStream(of: running.id, sortedBy: .newestFirst).collect() }
            ),
        ]
        try await expectRefusals(calls + reports(jobs, (now - 1)..<now))
        let left = try await jobs.stream(matching: .all, sortedBy: .oldestFirst).collect()
        try expectEqual(left, all, "what is left")
        let log = try await jobs.eventStream(of: running.id, sortedBy: .oldestFirst).collect()
        try expectEqual(log.count, 1, "the length of the log")
    }

    static let integrations = ConformanceCheck<DocumentFixture>(
        "Nothing is done for a cancelled task, or after its deadline, and both are said"
    ) { fixture in
        let data = try fixture.integrations()
        let crm = try IntegrationProvider("crm")
        let (id, other) = (try ExternalID("1"), try ExternalID("2"))
        let kept = IntegrationResponse(provider: crm, externalID: id, raw: [1], fetchedAt: fixture.time.now)
        try await data.upsert(kept)
        let new = IntegrationResponse(provider: crm, externalID: other, raw: [2], fetchedAt: fixture.time.now)
        let changed = IntegrationResponse(
            provider: crm, externalID: id, raw: [3], fetchedAt: fixture.time.now + 1)
        try await expectRefusals([
            ("recording", { try await data.upsert(changed) }),
            ("recording many", { try await data.upsertMany([new, changed]) }),
            ("looking up", { _ = try await data.record(of: crm, id) }),
            ("listing", { _ = try await data.records(of: crm, KeysetPageRequest(limit: 5)) }),
            ("streaming", { _ = try await data.stream(of: crm).collect() }),
            ("counting", { _ = try await data.count(of: crm) }),
            ("removing", { try await data.delete(crm, id) }),
            ("removing all", { try await data.deleteAll(of: crm, fetchedBefore: .distantFuture) }),
        ])
        let left = try await data.stream(of: crm).collect()
        try expectEqual(left.map(\.response), [kept], "what is left")
        try expectEqual(left.map(\.revision), [1], "its revision")
    }

    private static func reports(
        _ reports: any ExecutionReports & Sendable, _ period: Range<Date>
    ) -> [(String, Call)] {
        [
            ("counting by day", { _ = try await reports.outcomesPerDay(in: period) }),
            ("ranking durations", { _ = try await reports.latency(percentiles: [50], in: period) }),
            ("ranking failures", { _ = try await reports.topErrors(limit: 5, in: period) }),
        ]
    }

    private static func expectRefusals(_ calls: [(name: String, call: Call)]) async throws {
        for (name, call) in calls {
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                try await call()
            }
            var thrown: (any Error)?
            if case .failure(let error) = await task.result { thrown = error }
            try expectError(thrown, .cancelled, nil, "\(name) in a cancelled task")
            thrown = nil
            do {
                try await withDeadline(.seconds(-1)) { () async throws in try await call() }
            } catch {
                thrown = error
            }
            try expectError(thrown, .timeout, nil, "\(name) after its deadline")
        }
    }
}
