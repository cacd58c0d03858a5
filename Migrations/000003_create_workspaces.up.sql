CREATE TABLE workspaces (
    id uuid NOT NULL,
    name text NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    CONSTRAINT workspaces_pkey PRIMARY KEY (id),
    CONSTRAINT workspaces_name_check CHECK (name !~ '^\s*$' AND char_length(name) <= 200),
    CONSTRAINT workspaces_version_check CHECK (version >= 1)
);

CREATE TRIGGER workspaces_set_updated_at
    BEFORE UPDATE ON workspaces
    FOR EACH ROW
    EXECUTE FUNCTION set_updated_at();

COMMENT ON TABLE workspaces IS 'Places that several people work in';
COMMENT ON COLUMN workspaces.version IS 'Optimistic locking: grows by one with every change';
COMMENT ON COLUMN workspaces.deleted_at IS 'Soft delete: NULL for workspaces that exist';
