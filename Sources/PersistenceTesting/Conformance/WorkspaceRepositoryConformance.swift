import Persistence
import PersistenceCore

/// What every ``Persistence/WorkspaceRepository`` must do.
public enum WorkspaceRepositoryConformance {
    /// The checks.
    public static let checks: [ConformanceCheck<RepositoryFixture>] = creation + changes + members + owners + lists

    private static let creation: [ConformanceCheck<RepositoryFixture>] = [
        ConformanceCheck("A workspace is created with its owner, and the audit log says so") { fixture in
            let ada = try await fixture.signUp("ada")
            let new = try NewWorkspace(name: DisplayName("Forschung & \"Lehre\" 研究"))
            let workspace = try await fixture.workspaces.create(new, ownedBy: ada.id)
            try expectEqual(workspace.id, new.id, "the identifier")
            try expectEqual(workspace.name, new.name, "the name")
            try expectEqual(workspace.version, 1, "the version")
            try expectEqual(workspace.deletedAt, nil, "the time of deletion")
            try expectEqual(try await fixture.workspaces.workspace(id: new.id), workspace, "the stored workspace")

            let member = try unwrap(try await fixture.workspaces.member(ada.id, of: new.id), "the owner")
            try expectEqual(member.role, .owner, "the role")
            try expectEqual(member.userID, ada.id, "the user")
            try expectEqual(member.workspaceID, new.id, "the workspace")

            let history = try await fixture.history(new.id)
            try expectEqual(history.map(\.action), [.workspaceCreated], "the actions recorded")
            try expectEqual(history.first?.actor, ada.id, "the actor")
            try expectEqual(
                history.first?.changes,
                ["name": AuditChange(after: new.name.text), "owner": AuditChange(after: ada.id.description)],
                "the changes")
        },
        ConformanceCheck("Whoever does not exist owns no workspace, and nothing is left of the attempt") { fixture in
            let ada = try await fixture.signUp("ada")
            try await fixture.users.softDelete(ada.id, expecting: 1)
            let new = try NewWorkspace(name: DisplayName("Research"))
            for owner in [UserID(), ada.id] {
                try await fixture.expectError(.notFound, nil, "creating a workspace") {
                    try await fixture.workspaces.create(new, ownedBy: owner)
                }
            }
            try expectEqual(try await fixture.workspaces.workspace(id: new.id), nil, "the workspace")
            try expectEqual(try await fixture.history(new.id), [], "the history")
        },
        ConformanceCheck("An identifier is used once, a name as often as people like") { fixture in
            let ada = try await fixture.signUp("ada")
            let new = try NewWorkspace(name: DisplayName("Research"))
            let workspace = try await fixture.workspaces.create(new, ownedBy: ada.id)
            try await fixture.expectError(.uniqueViolation, .workspaceID, "creating a workspace twice") {
                try await fixture.workspaces.create(new, ownedBy: ada.id)
            }
            try expectEqual(try await fixture.history(new.id).count, 1, "the number of entries")
            let other = try await fixture.workspaces.create(NewWorkspace(name: new.name), ownedBy: ada.id)
            try expectEqual(other.name, workspace.name, "the other workspace's name")
        },
    ]

