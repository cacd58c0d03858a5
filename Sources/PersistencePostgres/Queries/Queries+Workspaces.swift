import PersistenceCore
import PostgresEngine

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

// The queries of Queries/workspaces.sql.
extension Queries {
    struct CreateWorkspace: PostgresOptionalRowQuery {
        static let name = "CreateWorkspace"
        static let command = "INSERT"
        static let collection: String? = "workspaces"
        static let sql = """
            WITH owner AS (
                SELECT id FROM users WHERE id = $3 AND deleted_at IS NULL FOR SHARE
            ), workspace AS (
                INSERT INTO workspaces (id, name)
                SELECT $1::uuid, $2::text FROM owner
                RETURNING id, name, version, created_at, updated_at, deleted_at
            ), member AS (
                INSERT INTO workspace_members (workspace_id, user_id, role)
                SELECT workspace.id, owner.id, 'owner' FROM workspace CROSS JOIN owner
            ), entry AS (
                INSERT INTO audit_log (id, actor_id, action, entity_kind, entity_id, changes)
                SELECT $4::uuid, owner.id, 'workspace.created', 'workspace', workspace.id, jsonb_build_object(
                    'name', jsonb_build_object('after', workspace.name),
                    'owner', jsonb_build_object('after', owner.id))
                FROM workspace CROSS JOIN owner
            )
            SELECT id, name, version, created_at, updated_at, deleted_at FROM workspace
            """

        var id: UUID
        var name: String
        var ownerID: UUID
        var entryID: UUID

        func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
            try parameters.append(id)
            try parameters.append(name)
            try parameters.append(ownerID)
            try parameters.append(entryID)
        }

