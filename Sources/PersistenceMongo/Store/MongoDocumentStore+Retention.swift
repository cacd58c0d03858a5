import BSON
import MongoEngine
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

    /// How long the answer of a system outside is kept after it was last asked for.
    ///
    /// These belong to a workspace and not to a job.
    public var integrations: Duration?

    /// Whether collections that have become empty are removed.
    public var dropsEmptyCollections: Bool

    /// Describes how long documents are kept.
    ///
    /// - Parameters:
    ///   - activities: How long the metadata of an activity is kept after it happened; not negative.
    ///   - finishedExecutions: How long an execution is kept after it ended, with its log; not negative.
    ///   - integrations: How long the answer of a system outside is kept after it was last asked for; not negative.
    ///   - dropsEmptyCollections: Whether collections that have become empty are removed. Only for jobs and workspaces that
    ///     nobody writes to: what is written in the moment of the removal goes with the collection.
    public init(
        activities: Duration? = nil, finishedExecutions: Duration? = nil, integrations: Duration? = nil,
        dropsEmptyCollections: Bool = false
    ) {
        self.activities = activities
        self.finishedExecutions = finishedExecutions
        self.integrations = integrations
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
    /// How many answers of systems outside were removed.
    public var integrations = 0
    /// How many collections were removed.
    public var collections = 0

    /// Creates an empty report.
    public init() {}
}

extension MongoDocumentStore {
    /// Removes what has been kept for long enough, of every job of a workspace and of its integration data.
    ///
    /// A collection that came back without its indexes, because another process wrote to it right after it was dropped,
    /// gets them.
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
        try retention.check()
        var report = DocumentRetentionReport()
        let integrations = integrationData(workspace: workspace)
        if let limit = limit(retention.integrations) {
            report.integrations = try await integrations.deleteAll(fetchedBefore: limit)
        }
        if retention.dropsEmptyCollections, try await integrations.documents.count(Document()) == 0,
            try await drop(integrations.documents.name.text)
        {
            report.collections = 1
        } else {
            try await restoreIndexes(of: integrations.documents)
        }
        for job in try await jobs(of: workspace) {
            let part = try await apply(retention, workspace: workspace, job: job)
            report.jobs += part.jobs
            report.activities += part.activities
            report.executions += part.executions
            report.collections += part.collections
        }
        return report
    }

    /// Removes what has been kept for long enough, of one job; integration data are a workspace's and stay.
    ///
    /// As for a workspace, a collection that lacks indexes gets them.
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
        try retention.check()
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
        } else {
            try await restoreIndexes(of: jobDocuments(workspace, job, .activityMetadata))
        }
        return report
    }

    /// Gives a collection the indexes that it lacks.
    private func restoreIndexes(of documents: StoredDocuments) async throws(PersistenceError) {
        let names = Set(try await documents.collection().listIndexes().map(\.name))
        // Without any there is no collection, and none is made.
        guard !names.isEmpty else { return }
        let wanted = documents.indexes.specifications.compactMap { $0["name"]?.string }
        guard !names.isSuperset(of: wanted) else { return }
        try await CollectionSetUp(database: database, name: documents.name.text, indexes: documents.indexes).run()
    }

    /// The date before which things are removed; `nil` when no date is that old.
    private func limit(_ age: Duration?) -> Date? {
        guard let age else { return nil }
        let limit = now() - Double(age.components.seconds) - Double(age.components.attoseconds) * 1e-18
        return limit.isStorable ? limit : nil
    }
}

extension DocumentRetention {
    fileprivate func check() throws(PersistenceError) {
        guard [activities, finishedExecutions, integrations].allSatisfy({ ($0 ?? .zero) >= .zero }) else {
            throw PersistenceError(
                .invalidArgument, "documents are kept for a time that is not negative", operation: "ApplyRetention")
        }
    }
}
