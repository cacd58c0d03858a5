import Persistence
import PersistenceCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What every ``Persistence/JobExecutionRepository`` must do.
public enum JobExecutionRepositoryConformance {
    /// The checks.
    public static let checks: [ConformanceCheck<DocumentFixture>] =
        states + heartbeats + contexts + lists + logs + others + [UnwantedCallsConformance.executions]

    private static let states: [ConformanceCheck<DocumentFixture>] = [
        ConformanceCheck("An execution is queued once, with its context") { fixture in
            let jobs = try fixture.executions()
            let new = NewJobExecution(context: SamplePayload.everything)
            let queued = try await jobs.create(new)
            try expectEqual(queued.id, new.id, "the identifier")
            try expectEqual(queued.state, .queued, "the state")
            try expectEqual(queued.attempt, 1, "the attempt")
            try expectEqual(queued.version, 1, "the version")
            try expectEqual(queued.context, new.context, "the context")
            try expectEqual(queued.createdAt, fixture.time.now, "the time of creation")
            try expectEqual(try await jobs.execution(id: new.id), queued, "the stored execution")
            try await fixture.expectError(.uniqueViolation, .jobExecutionID, "queueing it again") {
                try await jobs.create(NewJobExecution(id: new.id))
            }
            try expectEqual(try await jobs.execution(id: JobExecutionID()), nil, "no execution")
        },
        ConformanceCheck("An execution starts, fails, waits again, and succeeds") { fixture in
            let jobs = try fixture.executions()
            let start = fixture.time.now
            let worker = try Label("worker/1")
            let queued = try await jobs.create(NewJobExecution(context: ["a": 1]))
            fixture.time.advance(by: 1.5)
            let running = try await jobs.advance(queued.id, by: .start(worker: worker), expecting: 1)
            try expectEqual(running.state, .running, "the state")
            try expectEqual(running.version, 2, "the version")
            try expectEqual(running.worker, worker, "the worker")
            try expectEqual(running.startedAt, start + 1.5, "the start")
            try expectEqual(running.heartbeatAt, start + 1.5, "the life sign")
            fixture.time.advance(by: 2)
            let failure = try ExecutionFailure(code: Label("timeout"), message: "too slow")
            let failed = try await jobs.advance(queued.id, by: .fail(failure), expecting: 2)
            try expectEqual(failed.failure, failure, "the failure")
            try expectEqual(failed.finishedAt, start + 3.5, "the end")
            try expectEqual(failed.duration, .seconds(2), "the duration")
            let again = try await jobs.advance(queued.id, by: .requeue, expecting: 3)
            try expectEqual(again.attempt, 2, "the attempt")
            try expectEqual(again.failure, failure, "the failure of the attempt before")
            try expectEqual(again.startedAt, nil, "the start")
            try expectEqual(again.finishedAt, nil, "the end")
            try await jobs.advance(queued.id, by: .start(worker: worker), expecting: 4)
            let done = try await jobs.advance(queued.id, by: .succeed, expecting: 5)
            try expectEqual(done.state, .succeeded, "the state")
            try expectEqual(done.failure, nil, "the failure of a success")
            try expectEqual(done.version, 6, "the version")
            try expectEqual(done.createdAt, start, "the time of creation")
            try expectEqual(done.context, ["a": 1], "the context")
            try expectEqual(try await jobs.execution(id: queued.id), done, "the stored execution")
        },
        ConformanceCheck("A step begins in its states only, and what is refused changes nothing") { fixture in
            let jobs = try fixture.executions()
            let worker = try Label("w")
            let failure = try ExecutionFailure(code: Label("x"))
            let steps: [JobTransition] = [.start(worker: worker), .succeed, .fail(failure), .cancel, .requeue]
            for way in [[], [0], [0, 1], [0, 2], [3], [0, 3]] {
                var execution = try await jobs.create(NewJobExecution())
                for index in way {
                    execution = try await jobs.advance(
                        execution.id, by: steps[index], expecting: execution.version)
                }
                let here = execution
                for step in steps where !step.sources.contains(here.state) {
                    try await fixture.expectError(.checkViolation, .jobExecutionState, "\(step) from \(here.state)") {
                        try await jobs.advance(here.id, by: step, expecting: here.version)
                    }
                }
                for step in steps {
                    try await fixture.expectError(.staleVersion, nil, "\(step) with an old version") {
                        try await jobs.advance(here.id, by: step, expecting: here.version - 1)
                    }
                }
                try expectEqual(try await jobs.execution(id: here.id), here, "the stored execution")
            }
            try await fixture.expectError(.notFound, nil, "a step of nothing") {
                try await jobs.advance(JobExecutionID(), by: .cancel, expecting: 1)
            }
        },
        ConformanceCheck("Of many who make a step at once, one succeeds") { fixture in
            let jobs = try fixture.executions()
            let queued = try await jobs.create(NewJobExecution())
            let outcomes = await concurrently(12) { index in
                try await jobs.advance(queued.id, by: .start(worker: try Label("w\(index)")), expecting: 1)
            }
            var winners: [JobExecution] = []
            for outcome in outcomes {
                switch outcome {
                case .success(let execution): winners.append(execution)
                case .failure(let error): try expectError(error, .staleVersion, nil, "an attempt")
                }
            }
            try expectEqual(winners.count, 1, "the number of attempts that succeeded")
            try expectEqual(try await jobs.execution(id: queued.id), winners.first, "the stored execution")
        },
        ConformanceCheck("Workers who ask for the next get one each, the longest queued first") { fixture in
            let jobs = try fixture.executions()
            var queued: [JobExecution] = []
            for _ in 0..<10 {
                queued.append(try await jobs.create(NewJobExecution()))
                fixture.time.advance(by: 0.001)
            }
            let first = try await jobs.startNext(worker: Label("first"))
            try expectEqual(first?.id, queued[0].id, "the first")
            try expectEqual(first?.state, .running, "its state")
            try expectEqual(first?.worker?.text, "first", "its worker")
            let outcomes = await concurrently(12) { index in
                try await jobs.startNext(worker: try Label("w\(index)"))
            }
            let started = try outcomes.compactMap { try $0.get() }
            try expectEqual(Set(started.map(\.id)), Set(queued.dropFirst().map(\.id)), "what was started")
            try expectEqual(started.count, 9, "how many were started")
            try expectEqual(try await jobs.startNext(worker: Label("late")), nil, "the next of none")
        },
    ]

