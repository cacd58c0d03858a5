public import PersistenceCore

/// What a command changes, known before anything is changed.
public struct MigrationPlan: Hashable, Sendable {
    /// A way to change the schema's version.
    @nonexhaustive
    public enum Command: Hashable, Sendable {
        /// Applies all pending migrations, or the first few.
        case up(limit: Int?)
        /// Takes back all applied migrations, or the last few.
        case down(limit: Int?)
        /// Goes to a version, up or down.
        case goto(Int64)
    }

    /// One file to run.
    public struct Step: Hashable, Sendable, CustomStringConvertible {
        /// The migration.
        public let migration: Migration
        /// Which of its files runs.
        public let direction: MigrationDirection
        /// The file, taken apart.
        public let script: MigrationScript
        /// The schema's version before; `nil` is none.
        public let from: Int64?
        /// The schema's version afterwards; `nil` is none.
        public let to: Int64?

        /// Version, direction and title: `3/up create_users`.
        public var description: String { "\(migration.version)/\(direction) \(migration.title)" }
    }

    /// Where the schema stands.
    public let current: SchemaVersion

    /// The files to run, in their order.
    public let steps: [Step]

    /// How many migrations fewer there are than a limit asked for.
    public let shortfall: Int

    /// Disagreements that the policy accepts.
    public let accepted: [MigrationStatus.Finding]

    /// The schema's version when all steps have run.
    public var target: Int64? { steps.isEmpty ? current.version : steps[steps.count - 1].to }

    /// Makes a plan.
    ///
    /// - Parameters:
    ///   - command: What is wanted.
    ///   - migrations: The files.
    ///   - status: How the database and the files compare.
    ///   - policy: What to do when they disagree.
    /// - Throws: ``PersistenceError`` with the code `migration` when the database is dirty, when files and database
    ///   disagree in a way that the policy refuses, or when a file that is needed is missing or cannot be taken apart;
    ///   with the code `invalidArgument` when a limit or version is negative.
    public init(
        _ command: Command, _ migrations: MigrationSet, status: MigrationStatus, policy: MigrationPolicy
    ) throws(PersistenceError) {
        if status.current.isDirty {
            let finding = status.findings.first { $0.kind == .dirty }
            throw PersistenceError(.migration, finding?.description)
        }
        self.current = status.current
        switch command {
        case .up(let limit):
            try Self.check(limit)
            guard !migrations.migrations.isEmpty else {
                throw PersistenceError(.migration, "there are no migration files in \(migrations.origin)")
            }
            accepted = try Self.refuse(status, policy)
            let wanted = Self.versionsUp(status, policy, through: nil)
            steps = try Self.up(Array(wanted.prefix(limit ?? wanted.count)), migrations, from: current.version)
            shortfall = max(0, (limit ?? 0) - wanted.count)
        case .down(let limit):
            try Self.check(limit)
            accepted = []
            let wanted = Self.versionsDown(status, to: nil)
            steps = try Self.down(Array(wanted.prefix(limit ?? wanted.count)), migrations, status)
            shortfall = max(0, (limit ?? 0) - wanted.count)
        case .goto(let version):
            guard version >= 0 else {
                throw PersistenceError(.invalidArgument, "a version is not negative; to take back everything use down")
            }
            guard migrations[version: version] != nil else {
                let hint = version == 0 ? "; to take back everything use down" : ""
                throw PersistenceError(.migration, "there is no migration \(version) in \(migrations.origin)\(hint)")
            }
            if status.items.contains(where: { $0.version == version && $0.state == .outOfOrder }) {
                throw PersistenceError(
                    .migration,
                    "version \(version) is older than the schema and was never applied, so it cannot be gone to")
            }
            shortfall = 0
            if current.includes(version), current.version != version {
                accepted = []
                steps = try Self.down(Self.versionsDown(status, to: version), migrations, status)
            } else {
                accepted = try Self.refuse(status, policy)
                let wanted = Self.versionsUp(status, policy, through: version)
                steps = try Self.up(wanted, migrations, from: current.version)
            }
        }
    }

    private static func check(_ limit: Int?) throws(PersistenceError) {
        if let limit, limit < 0 {
            throw PersistenceError(.invalidArgument, "a number of migrations is not negative")
        }
    }

    /// Throws for what the policy refuses; returns what it accepts.
    private static func refuse(
        _ status: MigrationStatus, _ policy: MigrationPolicy
    ) throws(PersistenceError) -> [MigrationStatus.Finding] {
        var accepted: [MigrationStatus.Finding] = []
        var refused: [MigrationStatus.Finding] = []
        for finding in status.findings {
            let isRefused =
                switch finding.kind {
                case .changed: policy.changed == .refuse
                case .missing: policy.missing == .refuse
                case .databaseAhead: policy.databaseAhead == .refuse
                case .outOfOrder: policy.outOfOrder == .refuse
                case .dirty, .invalid: true
                }
            if isRefused { refused.append(finding) } else { accepted.append(finding) }
        }
        guard refused.isEmpty else {
            // A folder of a thousand files may disagree a thousand times.
            let shown = refused.prefix(20).map(\.description).joined(separator: "; ")
            let more = refused.count > 20 ? "; and \(refused.count - 20) more" : ""
            throw PersistenceError(.migration, shown + more)
        }
        return accepted
    }

    private static func versionsUp(
        _ status: MigrationStatus, _ policy: MigrationPolicy, through last: Int64?
    ) -> [Int64] {
        status.items.filter { item in
            if let last, item.version > last { return false }
            return item.state == .pending || (item.state == .outOfOrder && policy.outOfOrder == .apply)
        }.map(\.version)
    }

    private static func versionsDown(_ status: MigrationStatus, to target: Int64?) -> [Int64] {
        applied(status).reversed().filter { version in target.map { version > $0 } ?? true }
    }

    private static func applied(_ status: MigrationStatus) -> [Int64] {
        status.items.filter { $0.state != .pending && $0.state != .outOfOrder }.map(\.version)
    }

    private static func up(
        _ versions: [Int64], _ migrations: MigrationSet, from start: Int64?
    ) throws(PersistenceError) -> [Step] {
        var steps: [Step] = []
        var from = start
        for version in versions {
            // The versions come from the same files.
            guard let migration = migrations[version: version] else { continue }
            guard let file = migration.up else {
                throw PersistenceError(
                    .migration,
                    "version \(version) has a down file (\(migration.down?.path ?? "")) and no up file; "
                        + "if there is nothing to do, add an empty one")
            }
            let to = max(version, from ?? version)
            steps.append(
                Step(migration: migration, direction: .up, script: try MigrationScript(file), from: from, to: to))
            from = to
        }
        return steps
    }

    private static func down(
        _ versions: [Int64], _ migrations: MigrationSet, _ status: MigrationStatus
    ) throws(PersistenceError) -> [Step] {
        var steps: [Step] = []
        let applied = applied(status)
        for version in versions {
            let below = applied.last { $0 < version }
            guard let migration = migrations[version: version], let file = migration.down else {
                let name = migrations[version: version]?.up?.path ?? "version \(version)"
                throw PersistenceError(
                    .migration,
                    "\(name) cannot be taken back: there is no down file of version \(version) in \(migrations.origin); "
                        + "if there is nothing to do, add an empty one")
            }
            steps.append(
                Step(
                    migration: migration, direction: .down, script: try MigrationScript(file), from: version, to: below)
            )
        }
        return steps
    }
}
