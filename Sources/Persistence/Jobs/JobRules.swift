package import PersistenceCore

/// What every implementation of ``JobExecutionRepository`` refuses.
package enum JobRules {
    package static func check(limit: Int, operation: String) throws(PersistenceError) {
        guard (1...Batch.maximumCount).contains(limit) else {
            throw PersistenceError(
                .invalidArgument, "the limit must be from 1 to \(Batch.maximumCount)", operation: operation)
        }
    }
}

extension TimedListing<JobExecutionID> {
    /// The executions of a job, by when they were queued first.
    package static func executions(_ order: ChronologicalOrder) -> TimedListing {
        TimedListing("job_executions", order)
    }
}

extension TimedListing<JobEventID> {
    /// The log of an execution.
    package static func events(_ order: ChronologicalOrder) -> TimedListing { TimedListing("job_events", order) }
}

extension TimedListing<ActivityID> {
    /// The activities of a job, by when they happened.
    package static func activities(_ order: ChronologicalOrder) -> TimedListing {
        TimedListing("activity_metadata", order)
    }
}