    private static let heartbeats: [ConformanceCheck<DocumentFixture>] = [
        ConformanceCheck("A life sign is kept, without another version") { fixture in
            let jobs = try fixture.executions()
            let queued = try await jobs.create(NewJobExecution())
            try await fixture.expectError(.checkViolation, .jobExecutionState, "a life sign of what waits") {
                try await jobs.heartbeat(queued.id, expecting: 1)
            }
            let running = try await jobs.advance(queued.id, by: .start(worker: try Label("w")), expecting: 1)
            fixture.time.advance(by: 30)
            try await jobs.heartbeat(queued.id, expecting: running.version)
            let stored = try await jobs.execution(id: queued.id)
            try expectEqual(stored?.heartbeatAt, fixture.time.now, "the life sign")
            try expectEqual(stored?.version, running.version, "the version")
            try await fixture.expectError(.staleVersion, nil, "a life sign of another version") {
                try await jobs.heartbeat(queued.id, expecting: 1)
            }
            try await fixture.expectError(.notFound, nil, "a life sign of nothing") {
                try await jobs.heartbeat(JobExecutionID(), expecting: 1)
            }
        },
        ConformanceCheck("Executions without life signs are found and queued again, once") { fixture in
            let jobs = try fixture.executions()
            let worker = try Label("w")
            var running: [JobExecution] = []
            for _ in 0..<6 {
                try await jobs.create(NewJobExecution())
                running.append(try unwrap(try await jobs.startNext(worker: worker), "an execution"))
            }
            let waiting = try await jobs.create(NewJobExecution())
            fixture.time.advance(by: 60)
            try await jobs.heartbeat(running[0].id, expecting: 2)
            let limit = fixture.time.now - 30
            try expectEqual(
                try await jobs.count(matching: .stale(heartbeatBefore: limit)), 5, "how many give no life sign")
            let outcomes = await concurrently(4) { _ in
                try await jobs.requeueStale(heartbeatBefore: limit, limit: 2)
            }
            var requeued = try outcomes.flatMap { try $0.get() }
            requeued += try await jobs.requeueStale(heartbeatBefore: limit, limit: 10)
            try expectEqual(Set(requeued.map(\.id)), Set(running[1...].map(\.id)), "what was queued again")
            try expectEqual(requeued.count, 5, "how many were queued again")
            for execution in requeued {
                try expectEqual(execution.state, .queued, "the state")
                try expectEqual(execution.attempt, 2, "the attempt")
            }
            try expectEqual(try await jobs.execution(id: running[0].id)?.state, .running, "who lives runs on")
            try expectEqual(try await jobs.execution(id: waiting.id), waiting, "what waits, waits on")
            try await fixture.expectError(.staleVersion, nil, "a life sign of a worker that was given up") {
                try await jobs.heartbeat(running[1].id, expecting: 2)
            }
            try await fixture.expectError(.staleVersion, nil, "the end of a worker that was given up") {
                try await jobs.advance(running[1].id, by: .succeed, expecting: 2)
            }
            for count in [0, -1, Batch.maximumCount + 1] {
                try await fixture.expectError(.invalidArgument, nil, "queueing \(count) again") {
                    _ = try await jobs.requeueStale(heartbeatBefore: limit, limit: count)
                }
            }
        },
    ]

