public import PersistenceCore

#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif

/// An execution of a job to be queued.
public struct NewJobExecution: Identifiable, Hashable, Sendable {
    /// The identifier that the execution will have.
    ///
    /// Queueing the same value twice is refused, so a client that lost the answer can try again without making a second
    /// execution.
    public let id: JobExecutionID

    /// Whatever the worker will need.
    public let context: Payload

    /// Describes an execution.
    ///
    /// - Parameters:
    ///   - id: The identifier; a new one unless given.
    ///   - context: Whatever the worker will need.
    public init(id: JobExecutionID = JobExecutionID(), context: Payload = [:]) {
        self.id = id
        self.context = context
    }

    /// The execution as it is queued; for implementations of repositories.
    package func queued(at date: Date) -> JobExecution {
        JobExecution(
            id: id, state: .queued, attempt: 1, version: 1, worker: nil, context: context,
            createdAt: date.inMilliseconds, startedAt: nil, heartbeatAt: nil, finishedAt: nil, failure: nil)
    }
}
