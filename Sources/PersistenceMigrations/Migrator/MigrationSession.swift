import PersistenceCore
import PostgresEngine

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A connection with what a migrator knows of its database: the names of its tables, and the settings to return to.
///
/// Every name is qualified, because a file may change the search path.
struct MigrationSession {
    let connection: PostgresConnection
    let versionTable: PostgresIdentifier
    let ledgerTable: PostgresIdentifier
    let schema: String
    let lockIdentifiers: [Int64]
    /// What a file may find changed, applied before it runs.
    let settings: [(name: String, value: String)]
    /// The user's own settings of the session, which a reset would take away.
    private let baseline: [(name: String, value: String)]
    private let applier: String?

    init(_ connection: PostgresConnection, _ configuration: Migrator.Configuration) async throws(PersistenceError) {
        self.connection = connection
        let (database, current) = try await connection.one(
            "SELECT current_database()::text, current_schema()::text", as: (String, String?).self)
        var settings: [(name: String, value: String)] = []
        for name in [configuration.schema, configuration.tableSchema].compactMap(\.self) {
            try await Self.checkExists(schema: name, on: connection)
        }
        if let schema = configuration.schema {
            let path = try ([schema] + configuration.additionalSearchPath).map { name throws(PersistenceError) in
                try PostgresIdentifier(name).quoted
            }
            settings.append(("search_path", path.joined(separator: ", ")))
        }
        if let timeout = configuration.statementLockTimeout {
            settings.append(("lock_timeout", "\(timeout.clampedMilliseconds)"))
        }
        if let timeout = configuration.statementTimeout {
            settings.append(("statement_timeout", "\(timeout.clampedMilliseconds)"))
        }
        guard let schema = configuration.schema ?? current else {
            throw PersistenceError(
                .configuration, "no schema of the connection's search path exists; create one, or name one",
                operation: "migrate")
        }
        let tableSchema = configuration.tableSchema ?? schema
        self.schema = schema
        self.settings = settings
        versionTable = try PostgresIdentifier(tableSchema, configuration.table)
        ledgerTable = try PostgresIdentifier(tableSchema, configuration.ledgerTable)
        lockIdentifiers = MigrationLockIdentifiers.both(
            schema: tableSchema, table: configuration.table, database: database)
        applier = configuration.applier
        baseline = try await connection.all(
            """
            SELECT name, setting FROM pg_catalog.pg_settings WHERE source = 'session'
            UNION ALL SELECT 'role', current_setting('role')
            """, as: (String, String).self
        ).map { (name: $0.0, value: $0.1) }
    }

    private static func checkExists(
        schema: String, on connection: PostgresConnection
    ) async throws(PersistenceError) {
        let exists = try await connection.one(
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = \(schema))", as: Bool.self)
        if !exists {
            throw PersistenceError(
                .configuration, "there is no schema \"\(schema)\" in the database; create it first",
                operation: "migrate")
        }
    }

    /// Runs `body` in a transaction; BEGIN has been sent when it starts, so that scripts run inside it, too.
    func inTransaction<Result>(
        _ body: (PostgresTransaction) async throws -> Result
    ) async throws -> Result {
        try await connection.withTransaction { transaction in
            try await transaction.execute("SELECT 1")
            return try await body(transaction)
        }
    }

    // MARK: - The session's settings

    /// Applies the migrator's settings for a file.
    ///
    /// - Parameter isLocal: Whether they end with the transaction.
    func applySettings(isLocal: Bool) async throws(PersistenceError) {
        for (name, value) in settings {
            try await connection.execute("SELECT set_config(\(name), \(value), \(isLocal))")
        }
    }

    /// Brings the session back to what it was before the file, so that no file depends on one before it.
    func restoreSettings() async throws(PersistenceError) {
        try await connection.executeScript("RESET SESSION AUTHORIZATION; RESET ALL")
        for (name, value) in baseline {
            try await connection.execute("SELECT set_config(\(name), \(value), false)")
        }
    }

    // MARK: - State

    private func exists(_ table: PostgresIdentifier) async throws(PersistenceError) -> Bool {
        try await connection.one(
            """
            SELECT EXISTS (
                SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = \(table.parts[0]) AND c.relname = \(table.parts[1]))
            """, as: Bool.self)
    }

    /// Makes the migrator's tables where they are missing.
    func prepareTables() async throws {
        // Asked first, so that a role without the right to create tables can use what is there.
        if try await !exists(versionTable) {
            try await connection.execute(
                """
                CREATE TABLE IF NOT EXISTS \(versionTable) (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL)
                """)
        }
        if try await !exists(ledgerTable) {
            try await connection.execute(
                """
                CREATE TABLE IF NOT EXISTS \(ledgerTable) (
                    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                    version bigint NOT NULL,
                    title text NOT NULL,
                    action text NOT NULL CHECK (action IN ('up', 'down', 'adopted', 'reverted', 'forgotten')),
                    checksum text,
                    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
                    duration interval,
                    applier text NOT NULL
                )
                """)
        }
    }