    private static let contexts: [ConformanceCheck<DocumentFixture>] = [
        ConformanceCheck("The context changes field by field, for the version that has it") { fixture in
            let jobs = try fixture.executions()
            let queued = try await jobs.create(NewJobExecution(context: ["a": 1, "b.c": 2, "d": ["e": 3]]))
            let changed = try await jobs.updateContext(
                of: queued.id, setting: ["d": ["f": 4], "g": SamplePayload.everything["list"] ?? nil],
                removing: ["a", "none"], expecting: 1)
            try expectEqual(
                changed.context, ["b.c": 2, "d": ["f": 4], "g": SamplePayload.everything["list"] ?? nil],
                "the context")
            try expectEqual(changed.version, 1, "the version")
            try expectEqual(try await jobs.execution(id: queued.id), changed, "the stored execution")
            try await fixture.expectError(.staleVersion, nil, "another version") {
                try await jobs.updateContext(of: queued.id, setting: ["x": 1], removing: [], expecting: 2)
            }
            try await fixture.expectError(.notFound, nil, "no execution") {
                try await jobs.updateContext(of: JobExecutionID(), setting: ["x": 1], removing: [], expecting: 1)
            }
            try await fixture.expectError(.invalidData, nil, "an operator") {
                try await jobs.updateContext(of: queued.id, setting: ["$set": 1], removing: [], expecting: 1)
            }
            try await fixture.expectError(.invalidData, nil, "an operator in a new execution") {
                try await jobs.create(NewJobExecution(context: ["$set": 1]))
            }
            try expectEqual(try await jobs.execution(id: queued.id), changed, "the stored execution")
        },
        ConformanceCheck("What no store can keep is refused, and nothing of it is kept") { fixture in
            let jobs = try fixture.executions()
            let kind = try Label("k")
            let never = Date(timeIntervalSince1970: .nan)
            let kept = try await jobs.create(NewJobExecution(context: ["a": 1]))
            let huge: Payload = ["x": .text(String(repeating: "x", count: Payload.maximumSize))]
            let payloads: [(Payload, PersistenceError.Code)] = [
                (huge, .tooLarge), (SamplePayload.nested(Payload.maximumDepth + 1), .invalidData),
                (["a\u{0}b": 1], .invalidData), (["x": .double(.nan)], .invalidData),
                (["x": .date(never)], .invalidData),
            ]
            for (index, (payload, code)) in payloads.enumerated() {
                try await fixture.expectError(code, nil, "queueing payload \(index)") {
                    try await jobs.create(NewJobExecution(context: payload))
                }
                try await fixture.expectError(code, nil, "adding payload \(index)") {
                    try await jobs.updateContext(of: kept.id, setting: payload, removing: [], expecting: 1)
                }
                let event = JobEvent(execution: kept.id, kind: kind, payload: payload)
                try await fixture.expectError(code, nil, "appending payload \(index)") { try await jobs.append(event) }
                try await fixture.expectError(code, nil, "appending payload \(index) with others") {
                    try await jobs.appendManyIfAbsent([JobEvent(execution: kept.id, kind: kind), event])
                }
            }
            // Two halves that are too much together.
            let half: Payload = ["h": .text(String(repeating: "x", count: Payload.maximumSize - 100))]
            let large = try await jobs.create(NewJobExecution(context: half))
            try await fixture.expectError(.tooLarge, nil, "adding the other half") {
                try await jobs.updateContext(
                    of: large.id, setting: ["i": .text(String(repeating: "y", count: 200))], removing: [], expecting: 1)
            }
            for event in [
                JobEvent(execution: kept.id, kind: kind, occurredAt: never),
                JobEvent(execution: kept.id, kind: kind, expiresAt: Date(timeIntervalSince1970: .infinity)),
            ] {
                try await fixture.expectError(.invalidData, nil, "an event at no time") { try await jobs.append(event) }
            }
            try await fixture.expectError(.invalidArgument, nil, "removing what ended before no time") {
                try await jobs.deleteFinished(before: never)
            }
            try await fixture.expectError(.invalidArgument, nil, "queueing again before no time") {
                _ = try await jobs.requeueStale(heartbeatBefore: never, limit: 1)
            }
            try await fixture.expectError(.invalidArgument, nil, "counting from no time on") {
                _ = try await jobs.count(matching: .created(from: never))
            }
            try expectEqual(try await jobs.appendManyIfAbsent([]), [], "what was appended of nothing")
            let left = try await jobs.stream(matching: .all, sortedBy: .oldestFirst).collect()
            try expectEqual(Set(left.map(\.id)), [kept.id, large.id], "what was kept")
            try expectEqual(try await jobs.execution(id: kept.id), kept, "the execution")
            let log = try await jobs.eventStream(of: kept.id, sortedBy: .oldestFirst).collect()
            try expectEqual(log, [], "the log")
        },
        ConformanceCheck("Changes of the context and life signs at once are all there") { fixture in
            let jobs = try fixture.executions()
            try await jobs.create(NewJobExecution())
            let running = try unwrap(try await jobs.startNext(worker: Label("w")), "an execution")
            fixture.time.advance(by: 1)
            let outcomes = await concurrently(12) { index in
                if index.isMultiple(of: 3) {
                    try await jobs.heartbeat(running.id, expecting: 2)
                } else {
                    try await jobs.updateContext(
                        of: running.id, setting: ["f\(index)": 1], removing: [], expecting: 2)
                }
            }
            for outcome in outcomes { try outcome.get() }
            let stored = try unwrap(try await jobs.execution(id: running.id), "the execution")
            try expectEqual(stored.context.fields.count, 8, "the number of fields")
            try expectEqual(stored.heartbeatAt, fixture.time.now, "the life sign")
        },
    ]

