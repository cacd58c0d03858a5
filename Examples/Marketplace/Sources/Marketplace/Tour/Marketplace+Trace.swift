import InMemoryTracing
import Persistence
import PersistenceCore
import PersistencePostgres
import PostgresEngine
import Tracing

extension Marketplace {
    /// Runs one transaction and prints its spans as a tree.
    func trace() async throws {
        Console.step("The trace of one transaction")
        guard let user = try await database.users.users(KeysetPageRequest(limit: 1)).items.first else {
            return Console.line("nobody has signed up")
        }
        tracer.clearFinishedSpans()
        try await tracer.withSpan("marketplace.touch") { _ in
            try await database.withTransaction(.repeatableRead) { transaction in
                let current = try await transaction.users.user(id: user.id) ?? user
                try await transaction.users.update(
                    current.id, with: UserUpdate(name: current.name), expecting: current.version)
                _ = try? await transaction.withSavepoint { savepoint in
                    try await savepoint.users.create(NewUser(email: user.email, name: user.name))
                }
                try await transaction.auditLog.append(
                    NewAuditEntry(actor: user.id, action: AuditAction("user.touched"), entity: .user(user.id)))
            }
        }
        Console.line(TraceTree(tracer.finishedSpans).description)
    }
}
