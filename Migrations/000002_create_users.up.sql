CREATE TABLE users (
    -- A UUID of version 7, made by the client: it knows the key before it asks, and keys arrive in order.
    id uuid NOT NULL,
    email text NOT NULL,
    name text NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_email_check CHECK (email ~ '^[^@[:space:]]+@[^@[:space:]]+$' AND octet_length(email) <= 254),
    CONSTRAINT users_name_check CHECK (name !~ '^\s*$' AND char_length(name) <= 200),
    CONSTRAINT users_version_check CHECK (version >= 1)
);

-- One account per address, in any spelling of its letters. A deleted user's address is free again.
-- The C collation folds ASCII letters only and the same in every database; citext would need an extension.
CREATE UNIQUE INDEX idx_users_email ON users (lower(email COLLATE "C")) WHERE deleted_at IS NULL;

-- Lists of existing users, and their number, without a look at the deleted.
CREATE INDEX idx_users_id ON users (id) WHERE deleted_at IS NULL;

CREATE TRIGGER users_set_updated_at
    BEFORE UPDATE ON users
    FOR EACH ROW
    EXECUTE FUNCTION set_updated_at();

COMMENT ON TABLE users IS 'People with an account';
COMMENT ON COLUMN users.version IS 'Optimistic locking: grows by one with every change';
COMMENT ON COLUMN users.deleted_at IS 'Soft delete: NULL for users that exist';
