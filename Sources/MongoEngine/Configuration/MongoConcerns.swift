/// Which writes a read may see.
///
/// Source: "Read Concern" in the MongoDB manual.
@nonexhaustive
public enum MongoReadConcern: String, Sendable, Hashable, CaseIterable {
    /// The server's newest data, which may still be rolled back.
    case local
    /// The same, without asking other shards for what they own.
    case available
    /// Data that a majority of the members has acknowledged.
    case majority
    /// All majority writes that were acknowledged before the read began; for single documents.
    case linearizable
    /// One moment of the majority's data.
    case snapshot
}

/// When a write counts as done.
///
/// Source: "Write Concern" in the MongoDB manual. A write that nobody acknowledges (`w: 0`) is not offered: it would be
/// lost in silence.
public struct MongoWriteConcern: Sendable, Hashable {
    /// Who must have a write.
    @nonexhaustive
    public enum Acknowledgement: Sendable, Hashable {
        /// So many members, the primary included.
        case members(Int)
        /// More than half of the members.
        case majority
        /// The members that a tag set of the replica set's configuration names.
        case tag(String)
    }

    /// Who must have a write; `nil` leaves it to the server.
    public var acknowledgement: Acknowledgement?

    /// Whether it must be in their journals; `nil` leaves it to the server.
    public var isJournaled: Bool?

    /// How long the primary waits for the others before it reports an error, in whole milliseconds; `nil` is for ever.
    public var timeout: Duration?

    /// Creates a write concern.
    ///
    /// - Parameters:
    ///   - acknowledgement: Who must have a write.
    ///   - isJournaled: Whether it must be in their journals.
    ///   - timeout: How long the primary waits for the others.
    public init(_ acknowledgement: Acknowledgement? = nil, isJournaled: Bool? = nil, timeout: Duration? = nil) {
        self.acknowledgement = acknowledgement
        self.isJournaled = isJournaled
        self.timeout = timeout
    }

    /// More than half of the members.
    public static let majority = MongoWriteConcern(.majority)
}

/// Which members of a replica set reads go to.
///
/// Source: "Read Preference" in the MongoDB manual.
public struct MongoReadPreference: Sendable, Hashable {
    /// The kind of member.
    @nonexhaustive
    public enum Mode: String, Sendable, Hashable, CaseIterable {
        /// The primary alone.
        case primary
        /// The primary; a secondary where there is none.
        case primaryPreferred
        /// A secondary alone.
        case secondary
        /// A secondary; the primary where there is none.
        case secondaryPreferred
        /// The nearest member, of whatever kind.
        case nearest
    }

    /// The kind of member.
    public var mode: Mode

    /// The tags that a member must have, in order of preference: the first set that any member has decides.
    public var tagSets: [[String: String]]

    /// How far a secondary may lag, at least 90 s; `nil` is without limit.
    public var maximumStaleness: Duration?

    /// Creates a read preference.
    ///
    /// - Parameters:
    ///   - mode: The kind of member.
    ///   - tagSets: The tags that a member must have.
    ///   - maximumStaleness: How far a secondary may lag, in whole seconds.
    public init(_ mode: Mode, tagSets: [[String: String]] = [], maximumStaleness: Duration? = nil) {
        self.mode = mode
        self.tagSets = tagSets
        self.maximumStaleness = maximumStaleness
    }

    /// The primary alone.
    public static let primary = MongoReadPreference(.primary)
    /// A secondary; the primary where there is none.
    public static let secondaryPreferred = MongoReadPreference(.secondaryPreferred)
}
