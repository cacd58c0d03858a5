import BSON
import MongoEngine
public import Persistence
public import PersistenceCore

extension MongoDocumentStore {
    /// Rewrites the documents of a job that have an older shape.
    ///
    /// It may run beside programs that write: a document that somebody else writes in the meantime is theirs, and gets the
    /// newest shape from them or from the next run. A document that cannot be upgraded stays as it is and is counted.
    ///
    /// - Parameters:
    ///   - workspace: The workspace.
    ///   - job: The job.
    /// - Returns: What was done.
    /// - Throws: `PersistenceError`, as the database does.
    @discardableResult
    public func upgradeAll(
        workspace: WorkspaceID, job: JobID
    ) async throws(PersistenceError) -> DocumentUpgradeReport {
        var report = DocumentUpgradeReport()
        let kinds: [(DocumentUpgrades.Kind, StoredKind)] = [
            (.activityMetadata, .activity), (.jobExecution, .execution), (.jobEvent, .event),
        ]
        for (kind, stored) in kinds {
            try await upgradeAll(
                jobDocuments(workspace, job, kind), ["kind": .string(stored.rawValue)], &report)
        }
        return report
    }

    /// Rewrites the integration data of a workspace that has an older shape; see ``upgradeAll(workspace:job:)``.
    ///
    /// - Parameter workspace: The workspace.
    /// - Returns: What was done.
    /// - Throws: `PersistenceError`, as the database does.
    @discardableResult
    public func upgradeIntegrationData(
        workspace: WorkspaceID
    ) async throws(PersistenceError) -> DocumentUpgradeReport {
        var report = DocumentUpgradeReport()
        try await upgradeAll(integrationData(workspace: workspace).documents, [:], &report)
        return report
    }

    private func upgradeAll(
        _ documents: StoredDocuments, _ filter: Document, _ report: inout DocumentUpgradeReport
    ) async throws(PersistenceError) {
        var done = report
        try await documents.named("UpgradeDocuments") { () async throws(PersistenceError) in
            var filter = filter
            // A document without a version has the first.
            filter.append("v", ["$not": ["$gte": documents.version]])
            let found = try documents.collection().find(
                MongoFilter(trusted: filter), sort: .ascending("_id"), options: MongoFindOptions(batchSize: 200))
            var iterator = found.makeAsyncIterator()
            while let document = try await iterator.next() {
                let upgraded: Document
                do throws(PersistenceError) {
                    upgraded = try documents.fields(document).document
                } catch {
                    done.failed += 1
                    if done.failedKeys.count < 100, let key = document["_id"]?.string { done.failedKeys.append(key) }
                    continue
                }
                if try await documents.replace(document, with: upgraded) { done.upgraded += 1 }
            }
        }
        report = done
    }
}
