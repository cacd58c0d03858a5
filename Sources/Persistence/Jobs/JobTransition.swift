/// A step of an execution from one state to another.
public struct JobTransition: Hashable, Sendable, CustomStringConvertible {
    package enum Step: Hashable, Sendable {
        case start(worker: Label)
        case succeed
        case fail(ExecutionFailure)
        case cancel
        case requeue
    }

    package let step: Step

    private init(_ step: Step) {
        self.step = step
    }

    /// A worker takes a queued execution; its first heartbeat is the start.
    ///
    /// - Parameter worker: The worker's name.
    /// - Returns: The step.
    public static func start(worker: Label) -> JobTransition { JobTransition(.start(worker: worker)) }

    /// A running execution has done what it should.
    public static let succeed = JobTransition(.succeed)

    /// A running execution could not do what it should.
    ///
    /// - Parameter failure: Why.
    /// - Returns: The step.
    public static func fail(_ failure: ExecutionFailure) -> JobTransition { JobTransition(.fail(failure)) }

    /// A queued or running execution is stopped.
    public static let cancel = JobTransition(.cancel)

    /// A running execution whose worker is gone, or a failed one, waits for a worker again: the next attempt.
    public static let requeue = JobTransition(.requeue)

    /// The states that the step may begin in.
    public var sources: Set<JobExecutionState> {
        switch step {
        case .start: [.queued]
        case .succeed, .fail: [.running]
        case .cancel: [.queued, .running]
        case .requeue: [.running, .failed]
        }
    }

    /// The state that the step leads to.
    public var target: JobExecutionState {
        switch step {
        case .start: .running
        case .succeed: .succeeded
        case .fail: .failed
        case .cancel: .cancelled
        case .requeue: .queued
        }
    }

    /// The step's name.
    public var description: String {
        switch step {
        case .start: "start"
        case .succeed: "succeed"
        case .fail: "fail"
        case .cancel: "cancel"
        case .requeue: "requeue"
        }
    }
}
