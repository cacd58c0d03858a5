import Foundation
import PostgresEngine
import Testing

@testable import PersistencePostgres

@Suite("Query values and Queries/*.sql")
struct QueryTextTests {
    private static let queries: [any PostgresQuery.Type] = [
        Queries.CreateUser.self, Queries.CreateUsers.self, Queries.CreateUsersIfAbsent.self, Queries.GetUser.self,
        Queries.GetUserByEmail.self, Queries.GetUsers.self, Queries.UpdateUser.self, Queries.SoftDeleteUser.self,
        Queries.RestoreUser.self, Queries.ListUsers.self, Queries.ListUsersBackward.self,
        Queries.ListUsersByOffset.self, Queries.CountUsers.self, Queries.CreateWorkspace.self,
        Queries.GetWorkspace.self, Queries.RenameWorkspace.self, Queries.SoftDeleteWorkspace.self,
        Queries.AddWorkspaceMember.self, Queries.ChangeWorkspaceMemberRole.self, Queries.RemoveWorkspaceMember.self,
        Queries.GetWorkspaceMember.self, Queries.ListWorkspaceMembers.self, Queries.ListWorkspaceMembersBackward.self,
        Queries.ListWorkspacesOfUser.self, Queries.ListWorkspacesOfUserBackward.self, Queries.AppendAuditEntry.self,
        Queries.ListAuditEntries.self, Queries.ListAuditEntriesBackward.self,
    ]

    @Test("Every query has the text of its block in the file")
    func texts() throws {
        let blocks = try Self.blocks()
        for query in Self.queries {
            #expect(blocks[query.name] == query.sql, "\(query.name)")
        }
        #expect(Set(blocks.keys) == Set(Self.queries.map { $0.name }))
    }

    /// The statements of the files by name, without the comments that precede them and without the semicolon.
    private static func blocks() throws -> [String: String] {
        var blocks: [String: String] = [:]
        for file in try RepositoryFiles.contents(of: "Queries") where file.pathExtension == "sql" {
            let text = try String(contentsOf: file, encoding: .utf8)
            for block in text.split(separator: "-- name: ").dropFirst() {
                let lines = block.split(separator: "\n", omittingEmptySubsequences: false)
                let name = try #require(lines.first?.split(separator: " ").first)
                let statement = lines.dropFirst().drop { $0.hasPrefix("--") }.joined(separator: "\n")
                let end = try #require(statement.firstIndex(of: ";"), "\(name) ends with a semicolon")
                #expect(blocks[String(name)] == nil, "\(name) is defined once")
                blocks[String(name)] = String(statement[..<end])
            }
        }
        return blocks
    }
}
