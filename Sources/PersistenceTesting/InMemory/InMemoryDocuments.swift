import Persistence
import PersistenceCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The documents of workspaces and jobs.
struct InMemoryDocuments: Sendable {
    /// What belongs to one job of one workspace.
    struct JobKey: Hashable {
        let workspace: WorkspaceID
        let job: JobID
    }

    struct JobDocuments: Sendable {
        var activities: [ActivityID: ActivityMetadata] = [:]
        var executions: [JobExecutionID: JobExecution] = [:]
        var events: [JobEventID: JobEvent] = [:]
    }

    struct IntegrationKey: Hashable {
        let workspace: WorkspaceID
        let provider: IntegrationProvider
        let externalID: ExternalID
    }

    var jobs: [JobKey: JobDocuments] = [:]
    var integrations: [IntegrationKey: IntegrationRecord] = [:]
}
