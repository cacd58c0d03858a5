-- Users. Existing means deleted_at IS NULL. Addresses are compared as idx_users_email does.

-- name: CreateUser :one
INSERT INTO users (id, email, name)
VALUES ($1, $2, $3)
RETURNING id, email, name, version, created_at, updated_at, deleted_at;

-- name: CreateUsers :many
-- In the order of the index, so that two batches with some of the same addresses wait for each other and never deadlock.
INSERT INTO users (id, email, name)
SELECT input.id, input.email, input.name
FROM unnest($1::uuid[], $2::text[], $3::text[]) WITH ORDINALITY AS input (id, email, name, position)
ORDER BY lower(input.email COLLATE "C"), input.position
RETURNING id, email, name, version, created_at, updated_at, deleted_at;

-- name: CreateUsersIfAbsent :many
-- Ordered as CreateUsers. The first of several rows with one address wins; those whose address is taken do not come back.
INSERT INTO users (id, email, name)
SELECT input.id, input.email, input.name
FROM unnest($1::uuid[], $2::text[], $3::text[]) WITH ORDINALITY AS input (id, email, name, position)
ORDER BY lower(input.email COLLATE "C"), input.position
ON CONFLICT (lower(email COLLATE "C")) WHERE deleted_at IS NULL DO NOTHING
RETURNING id, email, name, version, created_at, updated_at, deleted_at;

-- name: GetUser :one
SELECT id, email, name, version, created_at, updated_at, deleted_at
FROM users
WHERE id = $1 AND deleted_at IS NULL;

-- name: GetUserByEmail :one
SELECT id, email, name, version, created_at, updated_at, deleted_at
FROM users
WHERE lower(email COLLATE "C") = lower($1::text COLLATE "C") AND deleted_at IS NULL;

-- name: GetUsers :many
SELECT id, email, name, version, created_at, updated_at, deleted_at
FROM users
WHERE id = ANY ($1::uuid[]) AND deleted_at IS NULL;

-- name: UpdateUser :one
-- What is NULL stays as it is.
UPDATE users
SET email = coalesce($3::text, email), name = coalesce($4::text, name), version = version + 1
WHERE id = $1 AND version = $2 AND deleted_at IS NULL
RETURNING id, email, name, version, created_at, updated_at, deleted_at;

-- name: SoftDeleteUser :one
UPDATE users
SET deleted_at = statement_timestamp(), version = version + 1
WHERE id = $1 AND version = $2 AND deleted_at IS NULL
RETURNING id, email, name, version, created_at, updated_at, deleted_at;

-- name: RestoreUser :one
UPDATE users
SET deleted_at = NULL, version = version + 1
WHERE id = $1 AND deleted_at IS NOT NULL
RETURNING id, email, name, version, created_at, updated_at, deleted_at;

-- name: ListUsers :many
-- Newest first: identifiers of version 7 are in the order of creation.
SELECT id, email, name, version, created_at, updated_at, deleted_at
FROM users
WHERE deleted_at IS NULL AND id < $1
ORDER BY id DESC
LIMIT $2;

-- name: ListUsersBackward :many
SELECT id, email, name, version, created_at, updated_at, deleted_at
FROM users
WHERE deleted_at IS NULL AND id > $1
ORDER BY id
LIMIT $2;

-- name: ListUsersByOffset :many
SELECT id, email, name, version, created_at, updated_at, deleted_at
FROM users
WHERE deleted_at IS NULL
ORDER BY id DESC
LIMIT $1 OFFSET $2;

-- name: CountUsers :one
SELECT count(*) AS total
FROM users
WHERE deleted_at IS NULL;
