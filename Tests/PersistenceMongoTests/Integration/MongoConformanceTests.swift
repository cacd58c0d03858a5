import MongoEngine
import Persistence
import PersistenceMongo
import PersistenceTesting
import Testing

@Suite("Repositories on MongoDB", .mongo, .timeLimit(.minutes(15)))
struct MongoConformanceTests {
    @Test("Activity metadata conforms", arguments: ActivityMetadataRepositoryConformance.checks)
    func activityMetadata(_ check: ConformanceCheck<DocumentFixture>) async throws {
        try await withDatabase { try await check.run(DocumentFixture($0)) }
    }

    @Test("Job executions conform", arguments: JobExecutionRepositoryConformance.checks)
    func jobExecutions(_ check: ConformanceCheck<DocumentFixture>) async throws {
        try await withDatabase { try await check.run(DocumentFixture($0)) }
    }

    @Test("Integration data conforms", arguments: IntegrationDataRepositoryConformance.checks)
    func integrationData(_ check: ConformanceCheck<DocumentFixture>) async throws {
        try await withDatabase { try await check.run(DocumentFixture($0)) }
    }
}

extension DocumentFixture {
    fileprivate init(_ database: MongoDatabase) {
        let time = DocumentTime()
        let store = MongoDocumentStore(database, now: { time.now })
        self.init(
            time: time, activityMetadata: { store.activityMetadata(workspace: $0, job: $1) },
            jobExecutions: { store.jobExecutions(workspace: $0, job: $1) },
            integrationData: { store.integrationData(workspace: $0) })
    }
}