    private static let lists: [ConformanceCheck<DocumentFixture>] = [
        ConformanceCheck("Executions are listed by filter, page by page, and streamed") { fixture in
            let jobs = try fixture.executions()
            let start = fixture.time.now
            var all: [JobExecution] = []
            for index in 0..<6 {
                var execution = try await jobs.create(NewJobExecution())
                if index > 1 {
                    execution = try await jobs.advance(
                        execution.id, by: .start(worker: try Label("w\(index % 2)")), expecting: 1)
                }
                if index > 3 {
                    let code = try Label(index == 4 ? "timeout" : "quota")
                    execution = try await jobs.advance(
                        execution.id, by: .fail(ExecutionFailure(code: code)), expecting: 2)
                }
                all.append(execution)
                fixture.time.advance(by: 1)
            }
            let cases: [(JobExecutionFilter, [Int])] = [
                (.all, [0, 1, 2, 3, 4, 5]), (.state(.queued), [0, 1]), (.status(.failed, .queued), [0, 1, 4, 5]),
                (.state(), []), (.worker(try Label("w0")), [2, 4]), (.failure(try Label("quota")), [5]),
                (.worker(try Label("w0")).and(.state(.running)), [2]), (.created(from: start + 3), [3, 4, 5]),
                (.created(from: start + 1).and(.created(before: start + 3)), [1, 2]),
                (.stale(heartbeatBefore: start + 3), [2]),
                (.state(.failed).and(.stale(heartbeatBefore: start + 30)), []),
            ]
            for (index, (filter, expected)) in cases.enumerated() {
                let found = try await jobs.stream(matching: filter, sortedBy: .oldestFirst).collect()
                try expectEqual(found, expected.map { all[$0] }, "what filter \(index) finds")
                try expectEqual(
                    try await jobs.count(matching: filter), expected.count, "the count of filter \(index)")
            }
            let first = try await jobs.executions(
                matching: .all, sortedBy: .newestFirst, KeysetPageRequest(limit: 4))
            try expectEqual(first.items, Array(all.reversed()[0..<4]), "the first page")
            let second = try await jobs.executions(
                matching: .all, sortedBy: .newestFirst,
                KeysetPageRequest(limit: 4, cursor: unwrap(first.next, "the cursor of the second page")))
            try expectEqual(second.items, Array(all.reversed()[4...]), "the second page")
            try expect(second.next == nil, "no third page follows")
            let back = try await jobs.executions(
                matching: .all, sortedBy: .newestFirst,
                KeysetPageRequest(limit: 4, cursor: unwrap(second.previous, "the cursor back")))
            try expectEqual(back.items, first.items, "the first page from behind")
            try await fixture.expectError(.invalidArgument, nil, "a cursor of another order") {
                _ = try await jobs.executions(
                    matching: .all, sortedBy: .oldestFirst, KeysetPageRequest(limit: 4, cursor: first.next))
            }
        }
    ]

