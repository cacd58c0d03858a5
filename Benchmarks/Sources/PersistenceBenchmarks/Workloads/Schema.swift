import BenchmarkSupport

/// The tables of the benchmark, in a schema of their own that goes when the run ends.
enum Schema {
    static let rows: Int64 = 10_000

    /// How many rows W2 reads at once.
    static let readMany = 1_000

    /// How many rows W3 imports.
    static let imports = 100_000

    static let create = """
        DROP SCHEMA IF EXISTS benchmark CASCADE;
        CREATE SCHEMA benchmark;
        CREATE TABLE benchmark.items (
            id bigint PRIMARY KEY,
            owner uuid NOT NULL,
            name text NOT NULL,
            email text NOT NULL,
            score double precision NOT NULL,
            is_active boolean NOT NULL,
            visits integer NOT NULL,
            created_at timestamptz NOT NULL
        );
        INSERT INTO benchmark.items
        SELECT i, gen_random_uuid(), 'Person number ' || i, 'person.' || i || '@mail.example.com', i / 7.0, i % 3 = 0,
            (i % 1000)::integer, timestamptz '2024-01-01 00:00:00+00' + i * interval '1 minute'
        FROM generate_series(1::bigint, \(rows)) AS i;
        -- Room on each page, so that updates stay there; vacuumed between the samples and not in the middle of one.
        CREATE TABLE benchmark.accounts (
            id bigint PRIMARY KEY,
            balance bigint NOT NULL
        ) WITH (fillfactor = 50, autovacuum_enabled = false);
        INSERT INTO benchmark.accounts SELECT i, 0 FROM generate_series(1::bigint, \(rows)) AS i;
        CREATE TABLE benchmark.entries (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            account bigint NOT NULL,
            amount bigint NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now()
        ) WITH (autovacuum_enabled = false);
        CREATE TABLE benchmark.imports (LIKE benchmark.items) WITH (autovacuum_enabled = false);
        ANALYZE benchmark.items, benchmark.accounts;
        """

    /// Before each sample of a workload that writes; statements that cannot share a transaction.
    static let tidy = ["TRUNCATE benchmark.entries", "VACUUM benchmark.accounts", "CHECKPOINT"]

    /// Before each import.
    static let tidyImports = ["TRUNCATE benchmark.imports", "CHECKPOINT"]

    static let drop = "DROP SCHEMA IF EXISTS benchmark CASCADE"
}
