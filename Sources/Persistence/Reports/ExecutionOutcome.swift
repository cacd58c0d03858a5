/// How something ended.
public enum ExecutionOutcome: String, Hashable, Sendable, Codable, CaseIterable {
    /// It did what it should.
    case succeeded
    /// It could not do what it should.
    case failed
    /// Somebody stopped it.
    case cancelled
}
