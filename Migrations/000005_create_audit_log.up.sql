CREATE TABLE audit_log (
    id uuid NOT NULL,
    occurred_at timestamptz NOT NULL DEFAULT now(),
    -- No foreign keys: an entry outlives the user who acted and the entity it is about.
    actor_id uuid,
    action text NOT NULL,
    entity_kind text NOT NULL,
    entity_id uuid NOT NULL,
    changes jsonb NOT NULL DEFAULT '{}',
    CONSTRAINT audit_log_pkey PRIMARY KEY (id),
    CONSTRAINT audit_log_action_check CHECK (action ~ '^[a-z_]+\.[a-z_]+$' AND char_length(action) <= 100),
    CONSTRAINT audit_log_entity_kind_check CHECK (entity_kind ~ '^[a-z_]+$' AND char_length(entity_kind) <= 50),
    CONSTRAINT audit_log_changes_check CHECK (jsonb_typeof(changes) = 'object')
);

-- The history of one entity, newest first.
CREATE INDEX idx_audit_log_entity_kind_entity_id_id ON audit_log (entity_kind, entity_id, id DESC);

-- Entries arrive in the order of time, so a few pages describe a span of months.
CREATE INDEX idx_audit_log_occurred_at ON audit_log USING brin (occurred_at);

CREATE FUNCTION refuse_audit_log_change() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only'
        USING ERRCODE = 'insufficient_privilege', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME;
END;
$$;

-- For each statement, so that also a change of no row is refused.
CREATE TRIGGER audit_log_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_audit_log_change();

COMMENT ON TABLE audit_log IS 'Who did what to which entity; entries are never changed or removed';
COMMENT ON COLUMN audit_log.changes IS 'Field name to {"before": …, "after": …}';
