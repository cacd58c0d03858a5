import Persistence
import PersistencePostgres
import PersistenceTesting
import PostgresEngine
import Testing

@Suite("Repositories on PostgreSQL", .server)
struct PostgresConformanceTests {
    @Suite("on the pool", .server)
    struct Pool {
        @Test("Users conform", arguments: UserRepositoryConformance.checks)
        func users(_ check: ConformanceCheck<RepositoryFixture>) async throws {
            try await withSchema { try await check.run(RepositoryFixture($0)) }
        }

        @Test("Workspaces conform", arguments: WorkspaceRepositoryConformance.checks)
        func workspaces(_ check: ConformanceCheck<RepositoryFixture>) async throws {
            try await withSchema { try await check.run(RepositoryFixture($0)) }
        }

        @Test("The audit log conforms", arguments: AuditLogConformance.checks)
        func auditLog(_ check: ConformanceCheck<RepositoryFixture>) async throws {
            try await withSchema { try await check.run(RepositoryFixture($0)) }
        }

        @Test("All of them conform when several tasks use them", arguments: ConcurrencyConformance.checks)
        func concurrency(_ check: ConformanceCheck<ConcurrentRepositoryFixture>) async throws {
            try await withSchema { database in
                try await check.run(
                    ConcurrentRepositoryFixture(users: database.users, workspaces: database.workspaces))
            }
        }
    }

    @Suite("in a transaction", .server)
    struct Transaction {
        @Test("Users conform", arguments: UserRepositoryConformance.checks)
        func users(_ check: ConformanceCheck<RepositoryFixture>) async throws {
            try await run(check)
        }

        @Test("Workspaces conform", arguments: WorkspaceRepositoryConformance.checks)
        func workspaces(_ check: ConformanceCheck<RepositoryFixture>) async throws {
            try await run(check)
        }

        @Test("The audit log conforms", arguments: AuditLogConformance.checks)
        func auditLog(_ check: ConformanceCheck<RepositoryFixture>) async throws {
            try await run(check)
        }

        private func run(_ check: ConformanceCheck<RepositoryFixture>) async throws {
            try await withSchema { database in
                try await database.withTransaction { transaction in
                    try await check.run(RepositoryFixture(transaction))
                }
            }
        }
    }
}

extension RepositoryFixture {
    fileprivate init(_ database: PostgresDatabase) {
        self.init(users: database.users, workspaces: database.workspaces, auditLog: database.auditLog)
    }

    /// An error aborts a PostgreSQL transaction; a savepoint confines it.
    fileprivate init(_ transaction: PostgresTransaction) {
        self.init(
            users: transaction.users, workspaces: transaction.workspaces, auditLog: transaction.auditLog,
            attempt: { body in try await transaction.withSavepoint { _ in try await body() } })
    }
}
