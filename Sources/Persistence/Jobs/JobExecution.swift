public import PersistenceCore

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// One execution of a job: its state, its runtime context, and the life signs of its worker.
public struct JobExecution: Identifiable, Hashable, Sendable, Codable {
    /// The execution's identifier, made by the client that queued it.
    public let id: JobExecutionID

    /// Where it stands.
    public let state: JobExecutionState

    /// How often it has been queued, from 1.
    public let attempt: Int

    /// Grows by one with every step from state to state, and with nothing else.
    ///
    /// It fences workers off: one that has lost the execution to another has an old version, and is refused.
    public let version: Int64

    /// The worker that has it, or had it last.
    public let worker: Label?

    /// Whatever the worker needs to go on.
    public let context: Payload

    /// When it was queued first.
    public let createdAt: Date

    /// When the last attempt began.
    public let startedAt: Date?

    /// When the worker of the last attempt gave its last life sign.
    public let heartbeatAt: Date?

    /// When it ended.
    public let finishedAt: Date?

    /// Why it failed, also while it waits for the next attempt.
    public let failure: ExecutionFailure?

    /// Creates the value; repositories do.
    ///
    /// - Parameters:
    ///   - id: The execution's identifier.
    ///   - state: Where it stands.
    ///   - attempt: How often it has been queued, from 1.
    ///   - version: The number of the state, from 1.
    ///   - worker: The worker that has it, or had it last.
    ///   - context: Whatever the worker needs to go on.
    ///   - createdAt: When it was queued first.
    ///   - startedAt: When the last attempt began.
    ///   - heartbeatAt: When the worker of the last attempt gave its last life sign.
    ///   - finishedAt: When it ended.
    ///   - failure: Why it failed.
    public init(
        id: JobExecutionID, state: JobExecutionState, attempt: Int, version: Int64, worker: Label?, context: Payload,
        createdAt: Date, startedAt: Date?, heartbeatAt: Date?, finishedAt: Date?, failure: ExecutionFailure?
    ) {
        self.id = id
        self.state = state
        self.attempt = attempt
        self.version = version
        self.worker = worker
        self.context = context
        self.createdAt = createdAt
        self.startedAt = startedAt
        self.heartbeatAt = heartbeatAt
        self.finishedAt = finishedAt
        self.failure = failure
    }

    /// How long the last attempt took; `nil` unless it began and ended.
    public var duration: Duration? {
        guard let startedAt, let finishedAt, startedAt.isStorable, finishedAt.isStorable else { return nil }
        return .milliseconds(finishedAt.milliseconds - startedAt.milliseconds)
    }

    /// The execution after a step.
    ///
    /// - Parameters:
    ///   - transition: The step.
    ///   - date: When it is made, to the millisecond. A clock that is behind the one of the start counts as the start.
    /// - Returns: The execution with the next version.
    /// - Throws: `PersistenceError` with the code `checkViolation` and the constraint
    ///   ``DomainConstraint/jobExecutionState`` when the step does not begin in this state.
    public func advanced(by transition: JobTransition, at date: Date) throws(PersistenceError) -> JobExecution {
        guard transition.sources.contains(state) else { throw PersistenceError(.jobExecutionState) }
        let now = date.inMilliseconds
        var next = Draft(self)
        switch transition.step {
        case .start(let worker):
            next.worker = worker
            next.startedAt = now
            next.heartbeatAt = now
            next.failure = nil
        case .succeed:
            next.finishedAt = max(now, startedAt ?? now)
        case .fail(let failure):
            next.finishedAt = max(now, startedAt ?? now)
            next.failure = failure
        case .cancel:
            next.finishedAt = max(now, startedAt ?? now)
        case .requeue:
            next.attempt += 1
            next.startedAt = nil
            next.heartbeatAt = nil
            next.finishedAt = nil
        }
        return JobExecution(
            id: id, state: transition.target, attempt: next.attempt, version: version + 1, worker: next.worker,
            context: context, createdAt: createdAt, startedAt: next.startedAt, heartbeatAt: next.heartbeatAt,
            finishedAt: next.finishedAt, failure: next.failure)
    }

    private struct Draft {
        var attempt: Int
        var worker: Label?
        var startedAt: Date?
        var heartbeatAt: Date?
        var finishedAt: Date?
        var failure: ExecutionFailure?

        init(_ execution: JobExecution) {
            attempt = execution.attempt
            worker = execution.worker
            startedAt = execution.startedAt
            heartbeatAt = execution.heartbeatAt
            finishedAt = execution.finishedAt
            failure = execution.failure
        }
    }
}

extension JobExecution {
    /// The execution with another context or life sign.
    package func with(context: Payload? = nil, heartbeatAt: Date? = nil) -> JobExecution {
        JobExecution(
            id: id, state: state, attempt: attempt, version: version, worker: worker,
            context: context ?? self.context, createdAt: createdAt, startedAt: startedAt,
            heartbeatAt: heartbeatAt ?? self.heartbeatAt, finishedAt: finishedAt, failure: failure)
    }
}
