import Persistence
import PersistenceCore
import PostgresEngine

extension PostgresExecutor {
    /// Runs a query, and says in the domain's words which of its rules refused a change.
    func runExplained<Query: PostgresQuery>(_ query: Query) async throws(PersistenceError) -> Query.Output {
        do throws(PersistenceError) {
            return try await run(query)
        } catch {
            guard let rule = error.domainConstraint else { throw error }
            throw error.with { $0.summary = rule.summary }
        }
    }
}
