import Foundation
import Persistence
import PersistenceCore
import PersistenceTesting
import Testing

@testable import marketplace

@Suite("Storing what a file tells about jobs")
struct JobImportTests {
    private let database = InMemoryDatabase()
    private let key = JobKey(workspace: WorkspaceID(), job: JobID())

    private var jobImport: JobImport {
        JobImport(
            activities: { [database] in database.activityMetadata(workspace: $0.workspace, job: $0.job) },
            executions: { [database] in database.jobExecutions(workspace: $0.workspace, job: $0.job) })
    }

    private func line(_ kind: String, _ rest: String) -> String {
        #"{"kind":"\#(kind)","workspace":"\#(key.workspace)","job":"\#(key.job)",\#(rest)}"#
    }

    @Test("Good lines are stored, bad ones are told with their numbers, and nothing else is lost")
    func mixed() async throws {
        let (activity, execution, event) = (ActivityID(), JobExecutionID(), JobEventID())
        let at = #""occurredAt":"2026-03-01T00:00:00.250Z""#
        let text = [
            line("activity", #""activity":"\#(activity)","status":"succeeded",\#(at),"payload":{"tokens":812}"#),
            "",
            line("execution", #""execution":"\#(execution)","status":"succeeded","worker":"w-1","context":{"a":1}"#),
            line("event", #""event":"\#(event)","execution":"\#(execution)","label":"done",\#(at)"#),
            "{", "[]", "not json", "{}",
            line("workflow", #""x":1"#),
            line("activity", #""activity":"\#(ActivityID())","status":"done",\#(at)"#),
            line("activity", #""activity":"secret","status":"failed",\#(at)"#),
            line("activity", #""activity":"\#(ActivityID())","status":"failed","occurredAt":"yesterday""#),
            line("activity", #""activity":"\#(ActivityID())","status":"failed",\#(at),"payload":{"$where":"secret"}"#),
            line("execution", #""execution":"\#(JobExecutionID())","status":"failed""#),
            line("activity", #""activity":"\#(activity)","status":"failed",\#(at)"#),
        ].joined(separator: "\n")
        let result = try await withFile(Data(text.utf8)) { try await jobImport.run(file: $0) }
        #expect(result.lines == 14)
        #expect(result.accounted == 14)
        #expect(result.activities == 1)
        #expect(result.executions == 1)
        #expect(result.events == 1)
        #expect(result.known == 1)
        #expect(result.faults.first.map(\.line) == [5, 6, 7, 8, 9, 10, 11, 12, 13, 14])
        #expect(!result.faults.first.contains { $0.reason.contains("secret") || $0.reason.contains("yesterday") })
        #expect(result.lost.count == 0)
        #expect(result.jobs == [key])

        let stored = try await jobImport.activities(key).metadata(of: activity)
        #expect(stored?.payload == ["tokens": 812])
        #expect(stored?.occurredAt == Date(timeIntervalSince1970: 1_772_323_200.25))
        let ended = try await jobImport.executions(key).execution(id: execution)
        #expect(ended?.state == .succeeded)
        #expect(ended?.context == ["a": 1])
        let log = try await jobImport.executions(key).eventStream(of: execution, sortedBy: .oldestFirst).collect()
        #expect(log.map(\.id) == [event])
    }

    @Test("A second run stores nothing twice, and goes on with an execution that was left half-way")
    func twice() async throws {
        let executions = database.jobExecutions(workspace: key.workspace, job: key.job)
        let half = try await executions.create(NewJobExecution())
        let lines = (0..<20).map { _ in
            line("activity", #""activity":"\#(ActivityID())","status":"pending","occurredAt":"2026-03-01T00:00:00Z""#)
        }
        let failure = #""failure":{"code":"x"}"#
        let last = line("execution", #""execution":"\#(half.id)","status":"failed",\#(failure)"#)
        let text = (lines + [last]).joined(separator: "\r\n")
        try await withFile(Data(text.utf8)) { path in
            let first = try await jobImport.run(file: path)
            #expect(first.activities == 20)
            #expect(first.executions == 1)
            #expect(try await executions.execution(id: half.id)?.failure?.code.text == "x")
            let second = try await jobImport.run(file: path)
            #expect(second.known == 21)
            #expect(second.activities == 0)
        }
    }

    @Test("Lines that are too long, and bytes that are no text, cost themselves and no other")
    func longLines() async throws {
        let good = line(
            "activity", #""activity":"\#(ActivityID())","status":"pending","occurredAt":"2026-03-01T00:00:00Z""#)
        var data = Data([0xEF, 0xBB, 0xBF])
        data.append(contentsOf: "\(good)\n".utf8)
        data.append(Data(repeating: UInt8(ascii: "x"), count: 3 * JSONLinesReader.maximumLineLength))
        data.append(contentsOf: "\n".utf8)
        data.append(Data([0xFF, 0xFE, 0x0A]))
        data.append(contentsOf: good.utf8)
        let result = try await withFile(data) { try await jobImport.run(file: $0) }
        #expect(result.lines == 4)
        #expect(result.activities == 1)
        #expect(result.known == 1)
        #expect(result.faults.first.map(\.line) == [2, 3])
        #expect(result.fractionRead == 1)
    }

    @Test("An empty file has no lines", arguments: ["", "\n", "\r\n\n", "\u{FEFF}"])
    func empty(text: String) async throws {
        let result = try await withFile(Data(text.utf8)) { try await jobImport.run(file: $0) }
        #expect(result.lines == 0)
    }

    @Test("What the database does not take is counted as lost, with its lines")
    func losses() async throws {
        let lines = (0..<3).map { _ in
            line("activity", #""activity":"\#(ActivityID())","status":"pending","occurredAt":"2026-03-01T00:00:00Z""#)
        }
        let refusing = JobImport(
            activities: { _ in RefusingRepository() }, executions: jobImport.executions)
        let result = try await withFile(Data(lines.joined(separator: "\n").utf8)) {
            try await refusing.run(file: $0)
        }
        #expect(result.lost.count == 3)
        #expect(result.lost.first.map(\.line) == [1, 2, 3])
        #expect(result.accounted == result.lines)
    }

    @Test("The sample has what its script put into it")
    func sample() async throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Data/jobs.jsonl")
        let result = try await jobImport.run(file: path.standardizedFileURL.path())
        #expect(result.faults.count == 6)
        #expect(result.known == 1)
        #expect(result.executions == 240)
        #expect(result.jobs.count == 6)
        #expect(result.accounted == result.lines)
    }
}

/// A repository that refuses to record anything.
private struct RefusingRepository: ActivityMetadataRepository {
    private var refusal: PersistenceError { PersistenceError(.permission) }

    func insert(_ metadata: ActivityMetadata) async throws(PersistenceError) { throw refusal }
    func insertManyIfAbsent(_ metadata: [ActivityMetadata]) async throws(PersistenceError) -> [ActivityID] {
        throw refusal
    }
    func update(
        _ activity: ActivityID, with changes: ActivityMetadataUpdate
    ) async throws(PersistenceError) -> ActivityMetadata { throw refusal }
    func metadata(of activity: ActivityID) async throws(PersistenceError) -> ActivityMetadata? { throw refusal }
    func metadata(of activities: [ActivityID]) async throws(PersistenceError) -> [ActivityID: ActivityMetadata] {
        throw refusal
    }
    func metadata(
        matching filter: ActivityFilter, sortedBy order: ChronologicalOrder, _ request: KeysetPageRequest
    ) async throws(PersistenceError) -> KeysetPage<ActivityMetadata> { throw refusal }
    func stream(
        matching filter: ActivityFilter, sortedBy order: ChronologicalOrder
    ) -> ResultStream<ActivityMetadata> { ResultStream { { () throws(PersistenceError) in throw refusal } } }
    func count(matching filter: ActivityFilter) async throws(PersistenceError) -> Int { throw refusal }
    func delete(_ activity: ActivityID) async throws(PersistenceError) -> Bool { throw refusal }
    func deleteAll(before date: Date) async throws(PersistenceError) -> Int { throw refusal }
    func outcomesPerDay(in period: Range<Date>) async throws(PersistenceError) -> [DailyOutcomes] { throw refusal }
    func latency(percentiles: [Double], in period: Range<Date>) async throws(PersistenceError) -> LatencyReport {
        throw refusal
    }
    func topErrors(limit: Int, in period: Range<Date>) async throws(PersistenceError) -> [ErrorCount] {
        throw refusal
    }
}
