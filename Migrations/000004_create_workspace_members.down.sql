DROP TABLE workspace_members;

DROP FUNCTION keep_workspace_owner();