    private static let logs: [ConformanceCheck<DocumentFixture>] = [
        ConformanceCheck("Events are appended once and read in order, execution by execution") { fixture in
            let jobs = try fixture.executions()
            let (execution, other) = (JobExecutionID(), JobExecutionID())
            let now = fixture.time.now
            let kind = try Label("step.done")
            let events = (0..<250).map { index in
                JobEvent(
                    execution: execution, kind: kind, occurredAt: now + Double(index / 3),
                    payload: index == 0 ? SamplePayload.everything : ["n": .integer(Int64(index))])
            }
            try await jobs.append(events[0])
            try await fixture.expectError(.uniqueViolation, .jobEventID, "appending it again") {
                try await jobs.append(events[0])
            }
            let foreign = JobEvent(execution: other, kind: kind, occurredAt: now)
            let appended = try await jobs.appendManyIfAbsent(events.shuffled() + [foreign])
            try expectEqual(
                Set(appended), Set(events.dropFirst().map(\.id) + [foreign.id]), "what was appended")
            try expectEqual(try await jobs.appendManyIfAbsent(events), [], "what was appended again")
            let log = try await jobs.eventStream(of: execution, sortedBy: .oldestFirst).collect()
            try expectEqual(log, events, "the log")
            let first = try await jobs.events(
                of: execution, sortedBy: .newestFirst, KeysetPageRequest(limit: 200))
            try expectEqual(first.items, Array(events.reversed()[0..<200]), "the newest page")
            let second = try await jobs.events(
                of: execution, sortedBy: .newestFirst,
                KeysetPageRequest(limit: 200, cursor: unwrap(first.next, "the cursor of the second page")))
            try expectEqual(second.items, Array(events.reversed()[200...]), "the page after it")
            let others = try await jobs.eventStream(of: other, sortedBy: .newestFirst).collect()
            try expectEqual(others, [foreign], "the other log")
            try await fixture.expectError(.invalidData, nil, "appending an operator") {
                try await jobs.append(JobEvent(execution: execution, kind: kind, payload: ["$x": 1]))
            }
            try await fixture.expectError(.tooLarge, nil, "appending too many") {
                try await jobs.appendManyIfAbsent(Array(repeating: foreign, count: Batch.maximumCount + 1))
            }
        },
        ConformanceCheck("An event is seen until it expires") { fixture in
            let jobs = try fixture.executions()
            let execution = JobExecutionID()
            let now = fixture.time.now
            let kind = try Label("k")
            let events = [60.0, 7200, nil].map { life in
                JobEvent(execution: execution, kind: kind, occurredAt: now, expiresAt: life.map { now + 3600 + $0 })
            }
            try await jobs.appendManyIfAbsent(events)
            func log() async throws -> [JobEventID] {
                let page = try await jobs.events(
                    of: execution, sortedBy: .oldestFirst, KeysetPageRequest(limit: 10))
                let streamed = try await jobs.eventStream(of: execution, sortedBy: .oldestFirst).collect()
                try expectEqual(streamed, page.items, "the stream of the log")
                return page.items.map(\.id)
            }
            try expectEqual(try await log(), events.map(\.id), "the log")
            fixture.time.advance(by: 3659)
            try expectEqual(try await log(), events.map(\.id), "the log a second before")
            fixture.time.advance(by: 1)
            try expectEqual(try await log(), events[1...].map(\.id), "the log at that moment")
        },
    ]

