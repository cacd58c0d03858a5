/// The order of a list by time; of equal times, identifiers decide.
public enum ChronologicalOrder: String, Hashable, Sendable, CaseIterable {
    /// The newest first.
    case newestFirst
    /// The oldest first.
    case oldestFirst
}