    private static let changes: [ConformanceCheck<RepositoryFixture>] = [
        ConformanceCheck("A new name raises the version and is recorded with the old one") { fixture in
            let (ada, workspace) = try await fixture.makeWorkspace()
            let renamed = try await fixture.workspaces.rename(
                workspace.id, to: DisplayName("Science"), expecting: 1, by: ada.id)
            try expectEqual(renamed.version, 2, "the version")
            try expectEqual(renamed.name.text, "Science", "the name")
            try expectEqual(renamed.createdAt, workspace.createdAt, "the time of creation")
            try expectEqual(try await fixture.workspaces.workspace(id: workspace.id), renamed, "the stored workspace")
            let entry = try await fixture.history(workspace.id).last
            try expectEqual(entry?.action, .workspaceRenamed, "the action recorded")
            try expectEqual(entry?.actor, ada.id, "the actor")
            try expectEqual(
                entry?.changes, ["name": AuditChange(before: workspace.name.text, after: "Science")], "the changes")
        },
        ConformanceCheck("A change of a state that is no longer current is refused and not recorded") { fixture in
            let (ada, workspace) = try await fixture.makeWorkspace()
            let current = try await fixture.workspaces.rename(
                workspace.id, to: DisplayName("first"), expecting: 1, by: ada.id)
            for version in [Int64.min, 0, 1, 3, .max] {
                try await fixture.expectError(.staleVersion, nil, "renaming, expecting version \(version)") {
                    try await fixture.workspaces.rename(
                        workspace.id, to: DisplayName("late"), expecting: version, by: ada.id)
                }
                try await fixture.expectError(.staleVersion, nil, "deleting, expecting version \(version)") {
                    try await fixture.workspaces.softDelete(workspace.id, expecting: version, by: ada.id)
                }
            }
            try expectEqual(try await fixture.workspaces.workspace(id: workspace.id), current, "the stored workspace")
            try expectEqual(try await fixture.history(workspace.id).count, 2, "the number of entries")
        },
        ConformanceCheck("A deleted workspace does not exist, nor do its members; its history does") { fixture in
            let (ada, workspace) = try await fixture.makeWorkspace()
            let grace = try await fixture.signUp("grace")
            let deleted = try await fixture.workspaces.softDelete(workspace.id, expecting: 1, by: nil)
            try expectEqual(deleted.version, 2, "the version")
            try expect(deleted.deletedAt != nil, "the deleted workspace has a time of deletion")
            try expectEqual(try await fixture.workspaces.workspace(id: workspace.id), nil, "the workspace")
            try expectEqual(try await fixture.workspaces.member(ada.id, of: workspace.id), nil, "the member")
            try expectEqual(
                try await fixture.workspaces.members(of: workspace.id, KeysetPageRequest(limit: 5)).items, [],
                "the members")
            try expectEqual(
                try await fixture.workspaces.workspaces(of: ada.id, KeysetPageRequest(limit: 5)).items, [],
                "the owner's workspaces")

            try await fixture.expectError(.notFound, nil, "renaming") {
                try await fixture.workspaces.rename(workspace.id, to: workspace.name, expecting: 2, by: ada.id)
            }
            try await fixture.expectError(.notFound, nil, "deleting") {
                try await fixture.workspaces.softDelete(workspace.id, expecting: 2, by: ada.id)
            }
            try await fixture.expectError(.notFound, nil, "adding a member") {
                try await fixture.workspaces.addMember(grace.id, to: workspace.id, as: .viewer, by: ada.id)
            }
            try await fixture.expectError(.notFound, nil, "changing a role") {
                try await fixture.workspaces.changeRole(of: ada.id, in: workspace.id, to: .admin, by: ada.id)
            }
            try await fixture.expectError(.notFound, nil, "removing a member") {
                try await fixture.workspaces.removeMember(ada.id, from: workspace.id, by: ada.id)
            }
            let history = try await fixture.history(workspace.id)
            try expectEqual(history.map(\.action), [.workspaceCreated, .workspaceDeleted], "the actions recorded")
            try expectEqual(history.last?.actor, nil, "the actor of the deletion")
        },
    ]