        static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> WorkspaceRow {
            try WorkspaceRow(row)
        }
    }

    struct GetWorkspace: PostgresOptionalRowQuery {
        static let name = "GetWorkspace"
        static let command = "SELECT"
        static let collection: String? = "workspaces"
        static let sql = """
            SELECT id, name, version, created_at, updated_at, deleted_at
            FROM workspaces
            WHERE id = $1 AND deleted_at IS NULL
            """

        var id: UUID

        func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
            try parameters.append(id)
        }

        static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> WorkspaceRow {
            try WorkspaceRow(row)
        }
    }

    struct RenameWorkspace: PostgresOptionalRowQuery {
        static let name = "RenameWorkspace"
        static let command = "UPDATE"
        static let collection: String? = "workspaces"
        static let sql = """
            WITH before AS (
                SELECT id, name FROM workspaces WHERE id = $1 AND version = $2 AND deleted_at IS NULL FOR NO KEY UPDATE
            ), workspace AS (
                UPDATE workspaces
                SET name = $3, version = workspaces.version + 1
                FROM before
                WHERE workspaces.id = before.id
                RETURNING workspaces.id, workspaces.name, version, created_at, updated_at, deleted_at
            ), entry AS (
                INSERT INTO audit_log (id, actor_id, action, entity_kind, entity_id, changes)
                SELECT $4::uuid, $5::uuid, 'workspace.renamed', 'workspace', workspace.id, jsonb_build_object(
                    'name', jsonb_build_object('before', before.name, 'after', workspace.name))
                FROM workspace CROSS JOIN before
            )
            SELECT id, name, version, created_at, updated_at, deleted_at FROM workspace
            """

        var id: UUID
        var version: Int64
        var name: String
        var entryID: UUID
        var actorID: UUID?

        func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
            try parameters.append(id)
            try parameters.append(version)
            try parameters.append(name)
            try parameters.append(entryID)
            try parameters.append(actorID)
        }

        static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> WorkspaceRow {
            try WorkspaceRow(row)
        }
    }

    struct SoftDeleteWorkspace: PostgresOptionalRowQuery {
        static let name = "SoftDeleteWorkspace"
        static let command = "UPDATE"
        static let collection: String? = "workspaces"
        static let sql = """
            WITH workspace AS (
                UPDATE workspaces
                SET deleted_at = statement_timestamp(), version = version + 1
                WHERE id = $1 AND version = $2 AND deleted_at IS NULL
                RETURNING id, name, version, created_at, updated_at, deleted_at
            ), entry AS (
                INSERT INTO audit_log (id, actor_id, action, entity_kind, entity_id, changes)
                SELECT $3::uuid, $4::uuid, 'workspace.deleted', 'workspace', workspace.id, jsonb_build_object(
                    'name', jsonb_build_object('before', workspace.name))
                FROM workspace
            )
            SELECT id, name, version, created_at, updated_at, deleted_at FROM workspace
            """

        var id: UUID
        var version: Int64
        var entryID: UUID
        var actorID: UUID?

        func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
            try parameters.append(id)
            try parameters.append(version)
            try parameters.append(entryID)
            try parameters.append(actorID)
        }

        static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> WorkspaceRow {
            try WorkspaceRow(row)
        }
    }

    struct AddWorkspaceMember: PostgresOptionalRowQuery {
        static let name = "AddWorkspaceMember"
        static let command = "INSERT"
        static let collection: String? = "workspace_members"
        static let sql = """
            WITH target AS (
                SELECT workspaces.id AS workspace_id, users.id AS user_id
                FROM workspaces CROSS JOIN users
                WHERE workspaces.id = $1 AND workspaces.deleted_at IS NULL AND users.id = $2 AND users.deleted_at IS NULL
                FOR SHARE
            ), member AS (
                INSERT INTO workspace_members (workspace_id, user_id, role)
                SELECT target.workspace_id, target.user_id, $3::text FROM target
                RETURNING workspace_id, user_id, role, created_at, updated_at
            ), entry AS (
                INSERT INTO audit_log (id, actor_id, action, entity_kind, entity_id, changes)
                SELECT $4::uuid, $5::uuid, 'workspace.member_added', 'workspace', member.workspace_id, jsonb_build_object(
                    'user', jsonb_build_object('after', member.user_id),
                    'role', jsonb_build_object('after', member.role))
                FROM member
            )
            SELECT workspace_id, user_id, role, created_at, updated_at FROM member
            """

        var workspaceID: UUID
        var userID: UUID
        var role: String
        var entryID: UUID
        var actorID: UUID?

        func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
            try parameters.append(workspaceID)
            try parameters.append(userID)
            try parameters.append(role)
            try parameters.append(entryID)
            try parameters.append(actorID)
        }

        static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> WorkspaceMemberRow {
            try WorkspaceMemberRow(row)
        }
    }

    struct ChangeWorkspaceMemberRole: PostgresOptionalRowQuery {
        static let name = "ChangeWorkspaceMemberRole"
        static let command = "UPDATE"
        static let collection: String? = "workspace_members"
        static let sql = """
            WITH before AS (
                SELECT workspace_members.workspace_id, workspace_members.user_id, workspace_members.role
                FROM workspace_members JOIN workspaces ON workspaces.id = workspace_members.workspace_id
                WHERE workspace_members.workspace_id = $1 AND workspace_members.user_id = $2 AND workspaces.deleted_at IS NULL
                FOR NO KEY UPDATE OF workspace_members
            ), member AS (
                UPDATE workspace_members
                SET role = $3
                FROM before
                WHERE workspace_members.workspace_id = before.workspace_id AND workspace_members.user_id = before.user_id
                RETURNING workspace_members.workspace_id, workspace_members.user_id, workspace_members.role, created_at, updated_at
            ), entry AS (
                INSERT INTO audit_log (id, actor_id, action, entity_kind, entity_id, changes)
                SELECT $4::uuid, $5::uuid, 'workspace.member_role_changed', 'workspace', member.workspace_id, jsonb_build_object(
                    'user', jsonb_build_object('before', member.user_id, 'after', member.user_id),
                    'role', jsonb_build_object('before', before.role, 'after', member.role))
                FROM member CROSS JOIN before
                WHERE member.role <> before.role
            )
            SELECT workspace_id, user_id, role, created_at, updated_at FROM member
            """

        var workspaceID: UUID
        var userID: UUID
        var role: String
        var entryID: UUID
        var actorID: UUID?

        func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
            try parameters.append(workspaceID)
            try parameters.append(userID)
            try parameters.append(role)
            try parameters.append(entryID)
            try parameters.append(actorID)
        }

        static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> WorkspaceMemberRow {
            try WorkspaceMemberRow(row)
        }
    }

    struct RemoveWorkspaceMember: PostgresOptionalRowQuery {
        static let name = "RemoveWorkspaceMember"
        static let command = "DELETE"
        static let collection: String? = "workspace_members"
        static let sql = """
            WITH member AS (
                DELETE FROM workspace_members
                USING workspaces
                WHERE workspace_members.workspace_id = $1 AND workspace_members.user_id = $2
                    AND workspaces.id = workspace_members.workspace_id AND workspaces.deleted_at IS NULL
                RETURNING workspace_members.workspace_id, workspace_members.user_id, workspace_members.role,
                    workspace_members.created_at, workspace_members.updated_at
            ), entry AS (
                INSERT INTO audit_log (id, actor_id, action, entity_kind, entity_id, changes)
                SELECT $3::uuid, $4::uuid, 'workspace.member_removed', 'workspace', member.workspace_id, jsonb_build_object(
                    'user', jsonb_build_object('before', member.user_id),
                    'role', jsonb_build_object('before', member.role))
                FROM member
            )
            SELECT workspace_id, user_id, role, created_at, updated_at FROM member
            """

        var workspaceID: UUID
        var userID: UUID
        var entryID: UUID
        var actorID: UUID?

        func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
            try parameters.append(workspaceID)
            try parameters.append(userID)
            try parameters.append(entryID)
            try parameters.append(actorID)
        }

        static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> WorkspaceMemberRow {
            try WorkspaceMemberRow(row)
        }
    }

    struct GetWorkspaceMember: PostgresOptionalRowQuery {
        static let name = "GetWorkspaceMember"
        static let command = "SELECT"
        static let collection: String? = "workspace_members"
        static let sql = """
            SELECT workspace_members.workspace_id, user_id, role, workspace_members.created_at, workspace_members.updated_at
            FROM workspace_members JOIN workspaces ON workspaces.id = workspace_members.workspace_id
            WHERE workspace_members.workspace_id = $1 AND user_id = $2 AND workspaces.deleted_at IS NULL
            """

        var workspaceID: UUID
        var userID: UUID

        func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
            try parameters.append(workspaceID)
            try parameters.append(userID)
        }

        static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> WorkspaceMemberRow {
            try WorkspaceMemberRow(row)
        }
    }

    struct ListWorkspaceMembers: PostgresRowsQuery {
        static let name = "ListWorkspaceMembers"
        static let command = "SELECT"
        static let collection: String? = "workspace_members"
        static let sql = """
            SELECT workspace_members.workspace_id, user_id, role, workspace_members.created_at, workspace_members.updated_at
            FROM workspace_members JOIN workspaces ON workspaces.id = workspace_members.workspace_id
            WHERE workspace_members.workspace_id = $1 AND user_id > $2 AND workspaces.deleted_at IS NULL
            ORDER BY user_id
            LIMIT $3
            """

        var workspaceID: UUID
        var userID: UUID
        var limit: Int64

        func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
            try parameters.append(workspaceID)
            try parameters.append(userID)
            try parameters.append(limit)
        }

        static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> WorkspaceMemberRow {
            try WorkspaceMemberRow(row)
        }
    }

    struct ListWorkspaceMembersBackward: PostgresRowsQuery {
        static let name = "ListWorkspaceMembersBackward"
        static let command = "SELECT"
        static let collection: String? = "workspace_members"
        static let sql = """
            SELECT workspace_members.workspace_id, user_id, role, workspace_members.created_at, workspace_members.updated_at
            FROM workspace_members JOIN workspaces ON workspaces.id = workspace_members.workspace_id
            WHERE workspace_members.workspace_id = $1 AND user_id < $2 AND workspaces.deleted_at IS NULL
            ORDER BY user_id DESC
            LIMIT $3
            """

        var workspaceID: UUID
        var userID: UUID
        var limit: Int64

        func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
            try parameters.append(workspaceID)
            try parameters.append(userID)
            try parameters.append(limit)
        }

        static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> WorkspaceMemberRow {
            try WorkspaceMemberRow(row)
        }
    }

    struct ListWorkspacesOfUser: PostgresRowsQuery {
        static let name = "ListWorkspacesOfUser"
        static let command = "SELECT"
        static let collection: String? = "workspaces"
        static let sql = """
            SELECT workspaces.id, name, version, workspaces.created_at, workspaces.updated_at, deleted_at
            FROM workspace_members JOIN workspaces ON workspaces.id = workspace_members.workspace_id
            WHERE user_id = $1 AND workspace_id < $2 AND deleted_at IS NULL
            ORDER BY workspace_id DESC
            LIMIT $3
            """

        var userID: UUID
        var workspaceID: UUID
        var limit: Int64

        func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
            try parameters.append(userID)
            try parameters.append(workspaceID)
            try parameters.append(limit)
        }

        static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> WorkspaceRow {
            try WorkspaceRow(row)
        }
    }

    struct ListWorkspacesOfUserBackward: PostgresRowsQuery {
        static let name = "ListWorkspacesOfUserBackward"
        static let command = "SELECT"
        static let collection: String? = "workspaces"
        static let sql = """
            SELECT workspaces.id, name, version, workspaces.created_at, workspaces.updated_at, deleted_at
            FROM workspace_members JOIN workspaces ON workspaces.id = workspace_members.workspace_id
            WHERE user_id = $1 AND workspace_id > $2 AND deleted_at IS NULL
            ORDER BY workspace_id
            LIMIT $3
            """

        var userID: UUID
        var workspaceID: UUID
        var limit: Int64

        func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
            try parameters.append(userID)
            try parameters.append(workspaceID)
            try parameters.append(limit)
        }

        static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> WorkspaceRow {
            try WorkspaceRow(row)
        }
    }
}
