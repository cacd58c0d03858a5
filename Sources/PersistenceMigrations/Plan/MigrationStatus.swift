/// How the database and the files compare.
public struct MigrationStatus: Hashable, Sendable {
    /// One migration.
    public struct Item: Hashable, Sendable, Identifiable {
        /// Where a migration stands.
        public enum State: String, Hashable, Sendable, CaseIterable {
            /// Applied, and its file is what it was.
            case applied
            /// Newer than the schema.
            case pending
            /// Applied, and its file has changed since.
            case changed
            /// Applied, and its file is gone.
            case missing
            /// Older than the schema and never applied.
            case outOfOrder
        }

        /// The migration's version.
        public let version: Int64
        /// The migration's title.
        public let title: String
        /// Where it stands.
        public let state: State
        /// The ledger's latest line about it.
        public let record: MigrationRecord?
        /// Whether there is an up file.
        public let hasUp: Bool
        /// Whether there is a down file.
        public let hasDown: Bool

        /// The version.
        public var id: Int64 { version }
    }

    /// A disagreement between the database and the files, or a file that cannot be run.
    public struct Finding: Hashable, Sendable, CustomStringConvertible {
        /// The kind of a disagreement.
        @nonexhaustive
        public enum Kind: String, Hashable, Sendable, CaseIterable {
            /// A migration outside a transaction was cut short.
            case dirty
            /// An applied file has changed.
            case changed
            /// An applied migration has no file.
            case missing
            /// The schema is newer than the newest file.
            case databaseAhead
            /// A file is older than the schema and was never applied.
            case outOfOrder
            /// A file cannot be taken apart.
            case invalid
        }

        /// What disagrees.
        public let kind: Kind
        /// The version concerned; -1 is no version.
        public let version: Int64
        /// A sentence for a person.
        public let description: String
    }

    /// What golang-migrate's table says.
    public let current: SchemaVersion

    /// Every migration of the files and of the ledger, by version.
    public let items: [Item]

    /// The disagreements, by version.
    public let findings: [Finding]

    /// The migrations that `up` would apply if nothing disagreed.
    public var pending: [Item] { items.filter { $0.state == .pending } }

    /// Files in the folder that are no migrations.
    public let ignoredFiles: [String]

    /// Compares.
    ///
    /// - Parameters:
    ///   - migrations: The files.
    ///   - current: What golang-migrate's table says.
    ///   - ledger: The ledger, oldest line first.
    ///   - checksums: The checksums of the up files by version; files left out are not compared.
    public init(
        _ migrations: MigrationSet, current: SchemaVersion, ledger: [MigrationRecord], checksums: [Int64: String]
    ) {
        let latest = ledger.latest
        // Another tool may have gone on from where the ledger ends, so only below its newest line is a gap a gap.
        let head = latest.values.filter { $0.isApplied && current.includes($0.version) }.map(\.version).max()
        let newestFile = migrations.migrations.last?.version
        var items: [Int64: Item] = [:]
        for migration in migrations.migrations {
            let version = migration.version
            let record = latest[version]
            let state: Item.State
            if !current.includes(version) {
                state = .pending
            } else if let record, record.isApplied {
                let isSame = checksums[version] == nil || checksums[version] == record.checksum
                state = isSame ? .applied : .changed
            } else {
                state = head.map { version < $0 } ?? false ? .outOfOrder : .applied
            }
            items[version] = Item(
                version: version, title: migration.title, state: state, record: record, hasUp: migration.up != nil,
                hasDown: migration.down != nil)
        }
        for (version, record) in latest where items[version] == nil && record.isApplied && current.includes(version) {
            items[version] = Item(
                version: version, title: record.title, state: .missing, record: record, hasUp: false, hasDown: false)
        }
        if let version = current.version, items[version] == nil, latest[version]?.action != .forgotten {
            // Neither a file nor the ledger knows the schema's version: another tool brought it there.
            items[version] = Item(
                version: version, title: "", state: .missing, record: nil, hasUp: false, hasDown: false)
        }
        self.current = current
        self.items = items.values.sorted { $0.version < $1.version }
        self.ignoredFiles = migrations.ignoredFiles
        var findings: [Finding] = []
        if current.isDirty {
            findings.append(
                Finding(
                    kind: .dirty, version: current.version ?? -1,
                    description:
                        "the database is dirty at version \(current.version ?? -1): a migration was cut short; "
                        + "repair the schema by hand, then tell its version with force"))
        }
        for item in self.items {
            if let finding = Self.finding(about: item, newestFile: newestFile, origin: migrations.origin) {
                findings.append(finding)
            }
        }
        self.findings = findings
    }

    private init(_ status: MigrationStatus, adding findings: [Finding]) {
        self.current = status.current
        self.items = status.items
        self.ignoredFiles = status.ignoredFiles
        self.findings = (status.findings + findings).sorted { $0.version < $1.version }
    }

    func adding(_ findings: [Finding]) -> MigrationStatus {
        MigrationStatus(self, adding: findings)
    }

    private static func finding(about item: Item, newestFile: Int64?, origin: String) -> Finding? {
        let name = item.title.isEmpty ? "\(item.version)" : "\(item.version) (\(item.title))"
        switch item.state {
        case .applied, .pending: return nil
        case .changed:
            return Finding(
                kind: .changed, version: item.version,
                description: "the up file of version \(name) has changed since it was applied")
        case .outOfOrder:
            return Finding(
                kind: .outOfOrder, version: item.version,
                description: "version \(name) is older than the schema and was never applied")
        case .missing where newestFile.map { item.version > $0 } ?? true:
            return Finding(
                kind: .databaseAhead, version: item.version,
                description: "the database has version \(name), newer than any file in \(origin)")
        case .missing:
            return Finding(
                kind: .missing, version: item.version,
                description: "version \(name) is applied, but has no file in \(origin)")
        }
    }
}

extension [MigrationRecord] {
    /// The last line about each version.
    var latest: [Int64: MigrationRecord] {
        Dictionary(map { ($0.version, $0) }) { _, later in later }
    }
}