    private static let others: [ConformanceCheck<DocumentFixture>] = [
        ConformanceCheck("What has ended is removed with its log") { fixture in
            let jobs = try fixture.executions()
            let worker = try Label("w")
            var ended: [JobExecution] = []
            for _ in 0..<3 {
                let queued = try await jobs.create(NewJobExecution())
                try await jobs.advance(queued.id, by: .start(worker: worker), expecting: 1)
                ended.append(try await jobs.advance(queued.id, by: .succeed, expecting: 2))
                try await jobs.append(JobEvent(execution: queued.id, kind: worker))
                fixture.time.advance(by: 10)
            }
            let running = try await jobs.create(NewJobExecution())
            try await jobs.append(JobEvent(execution: running.id, kind: worker))
            let limit = try unwrap(ended[2].finishedAt, "the end")
            try expectEqual(try await jobs.deleteFinished(before: limit), 2, "how many were removed")
            let rest = try await jobs.stream(matching: .all, sortedBy: .oldestFirst).collect()
            try expectEqual(rest, [ended[2], running], "what is left")
            for (index, id) in [ended[0].id, ended[1].id, ended[2].id, running.id].enumerated() {
                let log = try await jobs.eventStream(of: id, sortedBy: .oldestFirst).collect()
                try expectEqual(log.count, index < 2 ? 0 : 1, "the length of log \(index)")
            }
        },
        ConformanceCheck("Reports count by day, rank durations and failures") { fixture in
            let jobs = try fixture.executions()
            try await ReportSamples.check { ended in
                // Times come from the store's clock, so the clock is put where each step happens.
                let worker = try Label("w")
                for end in ended {
                    let queued = try await jobs.create(NewJobExecution())
                    fixture.time.advance(by: end.at.timeIntervalSince(fixture.time.now) - end.seconds)
                    try await jobs.advance(queued.id, by: .start(worker: worker), expecting: 1)
                    fixture.time.advance(by: end.seconds)
                    let step: JobTransition =
                        switch end.status {
                        case .succeeded: .succeed
                        case .cancelled: .cancel
                        default: .fail(try unwrap(end.failure, "the failure"))
                        }
                    try await jobs.advance(queued.id, by: step, expecting: 2)
                }
                return jobs
            }
        },
        ConformanceCheck("What belongs to one job of one workspace is seen and changed there alone") { fixture in
            let (workspace, job) = (WorkspaceID(), JobID())
            let own = try fixture.executions(workspace: workspace, job: job)
            let queued = try await own.create(NewJobExecution())
            try await own.append(JobEvent(execution: queued.id, kind: Label("k")))
            let activities = try fixture.activities(workspace: workspace, job: job)
            try expectEqual(try await activities.count(matching: .all), 0, "the number of the job's activities")
            for other in [
                try fixture.executions(workspace: workspace), try fixture.executions(job: job),
                try fixture.executions(
                    workspace: WorkspaceID(rawValue: job.rawValue), job: JobID(rawValue: workspace.rawValue)),
            ] {
                try expectEqual(try await other.execution(id: queued.id), nil, "the execution elsewhere")
                try expectEqual(try await other.count(matching: .all), 0, "the count elsewhere")
                try expectEqual(try await other.startNext(worker: Label("w")), nil, "the next elsewhere")
                let log = try await other.eventStream(of: queued.id, sortedBy: .oldestFirst).collect()
                try expectEqual(log, [], "the log elsewhere")
                try await fixture.expectError(.notFound, nil, "a step elsewhere") {
                    try await other.advance(queued.id, by: .cancel, expecting: 1)
                }
            }
            try expectEqual(try await own.execution(id: queued.id), queued, "the execution")
        },
    ]
}
