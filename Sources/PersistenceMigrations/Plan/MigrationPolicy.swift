/// What `up` and `goto` do when the database's history and the files disagree.
///
/// The default refuses every disagreement and changes nothing. golang-migrate notices none of them but a database that
/// is ahead, which it refuses.
public struct MigrationPolicy: Hashable, Sendable {
    /// How to take a disagreement.
    public enum Tolerance: String, Hashable, Sendable, CaseIterable {
        /// Throw, and change nothing.
        case refuse
        /// Go on.
        case accept
    }

    /// What to do with files that are older than the schema's version and were never applied, as a merged branch brings.
    public enum OutOfOrder: String, Hashable, Sendable, CaseIterable {
        /// Throw, and change nothing.
        case refuse
        /// Apply them, before the newer ones; the schema's version stays the highest.
        case apply
        /// Leave them out, as golang-migrate does.
        case ignore
    }

    /// An applied file's text is not what it was.
    public var changed: Tolerance

    /// An applied migration has no file any more, though newer ones have.
    public var missing: Tolerance

    /// The schema is newer than the newest file: an older program starts while a newer one is being rolled out.
    public var databaseAhead: Tolerance

    /// Files that are older than the schema's version were never applied.
    public var outOfOrder: OutOfOrder

    /// Creates a policy.
    ///
    /// - Parameters:
    ///   - changed: An applied file's text is not what it was.
    ///   - missing: An applied migration has no file any more.
    ///   - databaseAhead: The schema is newer than the newest file.
    ///   - outOfOrder: Files older than the schema's version were never applied.
    public init(
        changed: Tolerance = .refuse, missing: Tolerance = .refuse, databaseAhead: Tolerance = .refuse,
        outOfOrder: OutOfOrder = .refuse
    ) {
        self.changed = changed
        self.missing = missing
        self.databaseAhead = databaseAhead
        self.outOfOrder = outOfOrder
    }
}
