import Persistence
import PersistenceCore
import PersistencePostgres
import PostgresEngine

extension Marketplace {
    /// Shows what the database refuses, and how the program hears of it.
    func showRefusals() async throws {
        Console.step("What is refused")
        guard let user = try await database.users.users(KeysetPageRequest(limit: 1)).items.first else {
            return Console.line("nobody has signed up")
        }

        try await expectRefusal("a second account with one address, in other letters", .uniqueViolation) {
            let shouted = try EmailAddress(user.email.text.uppercased())
            try await database.users.create(NewUser(email: shouted, name: user.name))
        }

        let renamed = try await database.users.update(
            user.id, with: UserUpdate(name: user.name), expecting: user.version)
        try await expectRefusal(
            "a change of version \(user.version), while somebody made it version \(renamed.version)", .staleVersion
        ) {
            try await database.users.update(user.id, with: UserUpdate(name: user.name), expecting: user.version)
        }

        let newcomer = try NewUser(email: EmailAddress("newcomer@rollback.example"), name: DisplayName("Newcomer"))
        let workspace = try NewWorkspace(name: DisplayName("Of a newcomer"))
        try await expectRefusal("a transaction whose last statement takes away the only owner", .checkViolation) {
            try await database.withTransaction { transaction in
                try await transaction.users.create(newcomer)
                try await transaction.workspaces.create(workspace, ownedBy: newcomer.id)
                try await transaction.workspaces.removeMember(newcomer.id, from: workspace.id, by: newcomer.id)
            }
        }
        let isLeft = try await database.users.user(email: newcomer.email) != nil
        Console.line("of that transaction \(isLeft ? "something" : "nothing") is left")

        try await expectRefusal("an address that is none", .invalidArgument) {
            _ = try EmailAddress("nobody at example.org")
        }
    }

    /// Runs what must be refused; that it is not would be the error.
    private func expectRefusal(
        _ attempt: String, _ code: PersistenceError.Code, _ body: () async throws -> Void
    ) async throws {
        do {
            try await body()
        } catch let error as PersistenceError where error.code == code {
            return Console.line("\(attempt)\n    → \(error)")
        }
        throw PersistenceError(.internal, "not refused: \(attempt)")
    }
}
