-- Workspaces and their members. Every change is one statement together with its entry in the audit log, so that neither
-- can be without the other, in a transaction or outside one.

-- name: CreateWorkspace :one
-- FOR SHARE: a user who is being deleted at this moment does not become an owner.
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
SELECT id, name, version, created_at, updated_at, deleted_at FROM workspace;

-- name: GetWorkspace :one
SELECT id, name, version, created_at, updated_at, deleted_at
FROM workspaces
WHERE id = $1 AND deleted_at IS NULL;

-- name: RenameWorkspace :one
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
SELECT id, name, version, created_at, updated_at, deleted_at FROM workspace;

-- name: SoftDeleteWorkspace :one
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
SELECT id, name, version, created_at, updated_at, deleted_at FROM workspace;

-- name: AddWorkspaceMember :one
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
SELECT workspace_id, user_id, role, created_at, updated_at FROM member;

-- name: ChangeWorkspaceMemberRole :one
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
SELECT workspace_id, user_id, role, created_at, updated_at FROM member;

-- name: RemoveWorkspaceMember :one
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
SELECT workspace_id, user_id, role, created_at, updated_at FROM member;

-- name: GetWorkspaceMember :one
SELECT workspace_members.workspace_id, user_id, role, workspace_members.created_at, workspace_members.updated_at
FROM workspace_members JOIN workspaces ON workspaces.id = workspace_members.workspace_id
WHERE workspace_members.workspace_id = $1 AND user_id = $2 AND workspaces.deleted_at IS NULL;

-- name: ListWorkspaceMembers :many
-- In the order in which the users signed up.
SELECT workspace_members.workspace_id, user_id, role, workspace_members.created_at, workspace_members.updated_at
FROM workspace_members JOIN workspaces ON workspaces.id = workspace_members.workspace_id
WHERE workspace_members.workspace_id = $1 AND user_id > $2 AND workspaces.deleted_at IS NULL
ORDER BY user_id
LIMIT $3;

-- name: ListWorkspaceMembersBackward :many
SELECT workspace_members.workspace_id, user_id, role, workspace_members.created_at, workspace_members.updated_at
FROM workspace_members JOIN workspaces ON workspaces.id = workspace_members.workspace_id
WHERE workspace_members.workspace_id = $1 AND user_id < $2 AND workspaces.deleted_at IS NULL
ORDER BY user_id DESC
LIMIT $3;

-- name: ListWorkspacesOfUser :many
-- Newest first.
SELECT workspaces.id, name, version, workspaces.created_at, workspaces.updated_at, deleted_at
FROM workspace_members JOIN workspaces ON workspaces.id = workspace_members.workspace_id
WHERE user_id = $1 AND workspace_id < $2 AND deleted_at IS NULL
ORDER BY workspace_id DESC
LIMIT $3;

-- name: ListWorkspacesOfUserBackward :many
SELECT workspaces.id, name, version, workspaces.created_at, workspaces.updated_at, deleted_at
FROM workspace_members JOIN workspaces ON workspaces.id = workspace_members.workspace_id
WHERE user_id = $1 AND workspace_id > $2 AND deleted_at IS NULL
ORDER BY workspace_id
LIMIT $3;
