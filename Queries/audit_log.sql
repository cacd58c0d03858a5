-- The audit log: appended to and read, never changed.

-- name: AppendAuditEntry :one
INSERT INTO audit_log (id, actor_id, action, entity_kind, entity_id, changes)
VALUES ($1, $2, $3, $4, $5, $6)
RETURNING id, occurred_at, actor_id, action, entity_kind, entity_id, changes;

-- name: ListAuditEntries :many
-- Newest first.
SELECT id, occurred_at, actor_id, action, entity_kind, entity_id, changes
FROM audit_log
WHERE entity_kind = $1 AND entity_id = $2 AND id < $3
ORDER BY id DESC
LIMIT $4;

-- name: ListAuditEntriesBackward :many
SELECT id, occurred_at, actor_id, action, entity_kind, entity_id, changes
FROM audit_log
WHERE entity_kind = $1 AND entity_id = $2 AND id > $3
ORDER BY id
LIMIT $4;
