CREATE TABLE workspace_members (
    workspace_id uuid NOT NULL,
    user_id uuid NOT NULL,
    role text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT workspace_members_pkey PRIMARY KEY (workspace_id, user_id),
    CONSTRAINT workspace_members_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE,
    CONSTRAINT workspace_members_user_id_fkey
        FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE RESTRICT,
    -- A CHECK and not an enum type: a role is added by replacing the constraint, without touching the rows.
    CONSTRAINT workspace_members_role_check CHECK (role IN ('owner', 'admin', 'member', 'viewer'))
);

-- The workspaces of a user, and the foreign key's own look-ups.
CREATE INDEX idx_workspace_members_user_id_workspace_id ON workspace_members (user_id, workspace_id);

-- The owners of a workspace.
CREATE INDEX idx_workspace_members_workspace_id_owner ON workspace_members (workspace_id) WHERE role = 'owner';

CREATE TRIGGER workspace_members_set_updated_at
    BEFORE UPDATE ON workspace_members
    FOR EACH ROW
    EXECUTE FUNCTION set_updated_at();

-- A workspace keeps an owner. Two owners who leave at the same moment must not both succeed: each would still see the
-- other. So both write the workspace's row first. Under READ COMMITTED the second waits and then sees that the first is
-- gone; under the stricter levels it fails with 40001 and runs again.
CREATE FUNCTION keep_workspace_owner() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE workspaces SET updated_at = statement_timestamp() WHERE id = OLD.workspace_id;
    -- No row: the workspace itself is being removed, and its members with it.
    IF FOUND AND NOT EXISTS (
        SELECT 1 FROM workspace_members WHERE workspace_id = OLD.workspace_id AND role = 'owner'
    ) THEN
        RAISE EXCEPTION 'a workspace must keep an owner'
            USING ERRCODE = 'check_violation',
                SCHEMA = TG_TABLE_SCHEMA,
                TABLE = TG_TABLE_NAME,
                CONSTRAINT = 'workspace_members_owner_check';
    END IF;
    RETURN NULL;
END;
$$;

CREATE CONSTRAINT TRIGGER workspace_members_owner_removed
    AFTER DELETE ON workspace_members
    DEFERRABLE INITIALLY IMMEDIATE
    FOR EACH ROW
    WHEN (OLD.role = 'owner')
    EXECUTE FUNCTION keep_workspace_owner();

CREATE CONSTRAINT TRIGGER workspace_members_owner_changed
    AFTER UPDATE ON workspace_members
    DEFERRABLE INITIALLY IMMEDIATE
    FOR EACH ROW
    WHEN (OLD.role = 'owner' AND (NEW.role <> 'owner' OR NEW.workspace_id <> OLD.workspace_id))
    EXECUTE FUNCTION keep_workspace_owner();

COMMENT ON TABLE workspace_members IS 'Who takes part in which workspace, and as what';
COMMENT ON FUNCTION keep_workspace_owner() IS 'Trigger: refuses to take the last owner from a workspace';