    /// What the version table says.
    func version() async throws(PersistenceError) -> SchemaVersion {
        guard try await exists(versionTable) else { return .none }
        let rows: [(Int64, Bool)]
        do throws(PersistenceError) {
            rows = try await connection.all(
                "SELECT version, dirty FROM \(versionTable) LIMIT 2", as: (Int64, Bool).self)
        } catch  where error.code == .invalidStatement || error.code == .decoding {
            throw PersistenceError(
                .migration,
                "the table \(versionTable.quoted) is not a version table of golang-migrate; use a table of another name"
            ).with { $0.underlying = error }
        }
        guard rows.count < 2 else {
            throw PersistenceError(.migration, "the table \(versionTable.quoted) has more than one row")
        }
        guard let (version, isDirty) = rows.first else { return .none }
        // golang-migrate keeps a row of -1 while the first migration is being taken back.
        return SchemaVersion(version < 0 ? nil : version, isDirty: isDirty)
    }

    /// The ledger's lines, oldest first.
    func ledger() async throws(PersistenceError) -> [MigrationRecord] {
        guard try await exists(ledgerTable) else { return [] }
        let rows = try await connection.all(
            """
            SELECT version, title, action, checksum, (extract(epoch FROM recorded_at) * 1000000)::bigint,
                (extract(epoch FROM duration) * 1000000)::bigint, applier
            FROM \(ledgerTable) ORDER BY id
            """, as: (Int64, String, String, String?, Int64, Int64?, String).self)
        return rows.compactMap { version, title, action, checksum, recordedAt, duration, applier in
            MigrationRecord.Action(rawValue: action).map { action in
                MigrationRecord(
                    version: version, title: title, action: action, checksum: checksum,
                    recordedAt: .init(timeIntervalSince1970: Double(recordedAt) / 1_000_000),
                    duration: duration.map { .microseconds($0) }, applier: applier)
            }
        }
    }

    /// How the database and the files compare.
    func status(
        of migrations: MigrationSet
    ) async throws(PersistenceError) -> (status: MigrationStatus, ledger: [MigrationRecord]) {
        let version = try await version()
        let ledger = try await ledger()
        let latest = ledger.latest
        let compared = migrations.migrations.filter { version.includes($0.version) && latest[$0.version] != nil }
        let checksums = try await checksums(of: compared)
        return (MigrationStatus(migrations, current: version, ledger: ledger, checksums: checksums), ledger)
    }

    /// The SHA-256 of up files.
    ///
    /// The server computes them: it is at hand wherever a checksum is needed, and a cryptography library would cost every
    /// user of this one more build time than all the rest of it.
    func checksums(of migrations: [Migration]) async throws(PersistenceError) -> [Int64: String] {
        var checksums: [Int64: String] = [:]
        var rest = migrations.filter { $0.up != nil }[...]
        while !rest.isEmpty {
            // In portions, so that no message grows without bound.
            var size = 0
            let portion = rest.prefix { migration in
                size += migration.up?.text.utf8.count ?? 0
                return size <= 8 << 20
            }
            let batch = portion.isEmpty ? rest.prefix(1) : portion
            let texts = batch.map { $0.up?.checksumInput ?? [] }
            let sums = try await connection.all(
                """
                SELECT encode(sha256(text), 'hex') FROM unnest(\(texts)::bytea[]) WITH ORDINALITY AS file (text, number)
                ORDER BY number
                """, as: String.self)
            for (migration, sum) in zip(batch, sums) { checksums[migration.version] = sum }
            rest = rest.dropFirst(batch.count)
        }
        return checksums
    }

    // MARK: - Changes

    /// Sets the version table's row as golang-migrate does: none for no version, unless it is dirty.
    func setVersion(_ version: SchemaVersion, on executor: PostgresTransaction) async throws(PersistenceError) {
        try await executor.execute("DELETE FROM \(versionTable)")
        if version.version != nil || version.isDirty {
            try await executor.execute(
                "INSERT INTO \(versionTable) (version, dirty) VALUES (\(version.version ?? -1), \(version.isDirty))")
        }
    }

    func record(
        _ action: MigrationRecord.Action, version: Int64, title: String, checksum: String?, duration: Duration? = nil,
        on executor: PostgresTransaction
    ) async throws(PersistenceError) {
        let suffix = applier.map { " (\($0))" } ?? ""
        let microseconds = duration?.clampedMicroseconds
        try await executor.execute(
            """
            INSERT INTO \(ledgerTable) (version, title, action, checksum, duration, applier)
            VALUES (\(version), \(title), \(action.rawValue), \(checksum), \(microseconds) * interval '1 microsecond',
                session_user || \(suffix))
            """)
    }

    func record(
        _ reconciliation: MigrationReconciliation, checksums: [Int64: String], on executor: PostgresTransaction
    ) async throws(PersistenceError) {
        for record in reconciliation.reverted {
            try await self.record(
                .reverted, version: record.version, title: record.title, checksum: record.checksum, on: executor)
        }
        for record in reconciliation.forgotten {
            try await self.record(
                .forgotten, version: record.version, title: record.title, checksum: record.checksum, on: executor)
        }
        for migration in reconciliation.adopted {
            try await record(
                .adopted, version: migration.version, title: migration.title,
                checksum: checksums[migration.version], on: executor)
        }
    }
}
