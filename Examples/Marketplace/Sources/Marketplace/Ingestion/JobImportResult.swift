import Persistence

/// What became of the lines of a file.
struct JobImportResult: Sendable {
    /// A line that was not stored, and why.
    typealias Fault = UserImportResult.Fault

    /// How many lines there were, without the empty ones.
    var lines = 0
    /// How many activities were stored.
    var activities = 0
    /// How many executions were stored.
    var executions = 0
    /// How many events were stored.
    var events = 0
    /// How many lines tell what is stored already.
    var known = 0
    /// The lines that cannot be used.
    var faults = UserImportResult.Sample<Fault>()
    /// The lines that could be used and were not stored, because the database did not take them.
    var lost = UserImportResult.Sample<Fault>()
    /// The jobs that the lines are about.
    var jobs: Set<JobKey> = []
    /// How much of the file has been read, from 0 to 1.
    var fractionRead = 0.0

    /// How many lines are accounted for: in the end, all.
    var accounted: Int { activities + executions + events + known + faults.count + lost.count }
}

/// A job of a workspace.
struct JobKey: Hashable, Sendable {
    let workspace: WorkspaceID
    let job: JobID
}
