import Persistence
import PersistenceCore

/// What the repositories must do when several tasks use them at once.
public enum ConcurrencyConformance {
    /// The checks.
    public static let checks: [ConformanceCheck<ConcurrentRepositoryFixture>] = [
        ConformanceCheck("Of many who want one address at once, one gets it") { fixture in
            let outcomes = try await attempts(16) { index in
                try await fixture.users.create(
                    NewUser(email: EmailAddress("Ada@example.org"), name: DisplayName("\(index)")))
            }
            try expectOne(of: outcomes, elseError: .uniqueViolation, .userEmail)
        },
        ConformanceCheck("Of many who change one state at once, one succeeds") { fixture in
            let ada = try await fixture.users.create(Sample.user("ada"))
            let outcomes = try await attempts(16) { index in
                try await fixture.users.update(ada.id, with: UserUpdate(name: DisplayName("\(index)")), expecting: 1)
            }
            try expectOne(of: outcomes, elseError: .staleVersion)
            try expectEqual(try await fixture.users.user(id: ada.id)?.version, 2, "the version")
        },
        ConformanceCheck("Two owners who leave at once do not leave a workspace without owner") { fixture in
            let ada = try await fixture.users.create(Sample.user("ada"))
            let grace = try await fixture.users.create(Sample.user("grace"))
            for round in 0..<10 {
                let workspace = try await fixture.workspaces.create(
                    NewWorkspace(name: DisplayName("w\(round)")), ownedBy: ada.id)
                try await fixture.workspaces.addMember(grace.id, to: workspace.id, as: .owner, by: ada.id)
                let outcomes = try await attempts(2) { index in
                    let user = index == 0 ? ada.id : grace.id
                    if round.isMultiple(of: 2) {
                        try await fixture.workspaces.removeMember(user, from: workspace.id, by: user)
                    } else {
                        try await fixture.workspaces.changeRole(of: user, in: workspace.id, to: .member, by: user)
                    }
                }
                try expectOne(of: outcomes, elseError: .checkViolation, .workspaceOwner)
                let members = try await fixture.workspaces.members(of: workspace.id, KeysetPageRequest(limit: 5))
                try expectEqual(members.items.filter { $0.role == .owner }.count, 1, "the number of owners")
            }
        },
        ConformanceCheck("Batches with the same addresses in different orders sign everybody up once") { fixture in
            let names = (0..<200).map { "u\($0)" }
            let outcomes = try await attempts(8) { index in
                let order = index.isMultiple(of: 2) ? names : names.reversed()
                return try await fixture.users.createManyIfAbsent(order.map(Sample.user)).map(\.email)
            }
            let created = try outcomes.flatMap { try $0.get() }
            try expectEqual(created.count, names.count, "the number of users signed up")
            try expectEqual(Set(created).count, names.count, "the number of addresses")
            let page = try await fixture.users.users(OffsetPageRequest(limit: 1))
            try expectEqual(page.total, names.count, "the total")
        },
        ConformanceCheck("A cancelled task changes nothing and says so") { fixture in
            let new = try Sample.user("ada")
            let task = Task { () async throws -> User in
                withUnsafeCurrentTask { $0?.cancel() }
                return try await fixture.users.create(new)
            }
            let outcome = await task.result
            var thrown: (any Error)?
            if case .failure(let error) = outcome { thrown = error }
            try expectError(thrown, .cancelled, nil, "signing up in a cancelled task")
            try expectEqual(try await fixture.users.user(id: new.id), nil, "the user")
        },
    ]

    private static func attempts<R: Sendable>(
        _ count: Int, _ body: @escaping @Sendable (Int) async throws -> R
    ) async throws -> [Result<R, any Error>] {
        await withTaskGroup(of: Result<R, any Error>.self) { group in
            for index in 0..<count {
                group.addTask {
                    do { return .success(try await body(index)) } catch { return .failure(error) }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }

    private static func expectOne<R>(
        of outcomes: [Result<R, any Error>], elseError code: PersistenceError.Code,
        _ constraint: DomainConstraint? = nil,
        fileID: String = #fileID, line: Int = #line
    ) throws {
        var successes = 0
        for outcome in outcomes {
            switch outcome {
            case .success: successes += 1
            case .failure(let error):
                try expectError(error, code, constraint, "an attempt", fileID: fileID, line: line)
            }
        }
        try expectEqual(successes, 1, "the number of attempts that succeeded", fileID: fileID, line: line)
    }
}
