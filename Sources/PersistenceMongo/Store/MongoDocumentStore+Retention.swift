public import Persistence
public import PersistenceCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// How long documents are kept; `nil` is for ever.
public struct DocumentRetention: Hashable, Sendable {
    /// How long the metadata of an activity is kept after it happened.
    public var activities: Duration?

    /// How long an execution is kept after it ended, with its log.
    public var finishedExecutions: Duration?

    /// Whether collections of jobs that have become empty are removed.
    public var dropsEmptyCollections: Bool

    /// Describes how long documents are kept.
    ///
    /// - Parameters:
    ///   - activities: How long the metadata of an activity is kept after it happened; not negative.
    ///   - finishedExecutions: How long an execution is kept after it ended, with its log; not negative.
    ///   - dropsEmptyCollections: Whether collections of jobs that have become empty are removed. Only for jobs that nobody
    ///     writes to: what is written in the moment of the removal goes with the collection.
    public init(
        activities: Duration? = nil, finishedExecutions: Duration? = nil, dropsEmptyCollections: Bool = false
    ) {
        self.activities = activities
        self.finishedExecutions = finishedExecutions
        self.dropsEmptyCollections = dropsEmptyCollections
    }
}

/// What a retention run has removed.
public struct DocumentRetentionReport: Hashable, Sendable {
    /// How many jobs were looked at.
    public var jobs = 0
    /// How many activities' metadata was removed.
    public var activities = 0
    /// How many executions were removed.
    public var executions = 0
    /// How many collections were removed.
    public var collections = 0

    /// Creates an empty report.
    public init() {}
}

extension MongoDocumentStore {
    /// Removes what has been kept for long enough, of every job of a workspace.
    ///
    /// - Parameters:
    ///   - retention: How long documents are kept.
    ///   - workspace: The workspace.
    /// - Returns: What was removed.
    /// - Throws: `PersistenceError` as the database does, and `invalidArgument` for a negative duration.
    @discardableResult
    public func apply(
        _ retention: DocumentRetention, workspace: WorkspaceID
    ) async throws(PersistenceError) -> DocumentRetentionReport {
        var report = DocumentRetentionReport()
        for job in try await jobs(of: workspace) {
            let part = try await apply(retention, workspace: workspace, job: job)
            report.jobs += part.jobs
            report.activities += part.activities
            report.executions += part.executions
            report.collections += part.collections
        }
        return report
    }

    /// Removes what has been kept for long enough, of one job.
    ///
    /// - Parameters:
    ///   - retention: How long documents are kept.
    ///   - workspace: The workspace.
    ///   - job: The job.
    /// - Returns: What was removed.
    /// - Throws: `PersistenceError` as the database does, and `invalidArgument` for a negative duration.
    @discardableResult
    public func apply(
        _ retention: DocumentRetention, workspace: WorkspaceID, job: JobID
    ) async throws(PersistenceError) -> DocumentRetentionReport {
        guard (retention.activities ?? .zero) >= .zero, (retention.finishedExecutions ?? .zero) >= .zero else {
            throw PersistenceError(
                .invalidArgument, "documents are kept for a time that is not negative", operation: "ApplyRetention")
        }
        var report = DocumentRetentionReport()
        report.jobs = 1
        if let limit = limit(retention.activities) {
            report.activities = try await activityMetadata(workspace: workspace, job: job).deleteAll(before: limit)
        }
        if let limit = limit(retention.finishedExecutions) {
            report.executions = try await jobExecutions(workspace: workspace, job: job).deleteFinished(before: limit)
        }
        if retention.dropsEmptyCollections, try await documentCount(workspace: workspace, job: job) == 0,
            try await drop(workspace: workspace, job: job)
        {
            report.collections = 1
        }
        return report
    }

    private func limit(_ age: Duration?) -> Date? {
        age.map { now() - Double($0.components.seconds) - Double($0.components.attoseconds) * 1e-18 }
    }
}
