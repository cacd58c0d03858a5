public import MongoEngine
public import Persistence
import PersistenceCore

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// The documents of workspaces and jobs in a MongoDB database.
///
/// Each job of a workspace has a collection of its own, `{workspaceID}/{jobID}`, for the metadata of its activities, its
/// executions and their logs; the answers of systems outside are in `{workspaceID}/integrations`. A repository is bound to
/// one collection, so that no query can reach another's.
///
/// ```swift
/// let mongo = MongoDocumentStore(database)
/// let metadata = mongo.activityMetadata(workspace: workspace.id, job: job)
/// try await metadata.insert(ActivityMetadata(activity: activity, payload: ["model": "m-1", "tokens": 812]))
/// ```
///
/// A collection comes into being with its indexes when it is first written to. Have one store per database in a process:
/// it remembers which collections are set up.
public final class MongoDocumentStore: Sendable {
    /// How a store behaves.
    public struct Configuration: Sendable {
        /// How many collections it remembers to be set up; one that it has forgotten costs a round trip at the next write.
        public var rememberedCollections: Int

        /// How long it remembers that a collection is set up.
        ///
        /// When another process drops a collection, writes of this one bring it back without indexes for so long.
        public var rememberedFor: Duration

        /// How documents of older shapes become documents of the newest.
        public var upgrades: DocumentUpgrades

        /// Describes how a store behaves.
        ///
        /// - Parameters:
        ///   - rememberedCollections: How many collections it remembers to be set up; less than 1 counts as 1.
        ///   - rememberedFor: How long it remembers that.
        ///   - upgrades: How documents of older shapes become documents of the newest.
        public init(
            rememberedCollections: Int = 4096, rememberedFor: Duration = .seconds(600),
            upgrades: DocumentUpgrades = DocumentUpgrades()
        ) {
            self.rememberedCollections = rememberedCollections
            self.rememberedFor = rememberedFor
            self.upgrades = upgrades
        }
    }

    let database: MongoDatabase
    let upgrades: DocumentUpgrades
    let registry: CollectionRegistry
    let now: @Sendable () -> Date

    /// Creates a store; nothing is sent.
    ///
    /// - Parameters:
    ///   - database: The database.
    ///   - configuration: How the store behaves.
    ///   - now: Tells the time that executions and their life signs get.
    public init(
        _ database: MongoDatabase, configuration: Configuration = Configuration(),
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.database = database
        self.upgrades = configuration.upgrades
        self.registry = CollectionRegistry(
            capacity: configuration.rememberedCollections, lifetime: configuration.rememberedFor)
        self.now = now
    }

    /// How many collections the store remembers to be set up.
    public var rememberedCollectionCount: Int { registry.count }

    /// The metadata of the activities of one job, in the collection `{workspaceID}/{jobID}`.
    ///
    /// - Parameters:
    ///   - workspace: The workspace.
    ///   - job: The job.
    /// - Returns: The repository; nothing is sent.
    public func activityMetadata(workspace: WorkspaceID, job: JobID) -> MongoActivityMetadataRepository {
        MongoActivityMetadataRepository(jobDocuments(workspace, job, .activityMetadata))
    }

    /// The executions of one job and their logs, in the collection `{workspaceID}/{jobID}`.
    ///
    /// - Parameters:
    ///   - workspace: The workspace.
    ///   - job: The job.
    /// - Returns: The repository; nothing is sent.
    public func jobExecutions(workspace: WorkspaceID, job: JobID) -> MongoJobExecutionRepository {
        MongoJobExecutionRepository(
            executions: jobDocuments(workspace, job, .jobExecution), events: jobDocuments(workspace, job, .jobEvent))
    }

    /// What systems outside have answered to a workspace, in the collection `{workspaceID}/integrations`.
    ///
    /// - Parameter workspace: The workspace.
    /// - Returns: The repository; nothing is sent.
    public func integrationData(workspace: WorkspaceID) -> MongoIntegrationDataRepository {
        MongoIntegrationDataRepository(
            StoredDocuments(
                store: self, name: .integrations(workspace), indexes: .integrations, kind: .integrationData))
    }

    func jobDocuments(_ workspace: WorkspaceID, _ job: JobID, _ kind: DocumentUpgrades.Kind) -> StoredDocuments {
        StoredDocuments(store: self, name: .job(workspace, job), indexes: .job, kind: kind)
    }
}

extension MongoDatabase {
    /// The documents of workspaces and jobs in this database.
    ///
    /// Have one store per database in a process: it remembers which collections are set up.
    ///
    /// - Parameter configuration: How the store behaves.
    /// - Returns: A new store; nothing is sent.
    public func documents(
        _ configuration: MongoDocumentStore.Configuration = MongoDocumentStore.Configuration()
    ) -> MongoDocumentStore {
        MongoDocumentStore(self, configuration: configuration)
    }
}
