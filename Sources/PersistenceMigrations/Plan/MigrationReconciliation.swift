/// The lines that bring the ledger in agreement with the version table, which another tool or `force` may have moved.
struct MigrationReconciliation: Hashable {
    /// Migrations that are applied and have no line, or, after `force`, a line of another text.
    var adopted: [Migration] = []
    /// Lines of migrations that are not applied any more.
    var reverted: [MigrationRecord] = []
    /// Lines of applied migrations whose files are gone, which `force` accepts.
    var forgotten: [MigrationRecord] = []

    var isEmpty: Bool { adopted.isEmpty && reverted.isEmpty && forgotten.isEmpty }

    /// What another tool has done since the ledger's last line.
    init(_ migrations: MigrationSet, status: MigrationStatus, ledger: [MigrationRecord]) {
        // Nobody knows what of a dirty version is applied.
        guard !status.current.isDirty else { return }
        let adopted = status.items.filter { $0.state == .applied && !($0.record?.isApplied ?? false) }
        self.adopted = adopted.compactMap { migrations[version: $0.version] }
        self.reverted = Self.reverted(ledger, above: status.current)
    }

    /// What a person declares by forcing a version: every file up to it is applied as it is now, and nothing above it.
    init(
        forcing target: SchemaVersion, _ migrations: MigrationSet, ledger: [MigrationRecord], checksums: [Int64: String]
    ) {
        let latest = ledger.latest
        adopted = migrations.migrations.filter { migration in
            guard target.includes(migration.version) else { return false }
            guard let record = latest[migration.version], record.isApplied else { return true }
            return record.checksum != checksums[migration.version]
        }
        forgotten = latest.values.filter {
            $0.isApplied && target.includes($0.version) && migrations[version: $0.version] == nil
        }.sorted { $0.version < $1.version }
        reverted = Self.reverted(ledger, above: target)
    }

    private static func reverted(_ ledger: [MigrationRecord], above current: SchemaVersion) -> [MigrationRecord] {
        ledger.latest.values.filter {
            ($0.isApplied || $0.action == .forgotten) && !current.includes($0.version)
        }.sorted { $0.version < $1.version }
    }
}
