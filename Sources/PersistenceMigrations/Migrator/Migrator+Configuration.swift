import PersistenceCore

extension Migrator {
    /// How a migrator works.
    public struct Configuration: Hashable, Sendable {
        /// The schema that files create their tables in and that holds the migrator's own tables.
        ///
        /// It must exist. While files run, it is the whole `search_path`, with ``additionalSearchPath`` behind it. `nil`
        /// leaves the connection's `search_path` as it is and takes its first schema.
        public var schema: String?

        /// Schemas that files find names in without naming them, after ``schema``; such as `public`, where extensions are.
        public var additionalSearchPath: [String]

        /// The table that holds the schema's version: golang-migrate's `x-migrations-table`.
        public var table: String

        /// The schema of ``table``, when it is another than ``schema``.
        public var tableSchema: String?

        /// How long to wait for another migrator to finish.
        public var lockTimeout: Duration

        /// How long a statement of a file may wait for a lock on a table; `nil` is the server's setting.
        ///
        /// A statement that waits for a lock holds up every statement that comes after it, so that a small value, with a
        /// second attempt, is kinder to a running service than patience.
        public var statementLockTimeout: Duration?

        /// How long a statement of a file may run; `nil` is the server's setting.
        public var statementTimeout: Duration?

        /// What to do when the database's history and the files disagree.
        public var policy: MigrationPolicy

        /// The name of the program, for the ledger; the database's user is recorded in any case.
        public var applier: String?

        /// Creates a configuration.
        ///
        /// - Parameters:
        ///   - schema: The schema that files create their tables in; `nil` is the first of the connection's search path.
        ///   - table: The table that holds the schema's version.
        ///   - lockTimeout: How long to wait for another migrator to finish.
        ///   - policy: What to do when the database's history and the files disagree.
        ///   - applier: The name of the program, for the ledger.
        public init(
            schema: String? = nil, table: String = "schema_migrations", lockTimeout: Duration = .seconds(15),
            policy: MigrationPolicy = .init(), applier: String? = nil
        ) {
            self.schema = schema
            self.additionalSearchPath = []
            self.table = table
            self.lockTimeout = lockTimeout
            self.policy = policy
            self.applier = applier
        }

        /// The ledger's name.
        public var ledgerTable: String { table + "_ledger" }

        func validate() throws(PersistenceError) {
            var faults: [String] = []
            let names: [(String, String)] =
                [("the table", table), ("the ledger", ledgerTable)]
                + [("the schema", schema), ("the table's schema", tableSchema)].compactMap { what, name in
                    name.map { (what, $0) }
                }
                + additionalSearchPath.map { ("a schema of the search path", $0) }
            for (what, name) in names {
                if name.isEmpty { faults.append("\(what) has no name") }
                if name.utf8.contains(0) { faults.append("the name of \(what) holds a NUL character") }
                // A longer name is cut off by the server in silence (NAMEDATALEN), and would meet another of its kind.
                if name.utf8.count > 63 { faults.append("the name of \(what) is longer than 63 bytes") }
            }
            if lockTimeout < .zero { faults.append("the lock timeout is negative") }
            for (what, timeout) in [("lock timeout", statementLockTimeout), ("timeout", statementTimeout)] {
                guard let timeout else { continue }
                if timeout < .milliseconds(1) || timeout.clampedMilliseconds > Int64(Int32.max) {
                    faults.append("the statements' \(what) is not between 1 ms and 24 days")
                }
            }
            guard faults.isEmpty else {
                throw PersistenceError(.configuration, faults.joined(separator: "; "), operation: "migrate")
            }
        }
    }
}

extension Duration {
    var clampedMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        return product + attoseconds / 1_000_000_000_000_000
    }

    var clampedMicroseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        return product + attoseconds / 1_000_000_000_000
    }
}
