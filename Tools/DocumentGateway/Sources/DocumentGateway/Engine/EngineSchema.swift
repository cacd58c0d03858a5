internal import PersistenceCore
internal import PostgresEngine

/// The gateway's own tables in the engine's database: what must outlive the gateway.
///
/// Their names avoid the words by which the pool recognizes statements that change a connection, such as "session": it
/// would reset the connection after each.
enum EngineSchema {
    /// Creates what is missing; several gateways may start at once.
    static func prepare(_ database: PostgresDatabase) async throws {
        try await database.withConnection { (connection) async throws in
            try await connection.executeScript(
                """
                BEGIN;
                SELECT pg_advisory_xact_lock(7166179);
                CREATE EXTENSION IF NOT EXISTS documentdb CASCADE;
                CREATE SCHEMA IF NOT EXISTS document_gateway;
                -- The last reply of each session's retryable writes, or that its last transaction was committed.
                CREATE TABLE IF NOT EXISTS document_gateway.replies (
                    writer bytea PRIMARY KEY,
                    number bigint NOT NULL,
                    reply bytea NOT NULL,
                    used timestamptz NOT NULL DEFAULT now()
                ) WITH (fillfactor = 50);
                -- The engine knows three roles for a whole server; these are the ones clients were given.
                CREATE TABLE IF NOT EXISTS document_gateway.users (
                    name text PRIMARY KEY,
                    database text NOT NULL,
                    roles bytea NOT NULL
                );
                COMMIT;
                """)
        }
    }

    /// Forgets the records of sessions that no driver can use any more.
    static func forgetOldSessions(_ database: PostgresDatabase) async throws(PersistenceError) {
        try await database.execute("DELETE FROM document_gateway.replies WHERE used < now() - interval '35 minutes'")
    }
}
