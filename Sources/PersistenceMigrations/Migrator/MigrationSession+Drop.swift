import PersistenceCore
import PostgresEngine

extension MigrationSession {
    /// Drops everything in the schema that belongs to no extension, in one transaction.
    ///
    /// - Returns: How many objects were dropped by name.
    func dropSchemaContents() async throws -> Int {
        try await inTransaction { transaction in
            var count = 0
            // Dropping one object takes others with it, so the list is made anew until it is empty. An object that a
            // DROP … IF EXISTS leaves in place would be listed for ever; progress is therefore demanded.
            var previous: [String] = []
            while true {
                let statements = try await transaction.all(Self.dropStatements(schema), as: String.self)
                guard let first = statements.first else { return count }
                guard statements != previous else {
                    throw PersistenceError(
                        .migration, "an object in schema \"\(schema)\" cannot be dropped", operation: "migrate")
                }
                previous = statements
                // The server has quoted the names.
                try await connection.executeScript(first)
                count += 1
            }
        }
    }

    /// The statements that drop the objects, tables first because the most goes with them.
    ///
    /// What belongs to an extension or to another object is left out; a partitioned table depends on its own columns.
    private static func dropStatements(_ schema: String) -> PostgresStatement {
        """
        WITH space AS (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = \(schema)), objects AS (
            SELECT 1 AS rank, 'pg_class'::regclass AS class, c.oid, format('DROP %s IF EXISTS %I.%I CASCADE', CASE c.relkind
                WHEN 'r' THEN 'TABLE' WHEN 'p' THEN 'TABLE' WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'v' THEN 'VIEW'
                WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'SEQUENCE' END, n.nspname, c.relname) AS drop
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE n.oid = (SELECT oid FROM space) AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
            UNION ALL
            SELECT 2, 'pg_proc'::regclass, p.oid, format('DROP %s IF EXISTS %I.%I(%s) CASCADE',
                CASE p.prokind WHEN 'p' THEN 'PROCEDURE' WHEN 'a' THEN 'AGGREGATE' ELSE 'FUNCTION' END,
                n.nspname, p.proname, CASE WHEN p.prokind = 'a' AND p.pronargs = 0 THEN '*'
                    ELSE pg_catalog.pg_get_function_identity_arguments(p.oid) END)
            FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
            WHERE n.oid = (SELECT oid FROM space)
            UNION ALL
            SELECT 3, 'pg_type'::regclass, t.oid, format('DROP %s IF EXISTS %I.%I CASCADE',
                CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, n.nspname, t.typname)
            FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
            WHERE n.oid = (SELECT oid FROM space) AND (t.typtype IN ('d', 'e', 'r') OR t.typtype = 'c' AND EXISTS (
                SELECT FROM pg_catalog.pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
            UNION ALL
            SELECT 4, 'pg_collation'::regclass, l.oid, format('DROP COLLATION IF EXISTS %I.%I CASCADE', n.nspname, l.collname)
            FROM pg_catalog.pg_collation l JOIN pg_catalog.pg_namespace n ON n.oid = l.collnamespace
            WHERE n.oid = (SELECT oid FROM space)
        )
        SELECT drop FROM objects WHERE NOT EXISTS (
            SELECT FROM pg_catalog.pg_depend d
            WHERE d.classid = objects.class AND d.objid = objects.oid AND d.deptype IN ('e', 'i', 'a')
                AND d.refobjid <> d.objid)
        ORDER BY rank, objects.oid
        """
    }
}