    private static let members: [ConformanceCheck<RepositoryFixture>] = [
        ConformanceCheck("Members join, change roles, leave and come back, and each step is recorded") { fixture in
            let (ada, workspace) = try await fixture.makeWorkspace()
            let grace = try await fixture.signUp("grace")
            for role in WorkspaceRole.allCases {
                let member = try await fixture.workspaces.addMember(grace.id, to: workspace.id, as: role, by: ada.id)
                try expectEqual(member.role, role, "the role")
                try expectEqual(try await fixture.workspaces.member(grace.id, of: workspace.id), member, "the member")
                let removed = try await fixture.workspaces.removeMember(grace.id, from: workspace.id, by: grace.id)
                try expectEqual(removed.role, role, "the role that ended")
                try expectEqual(try await fixture.workspaces.member(grace.id, of: workspace.id), nil, "the member")
            }
            let added = try await fixture.workspaces.addMember(grace.id, to: workspace.id, as: .viewer, by: ada.id)
            let changed = try await fixture.workspaces.changeRole(
                of: grace.id, in: workspace.id, to: .admin, by: ada.id)
            try expectEqual(changed.role, .admin, "the new role")
            try expectEqual(changed.createdAt, added.createdAt, "the time of joining")
            try expectEqual(try await fixture.workspaces.member(grace.id, of: workspace.id), changed, "the member")

            let history = try await fixture.history(workspace.id)
            let pairs = Array(repeating: [AuditAction.workspaceMemberAdded, .workspaceMemberRemoved], count: 4).joined()
            try expectEqual(
                history.map(\.action),
                [.workspaceCreated] + pairs + [.workspaceMemberAdded, .workspaceMemberRoleChanged],
                "the actions recorded")
            let user = grace.id.description
            try expectEqual(
                history[1].changes, ["user": AuditChange(after: user), "role": AuditChange(after: "owner")],
                "the changes of joining")
            try expectEqual(history[1].actor, ada.id, "who added the member")
            try expectEqual(
                history[2].changes, ["user": AuditChange(before: user), "role": AuditChange(before: "owner")],
                "the changes of leaving")
            try expectEqual(history[2].actor, grace.id, "who left")
            try expectEqual(
                history.last?.changes,
                [
                    "user": AuditChange(before: user, after: user),
                    "role": AuditChange(before: "viewer", after: "admin"),
                ], "the changes of the role")
        },
        ConformanceCheck("Nobody joins twice") { fixture in
            let (ada, workspace) = try await fixture.makeWorkspace()
            try await fixture.expectError(.uniqueViolation, .workspaceMember, "adding a member again") {
                try await fixture.workspaces.addMember(ada.id, to: workspace.id, as: .viewer, by: ada.id)
            }
            try expectEqual(try await fixture.workspaces.member(ada.id, of: workspace.id)?.role, .owner, "the role")
            try expectEqual(try await fixture.history(workspace.id).count, 1, "the number of entries")
        },
        ConformanceCheck("Only those who exist join, and only what exists") { fixture in
            let (ada, workspace) = try await fixture.makeWorkspace()
            let grace = try await fixture.signUp("grace")
            try await fixture.users.softDelete(grace.id, expecting: 1)
            for (user, target) in [
                (UserID(), workspace.id), (grace.id, workspace.id), (ada.id, WorkspaceID()),
            ] {
                try await fixture.expectError(.notFound, nil, "adding a member") {
                    try await fixture.workspaces.addMember(user, to: target, as: .member, by: ada.id)
                }
            }
            try expectEqual(try await fixture.history(workspace.id).count, 1, "the number of entries")
        },
        ConformanceCheck("Whoever is no member neither changes role nor leaves") { fixture in
            let (ada, workspace) = try await fixture.makeWorkspace()
            let grace = try await fixture.signUp("grace")
            for (user, target) in [(grace.id, workspace.id), (UserID(), workspace.id), (ada.id, WorkspaceID())] {
                try await fixture.expectError(.notFound, nil, "changing a role") {
                    try await fixture.workspaces.changeRole(of: user, in: target, to: .member, by: ada.id)
                }
                try await fixture.expectError(.notFound, nil, "removing a member") {
                    try await fixture.workspaces.removeMember(user, from: target, by: ada.id)
                }
                try expectEqual(try await fixture.workspaces.member(user, of: target), nil, "the member")
            }
            try expectEqual(try await fixture.history(workspace.id).count, 1, "the number of entries")
        },
    ]

    private static let owners: [ConformanceCheck<RepositoryFixture>] = [
        ConformanceCheck("The last owner stays, until there is another") { fixture in
            let (ada, workspace) = try await fixture.makeWorkspace()
            let grace = try await fixture.signUp("grace")
            try await fixture.workspaces.addMember(grace.id, to: workspace.id, as: .admin, by: ada.id)
            try await fixture.expectError(.checkViolation, .workspaceOwner, "the last owner leaving") {
                try await fixture.workspaces.removeMember(ada.id, from: workspace.id, by: ada.id)
            }
            for role in WorkspaceRole.allCases where role != .owner {
                try await fixture.expectError(.checkViolation, .workspaceOwner, "the last owner becoming \(role)") {
                    try await fixture.workspaces.changeRole(of: ada.id, in: workspace.id, to: role, by: ada.id)
                }
            }
            try expectEqual(try await fixture.workspaces.member(ada.id, of: workspace.id)?.role, .owner, "the role")
            try expectEqual(try await fixture.history(workspace.id).count, 2, "the number of entries")

            try await fixture.workspaces.changeRole(of: grace.id, in: workspace.id, to: .owner, by: ada.id)
            try await fixture.workspaces.changeRole(of: ada.id, in: workspace.id, to: .viewer, by: ada.id)
            try await fixture.workspaces.removeMember(ada.id, from: workspace.id, by: grace.id)
            try await fixture.expectError(.checkViolation, .workspaceOwner, "the new last owner leaving") {
                try await fixture.workspaces.removeMember(grace.id, from: workspace.id, by: grace.id)
            }
            let version = try await fixture.workspaces.workspace(id: workspace.id)?.version
            try expectEqual(version, 1, "the version of the workspace, which did not change itself")
        },
        ConformanceCheck("An owner stays owner when given the same role, and nothing is recorded") { fixture in
            let (ada, workspace) = try await fixture.makeWorkspace()
            let same = try await fixture.workspaces.changeRole(of: ada.id, in: workspace.id, to: .owner, by: ada.id)
            try expectEqual(same.role, .owner, "the role")
            try expectEqual(try await fixture.history(workspace.id).count, 1, "the number of entries")
        },
    ]

