public import PersistenceCore

/// What a migrator is doing, for progress shown to a person.
@nonexhaustive
public enum MigrationEvent: Sendable {
    /// Another migrator holds the lock; told once.
    case waitingForLock
    /// The lock is held.
    case locked
    /// A file starts to run: the step, its number from 1, and how many steps there are.
    case started(MigrationPlan.Step, number: Int, of: Int)
    /// A statement of the file has run: its number from 1, and how many statements there are.
    case progressed(MigrationPlan.Step, statement: Int, of: Int)
    /// A file has run, and its version is recorded.
    case finished(MigrationPlan.Step, duration: Duration)
    /// A file has failed.
    case failed(MigrationPlan.Step, PersistenceError)
}

extension MigrationEvent: CustomStringConvertible {
    /// One line for a log, without SQL.
    ///
    /// For example, `3/up create_users: applied in 0.012 seconds`.
    public var description: String {
        switch self {
        case .waitingForLock: "waiting for another migrator"
        case .locked: "holding the lock"
        case .started(let step, let number, let count): "\(step): file \(number) of \(count)"
        case .progressed(let step, let statement, let count): "\(step): statement \(statement) of \(count)"
        case .finished(let step, let duration):
            "\(step): \(step.direction == .up ? "applied" : "taken back") in \(duration)"
        case .failed(let step, let error): "\(step): \(error)"
        }
    }
}

/// What a command has changed.
public struct MigrationReport: Hashable, Sendable {
    /// One file that has run.
    public struct Applied: Hashable, Sendable {
        /// The migration's version.
        public let version: Int64
        /// The migration's title.
        public let title: String
        /// Which of its files has run.
        public let direction: MigrationDirection
        /// How long it ran.
        public let duration: Duration
    }

    /// The files that have run, in their order.
    public let applied: [Applied]

    /// The schema's version afterwards.
    public let current: SchemaVersion

    /// How many migrations fewer there were than a limit asked for.
    public let shortfall: Int

    /// Disagreements that the policy has accepted.
    public let accepted: [MigrationStatus.Finding]

    /// Whether nothing had to be done.
    public var isUnchanged: Bool { applied.isEmpty }
}
