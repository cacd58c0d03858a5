import Persistence
import PersistenceCore
import PersistencePostgres
import PostgresEngine

extension Marketplace {
    /// How many transactions run at once; the pool lends each a connection.
    private static let concurrentTransactions = 4

    /// Members of a workspace besides its owner.
    private static let teamSize = 3

    /// Gives some users a workspace with a team, each in a transaction: all of it, or nothing.
    func createWorkspaces() async throws {
        Console.step("Create workspaces with members")
        let needed = plan.workspaces * (1 + Self.teamSize)
        guard needed > 0 else { return Console.line("none asked for") }
        let people = try await database.users.users(KeysetPageRequest(limit: needed)).items
        let teams = stride(from: 0, to: people.count, by: 1 + Self.teamSize)
            .map { people[$0..<min($0 + 1 + Self.teamSize, people.count)] }

        var progress = Progress("workspaces")
        var created = 0
        var skipped = 0
        try await withThrowingTaskGroup(of: Bool.self) { group in
            var waiting = teams.makeIterator()
            for _ in 0..<Self.concurrentTransactions {
                guard let team = waiting.next() else { break }
                group.addTask { try await createWorkspace(for: team) }
            }
            while let isNew = try await group.next() {
                if isNew { created += 1 } else { skipped += 1 }
                progress.report(created + skipped, fraction: Double(created + skipped) / Double(teams.count))
                if let team = waiting.next() {
                    group.addTask { try await createWorkspace(for: team) }
                }
            }
        }
        progress.finish(created + skipped)
        Console.line("\(created) created, \(skipped) skipped because the owner has one already")
    }

    /// - Returns: Whether a workspace was created; not when the first of the team has one already.
    private func createWorkspace(for team: ArraySlice<User>) async throws -> Bool {
        guard let owner = team.first else { return false }
        return try await database.withTransaction { transaction in
            // Of two instances that look at the same moment, one creates, and the other waits and sees it. In serializable
            // transactions instead, most would conflict with each other while the table is small.
            try await transaction.advisoryLock(PostgresAdvisoryKey("workspace of \(owner.id)"))
            let existing = try await transaction.workspaces.workspaces(of: owner.id, KeysetPageRequest(limit: 1))
            guard existing.items.isEmpty else { return false }
            let workspace = try await transaction.workspaces.create(
                NewWorkspace(name: DisplayName("Workspace of \(owner.name)".prefixed(DisplayName.maximumLength))),
                ownedBy: owner.id)
            for (member, role) in zip(team.dropFirst(), [WorkspaceRole.admin, .member, .viewer]) {
                try await transaction.workspaces.addMember(member.id, to: workspace.id, as: role, by: owner.id)
            }
            return true
        }
    }
}

extension String {
    fileprivate func prefixed(_ count: Int) -> String {
        String(unicodeScalars.prefix(count))
    }
}
