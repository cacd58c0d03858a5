import Persistence
import PersistenceTesting
import Testing

@Suite("Repositories in memory")
struct InMemoryConformanceTests {
    @Test("Users conform", arguments: UserRepositoryConformance.checks)
    func users(_ check: ConformanceCheck<RepositoryFixture>) async throws {
        try await check.run(RepositoryFixture(InMemoryDatabase()))
    }

    @Test("Workspaces conform", arguments: WorkspaceRepositoryConformance.checks)
    func workspaces(_ check: ConformanceCheck<RepositoryFixture>) async throws {
        try await check.run(RepositoryFixture(InMemoryDatabase()))
    }

    @Test("The audit log conforms", arguments: AuditLogConformance.checks)
    func auditLog(_ check: ConformanceCheck<RepositoryFixture>) async throws {
        try await check.run(RepositoryFixture(InMemoryDatabase()))
    }

    @Test("All of them conform when several tasks use them", arguments: ConcurrencyConformance.checks)
    func concurrency(_ check: ConformanceCheck<ConcurrentRepositoryFixture>) async throws {
        try await check.run(ConcurrentRepositoryFixture(InMemoryDatabase()))
    }

    @Test("Activity metadata conforms", arguments: ActivityMetadataRepositoryConformance.checks)
    func activityMetadata(_ check: ConformanceCheck<DocumentFixture>) async throws {
        try await check.run(DocumentFixture())
    }

    @Test("Job executions conform", arguments: JobExecutionRepositoryConformance.checks)
    func jobExecutions(_ check: ConformanceCheck<DocumentFixture>) async throws {
        try await check.run(DocumentFixture())
    }

    @Test("Integration data conforms", arguments: IntegrationDataRepositoryConformance.checks)
    func integrationData(_ check: ConformanceCheck<DocumentFixture>) async throws {
        try await check.run(DocumentFixture())
    }
}