    private static let lists: [ConformanceCheck<RepositoryFixture>] = [
        ConformanceCheck("Members are listed page by page, in the order in which they signed up") { fixture in
            let users = try await fixture.users.createMany((0..<5).map { try Sample.user("u\($0)") })
            let workspace = try await fixture.workspaces.create(
                NewWorkspace(name: DisplayName("Research")), ownedBy: users[2].id)
            let other = try await fixture.workspaces.create(
                NewWorkspace(name: DisplayName("Other")), ownedBy: users[0].id)
            for user in [users[4], users[0], users[3]] {
                try await fixture.workspaces.addMember(user.id, to: workspace.id, as: .member, by: nil)
            }
            let first = try await fixture.workspaces.members(of: workspace.id, KeysetPageRequest(limit: 3))
            try expectEqual(first.items.map(\.userID), [users[0].id, users[2].id, users[3].id], "the first page")
            try expectEqual(first.items.map(\.role), [.member, .owner, .member], "the roles")
            let next = try KeysetPageRequest(limit: 3, cursor: unwrap(first.next, "the cursor of the second page"))
            let second = try await fixture.workspaces.members(of: workspace.id, next)
            try expectEqual(second.items.map(\.userID), [users[4].id], "the second page")
            try expect(second.next == nil, "no third page follows")
            let back = try KeysetPageRequest(limit: 9, cursor: unwrap(second.previous, "the cursor back"))
            try expectEqual(
                try await fixture.workspaces.members(of: workspace.id, back).items, first.items,
                "the first page from behind")
            let others = try await fixture.workspaces.members(of: other.id, KeysetPageRequest(limit: 3))
            try expectEqual(others.items.map(\.userID), [users[0].id], "the members of another workspace")
            let none = try await fixture.workspaces.members(of: WorkspaceID(), KeysetPageRequest(limit: 3))
            try expectEqual(none.items, [], "the members of no workspace")
        },
        ConformanceCheck("A user's workspaces are listed page by page, newest first") { fixture in
            let ada = try await fixture.signUp("ada")
            let grace = try await fixture.signUp("grace")
            var own: [Workspace] = []
            for index in 0..<5 {
                let owner = index == 1 ? grace : ada
                let workspace = try await fixture.workspaces.create(
                    NewWorkspace(name: DisplayName("w\(index)")), ownedBy: owner.id)
                own.append(workspace)
            }
            try await fixture.workspaces.softDelete(own[3].id, expecting: 1, by: ada.id)
            try await fixture.workspaces.addMember(grace.id, to: own[4].id, as: .viewer, by: ada.id)

            let first = try await fixture.workspaces.workspaces(of: ada.id, KeysetPageRequest(limit: 2))
            try expectEqual(first.items.map(\.id), [own[4].id, own[2].id], "the first page")
            let next = try KeysetPageRequest(limit: 2, cursor: unwrap(first.next, "the cursor of the second page"))
            let second = try await fixture.workspaces.workspaces(of: ada.id, next)
            try expectEqual(second.items, [own[0]], "the second page")
            try expect(second.next == nil, "no third page follows")
            let back = try KeysetPageRequest(limit: 9, cursor: unwrap(second.previous, "the cursor back"))
            try expectEqual(
                try await fixture.workspaces.workspaces(of: ada.id, back).items, first.items,
                "the first page from behind")
            let hers = try await fixture.workspaces.workspaces(of: grace.id, KeysetPageRequest(limit: 9))
            try expectEqual(hers.items.map(\.id), [own[4].id, own[1].id], "the other user's workspaces")
            let none = try await fixture.workspaces.workspaces(of: UserID(), KeysetPageRequest(limit: 2))
            try expectEqual(none.items, [], "the workspaces of nobody")
        },
    ]
}

extension RepositoryFixture {
    fileprivate func makeWorkspace() async throws -> (owner: User, workspace: Workspace) {
        let owner = try await signUp("ada")
        let workspace = try await workspaces.create(NewWorkspace(name: DisplayName("Research")), ownedBy: owner.id)
        return (owner, workspace)
    }
}
