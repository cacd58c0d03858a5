/// How far an activity has come.
public enum ActivityStatus: String, Hashable, Sendable, Codable, CaseIterable {
    /// It has not begun.
    case pending
    /// It is at work.
    case running
    /// It did what it should.
    case succeeded
    /// It could not do what it should.
    case failed
    /// Somebody stopped it.
    case cancelled

    /// How it ended; `nil` while it has not.
    public var outcome: ExecutionOutcome? {
        switch self {
        case .pending, .running: nil
        case .succeeded: .succeeded
        case .failed: .failed
        case .cancelled: .cancelled
        }
    }
}
