import BSON
import MongoEngine
public import Persistence
public import PersistenceCore

extension MongoDocumentStore {
    // MARK: Listing

    /// Lists the jobs of a workspace that have documents.
    ///
    /// - Parameter workspace: The workspace.
    /// - Returns: The jobs, in the order of their identifiers.
    /// - Throws: `PersistenceError`, as the database does.
    public func jobs(of workspace: WorkspaceID) async throws(PersistenceError) -> [JobID] {
        try await collectionNames(of: workspace).compactMap { CollectionName.parse($0)?.job }.sorted()
    }

    /// Counts the collections of a workspace: one per job, and one for integration data.
    ///
    /// - Parameter workspace: The workspace.
    /// - Returns: How many there are.
    /// - Throws: `PersistenceError`, as the database does.
    public func collectionCount(of workspace: WorkspaceID) async throws(PersistenceError) -> Int {
        try await collectionNames(of: workspace).count
    }

    /// Counts the documents of a job: metadata of activities, executions and events.
    ///
    /// - Parameters:
    ///   - workspace: The workspace.
    ///   - job: The job.
    /// - Returns: How many there are; events that have expired count until the server has removed them.
    /// - Throws: `PersistenceError`, as the database does.
    public func documentCount(workspace: WorkspaceID, job: JobID) async throws(PersistenceError) -> Int {
        let documents = jobDocuments(workspace, job, .activityMetadata)
        return try await documents.named("CountJobDocuments") { () async throws(PersistenceError) in
            try await documents.count([:])
        }
    }

    // MARK: Dropping

    /// Removes all documents of a job, with their collection.
    ///
    /// Whatever is written to the job afterwards makes a new collection. A write in the same moment may come before or
    /// after; another process that has written to the job of late may bring the collection back without indexes, see
    /// ``Configuration/rememberedFor``.
    ///
    /// - Parameters:
    ///   - workspace: The workspace.
    ///   - job: The job.
    /// - Returns: Whether there was a collection.
    /// - Throws: `PersistenceError`, as the database does.
    @discardableResult
    public func drop(workspace: WorkspaceID, job: JobID) async throws(PersistenceError) -> Bool {
        try await drop(CollectionName.job(workspace, job).text)
    }

    /// Removes all documents of a workspace, with their collections, one after the other.
    ///
    /// When it throws, some may have been removed; doing it again removes the rest.
    ///
    /// - Parameter workspace: The workspace.
    /// - Returns: How many collections were removed.
    /// - Throws: `PersistenceError`, as the database does.
    @discardableResult
    public func drop(workspace: WorkspaceID) async throws(PersistenceError) -> Int {
        var count = 0
        for name in try await collectionNames(of: workspace) where try await drop(name) { count += 1 }
        return count
    }

    func drop(_ name: String) async throws(PersistenceError) -> Bool {
        // Before as well, so that a write after this one does not count on indexes that are about to go.
        registry.forget(name)
        defer { registry.forget(name) }
        do throws(PersistenceError) {
            // A server from 7.0 on says nothing else about a collection that is not there.
            return try await database.runCommand(["drop": .string(name)], isWrite: true).contains(key: "ns")
        } catch {
            // 26: NamespaceNotFound, which older servers answer.
            guard error.serverCode == "26" else {
                throw error.with {
                    $0.operation = "DropDocuments"
                    $0.collection = name
                }
            }
            return false
        }
    }

    // MARK: Names

    /// The names of a workspace's collections.
    func collectionNames(of workspace: WorkspaceID) async throws(PersistenceError) -> [String] {
        let prefix = CollectionName.prefix(workspace)
        // The prefix is hexadecimal digits, hyphens and a slash: nothing that a regular expression would read.
        let filter: Document = ["name": .regularExpression(BSONRegularExpression(pattern: "^\(prefix)"))]
        do throws(PersistenceError) {
            let collections = try await database.listCollections(MongoFilter(trusted: filter))
            return collections.map(\.name).filter { $0.hasPrefix(prefix) }.sorted()
        } catch {
            throw error.with { $0.operation = "ListDocumentCollections" }
        }
    }
}
