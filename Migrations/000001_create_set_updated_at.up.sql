-- One trigger function for every table with an updated_at column.
-- statement_timestamp() and not now(): two changes in one transaction are told apart.
CREATE FUNCTION set_updated_at() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    NEW.updated_at := greatest(statement_timestamp(), OLD.updated_at);
    RETURN NEW;
END;
$$;

COMMENT ON FUNCTION set_updated_at() IS 'Trigger: sets updated_at to the time of the statement; never back in time';
