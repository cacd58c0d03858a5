public import Persistence
import PersistenceCore
import Synchronization

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// A time of day that stands still until a check moves it.
public final class DocumentTime: Sendable {
    private let date: Mutex<Date>

    /// Starts at a point in time.
    ///
    /// - Parameter date: The point in time; the real one, to the second, unless given. A server that removes what has
    ///   expired goes by its own clock.
    public init(_ date: Date = Date()) {
        self.date = Mutex(Date(timeIntervalSince1970: date.timeIntervalSince1970.rounded(.down)))
    }

    /// The time as it was last set.
    public var now: Date { date.withLock { $0 } }

    /// Moves the time.
    ///
    /// - Parameter seconds: How far, in seconds.
    public func advance(by seconds: TimeInterval) {
        date.withLock { $0 += seconds }
    }
}

/// The document repositories under test: all on one database, and used by one check alone.
///
/// Each check takes workspaces and jobs of its own, so the database need not be empty.
public struct DocumentFixture: Sendable {
    /// The time that the repositories see.
    public let time: DocumentTime

    private let activityMetadata: @Sendable (WorkspaceID, JobID) throws -> any ActivityMetadataRepository
    private let jobExecutions: @Sendable (WorkspaceID, JobID) throws -> any JobExecutionRepository
    private let integrationData: @Sendable (WorkspaceID) throws -> any IntegrationDataRepository

    /// Puts repositories to the test.
    ///
    /// - Parameters:
    ///   - time: The time that the repositories see.
    ///   - activityMetadata: The metadata of the activities of a job.
    ///   - jobExecutions: The executions of a job.
    ///   - integrationData: What systems outside have answered to a workspace.
    public init(
        time: DocumentTime,
        activityMetadata: @escaping @Sendable (WorkspaceID, JobID) throws -> any ActivityMetadataRepository,
        jobExecutions: @escaping @Sendable (WorkspaceID, JobID) throws -> any JobExecutionRepository,
        integrationData: @escaping @Sendable (WorkspaceID) throws -> any IntegrationDataRepository
    ) {
        self.time = time
        self.activityMetadata = activityMetadata
        self.jobExecutions = jobExecutions
        self.integrationData = integrationData
    }

    /// Puts repositories in memory to the test.
    public init() {
        let time = DocumentTime()
        let database = InMemoryDatabase(now: { time.now })
        self.init(
            time: time, activityMetadata: { database.activityMetadata(workspace: $0, job: $1) },
            jobExecutions: { database.jobExecutions(workspace: $0, job: $1) },
            integrationData: { database.integrationData(workspace: $0) })
    }

    func activities(
        workspace: WorkspaceID = WorkspaceID(), job: JobID = JobID()
    ) throws -> any ActivityMetadataRepository {
        try activityMetadata(workspace, job)
    }

    func executions(
        workspace: WorkspaceID = WorkspaceID(), job: JobID = JobID()
    ) throws -> any JobExecutionRepository {
        try jobExecutions(workspace, job)
    }

    func integrations(workspace: WorkspaceID = WorkspaceID()) throws -> any IntegrationDataRepository {
        try integrationData(workspace)
    }

    /// Fails unless `body` throws this error.
    func expectError(
        _ code: PersistenceError.Code, _ constraint: DomainConstraint? = nil, _ subject: String,
        fileID: String = #fileID, line: Int = #line, _ body: () async throws -> Void
    ) async throws {
        var thrown: (any Error)?
        do {
            try await body()
        } catch {
            thrown = error
        }
        try PersistenceTesting.expectError(thrown, code, constraint, subject, fileID: fileID, line: line)
    }
}

/// Runs attempts at the same time, and returns what became of each.
func concurrently<R: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (Int) async throws -> R
) async -> [Result<R, any Error>] {
    await withTaskGroup(of: Result<R, any Error>.self) { group in
        for index in 0..<count {
            group.addTask {
                do { return .success(try await body(index)) } catch { return .failure(error) }
            }
        }
        return await group.reduce(into: []) { $0.append($1) }
    }
}

/// Payloads that checks store.
enum SamplePayload {
    /// One of every kind of value.
    static let everything: Payload = [
        "text": "Grüße, 世界 \u{0} \"quoted\" $where", "empty": "", "integer": 812, "large": .integer(.max),
        "small": .integer(.min), "double": 0.1, "tiny": .double(.leastNonzeroMagnitude), "yes": true, "no": false,
        "null": nil, "date": .date(Date(timeIntervalSince1970: 1_700_000_000.123)),
        "early": .date(Date(timeIntervalSince1970: -86_400.5)), "bytes": .bytes([0, 1, 255]), "none": .bytes([]),
        "list": [1, "two", [3.5, nil], ["four": 4]], "nothing": [], "object": ["deep": ["deeper": ["deepest": 1]]],
        "blank": [:], "with.dot": 1, "": "a field without a name", "a$b": 2, "ключ": 3,
    ]

    static func nested(_ depth: Int) -> Payload {
        (1..<depth).reduce(Payload(["a": 1])) { payload, _ in ["a": .object(payload)] }
    }
}
