import Persistence
import PersistenceCore

/// The names of the collections, made of identifiers alone.
///
/// | Documents | Collection |
/// |---|---|
/// | activity metadata, executions and events of a job | `{workspaceID}/{jobID}` |
/// | integration data of a workspace | `{workspaceID}/integrations` |
///
/// The three kinds of a job share its collection, told apart by the field `kind`: one collection per job costs a third of
/// what three would, and a job is dropped as a whole. A name has 73 bytes, so that it fits the namespace (database, dot,
/// collection) of every server, whatever the database is called: databases have 63 bytes at most, namespaces 255 on
/// MongoDB and 235 on the development endpoint.
struct CollectionName: Hashable, Sendable {
    let text: String

    static func job(_ workspace: WorkspaceID, _ job: JobID) -> CollectionName {
        CollectionName(text: "\(workspace)/\(job)")
    }

    static func integrations(_ workspace: WorkspaceID) -> CollectionName {
        CollectionName(text: "\(workspace)/integrations")
    }

    /// What the names of a workspace's collections begin with.
    static func prefix(_ workspace: WorkspaceID) -> String { "\(workspace)/" }

    /// The workspace and the job of a job's collection; `nil` for every other name.
    static func parse(_ name: String) -> (workspace: WorkspaceID, job: JobID)? {
        let parts = name.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let workspace = WorkspaceID(String(parts[0])), let job = JobID(String(parts[1])),
            name == Self.job(workspace, job).text
        else { return nil }
        return (workspace, job)
    }
}
