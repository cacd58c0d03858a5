import Foundation
import Persistence
import PersistenceCore
import PersistenceMongo

extension Marketplace {
    /// How many jobs are reported on.
    private static let reportedJobs = 3

    /// Stores what the file tells about jobs, and shows the figures that the database makes of it.
    func storeJobs() async throws {
        guard let file = plan.jobs, let documents else { return }
        Console.step("Store the activities and executions of \(file)")
        var progress = Progress("lines")
        let result = try await JobImport(
            activities: { documents.activityMetadata(workspace: $0.workspace, job: $0.job) },
            executions: { documents.jobExecutions(workspace: $0.workspace, job: $0.job) }
        ).run(file: file) {
            progress.report($0.lines, fraction: $0.fractionRead)
        }
        progress.finish(result.lines)
        Console.line(
            "\(result.activities) activities, \(result.executions) executions and \(result.events) events stored, "
                + "\(result.known) lines known already")
        Console.line("\(result.faults.count) lines skipped")
        Console.list(result.faults.first.map { "line \($0.line): \($0.reason)" }, of: result.faults.count)
        if result.lost.count > 0 {
            Console.line("\(result.lost.count) lines lost")
            Console.list(result.lost.first.map { "line \($0.line): \($0.reason)" }, of: result.lost.count)
            throw PersistenceError(
                .unavailable, "the database did not take \(result.lost.count) lines; run it again", operation: "import")
        }
        try await report(on: result.jobs, in: documents)
    }

    private func report(on jobs: Set<JobKey>, in documents: MongoDocumentStore) async throws {
        let ever = Date.distantPast ..< .distantFuture
        let ordered = jobs.sorted { ($0.workspace, $0.job) < ($1.workspace, $1.job) }
        for key in ordered.prefix(Self.reportedJobs) {
            Console.line("job \(key.job) of workspace \(key.workspace)")
            let activities = documents.activityMetadata(workspace: key.workspace, job: key.job)
            for day in try await activities.outcomesPerDay(in: ever) {
                let counts = ExecutionOutcome.allCases.map { "\(day[$0]) \($0)" }.joined(separator: ", ")
                Console.line("    \(day.day.formatted(.iso8601.year().month().day())): \(counts)")
            }
            let latency = try await activities.latency(percentiles: [50, 95, 99], in: ever)
            let figures = latency.percentiles.sorted { $0.key < $1.key }
                .map { "p\(Int($0.key)) \($0.value.milliseconds)" }.joined(separator: ", ")
            Console.line("    latency of \(latency.count): \(figures)")
            let errors = try await activities.topErrors(limit: 3, in: ever)
            Console.line("    top errors: \(errors.map { "\($0.count) × \($0.code)" }.joined(separator: ", "))")
            let executions = documents.jobExecutions(workspace: key.workspace, job: key.job)
            let latest = try await executions.executions(
                matching: .all, sortedBy: .newestFirst, KeysetPageRequest(limit: 3))
            for execution in latest.items {
                Console.line("    execution \(execution.id): \(execution.state) at attempt \(execution.attempt)")
            }
        }
        if ordered.count > Self.reportedJobs { Console.line("… and \(ordered.count - Self.reportedJobs) more jobs") }
    }
}
