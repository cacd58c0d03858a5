public import Persistence
import PersistenceCore
import Synchronization

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// Tables in memory, for tests of services that should not need a server.
///
/// The repositories of one database see each other's rows and keep the same rules as `Migrations/` and `Queries/` do:
/// order, case-insensitive addresses, versions, soft delete, owners and audit entries. Each call is atomic. There are no
/// transactions: what a service does in several calls and wants undone together is a matter for a test on a real server.
///
/// ```swift
/// let database = InMemoryDatabase()
/// let service = SignUp(users: database.users, workspaces: database.workspaces)
/// ```
public final class InMemoryDatabase: Sendable {
    private let tables = Mutex(InMemoryTables())
    private let documents = Mutex(InMemoryDocuments())
    private let now: @Sendable () -> Date

    /// Creates a database without rows.
    ///
    /// - Parameter now: Tells the time that rows get.
    public init(now: @escaping @Sendable () -> Date = { Date() }) {
        self.now = now
    }

    /// The users.
    public var users: InMemoryUserRepository { InMemoryUserRepository(database: self) }

    /// The workspaces and their members.
    public var workspaces: InMemoryWorkspaceRepository { InMemoryWorkspaceRepository(database: self) }

    /// The audit log.
    public var auditLog: InMemoryAuditLog { InMemoryAuditLog(database: self) }

    /// The metadata of the activities of one job.
    ///
    /// - Parameters:
    ///   - workspace: The workspace.
    ///   - job: The job.
    /// - Returns: The repository.
    public func activityMetadata(workspace: WorkspaceID, job: JobID) -> InMemoryActivityMetadataRepository {
        InMemoryActivityMetadataRepository(database: self, key: .init(workspace: workspace, job: job))
    }

    /// The executions of one job and their logs.
    ///
    /// - Parameters:
    ///   - workspace: The workspace.
    ///   - job: The job.
    /// - Returns: The repository.
    public func jobExecutions(workspace: WorkspaceID, job: JobID) -> InMemoryJobExecutionRepository {
        InMemoryJobExecutionRepository(database: self, key: .init(workspace: workspace, job: job))
    }

    /// What systems outside have answered to a workspace.
    ///
    /// - Parameter workspace: The workspace.
    /// - Returns: The repository.
    public func integrationData(workspace: WorkspaceID) -> InMemoryIntegrationDataRepository {
        InMemoryIntegrationDataRepository(database: self, workspace: workspace)
    }

    /// A server would not have done it, either.
    private static func check(_ operation: String) throws(PersistenceError) {
        guard !Task.isCancelled else { throw PersistenceError(.cancelled, operation: operation) }
        try Deadline.current?.check(.statement, operation: operation)
    }

    /// Runs one operation on documents: all of its changes are kept, or none when it throws.
    func runDocuments<R: Sendable>(
        _ operation: String,
        _ body: (inout InMemoryDocuments, _ now: Date) throws(PersistenceError) -> R
    ) throws(PersistenceError) -> R {
        try Self.check(operation)
        let now = now().inMilliseconds
        do throws(PersistenceError) {
            // Each operation checks first and changes then, so that there is nothing to take back.
            return try documents.withLock { documents throws(PersistenceError) in try body(&documents, now) }
        } catch {
            throw error.with { $0.operation = operation }
        }
    }

    /// Runs one operation: all of its changes are kept, or none when it throws.
    func run<R: Sendable>(
        _ operation: String,
        _ body: (inout InMemoryTables, _ now: Date) throws(PersistenceError) -> R
    ) throws(PersistenceError) -> R {
        try Self.check(operation)
        // The precision of PostgreSQL's timestamps, so that a test cannot come to depend on more.
        let now = Date(timeIntervalSince1970: (now().timeIntervalSince1970 * 1_000_000).rounded() / 1_000_000)
        do throws(PersistenceError) {
            return try tables.withLock { tables throws(PersistenceError) in
                // A write copies the tables that it changes, which is quick enough for the rows of a test.
                var changed = tables
                let result = try body(&changed, now)
                tables = changed
                return result
            }
        } catch {
            throw error.with { $0.operation = operation }
        }
    }
}
