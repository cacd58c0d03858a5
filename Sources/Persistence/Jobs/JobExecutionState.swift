/// Where an execution of a job stands.
///
/// ```
/// queued ──start──▶ running ──succeed──▶ succeeded
///   ▲  │              │ ├─────fail─────▶ failed ──requeue──▶ queued
///   │  └──cancel──┐   │ └────cancel────▶ cancelled
///   └───requeue───┼───┘                     ▲
///                 └─────────────────────────┘
/// ```
public enum JobExecutionState: String, Hashable, Sendable, Codable, CaseIterable {
    /// It waits for a worker.
    case queued
    /// A worker is at it.
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
        case .queued, .running: nil
        case .succeeded: .succeeded
        case .failed: .failed
        case .cancelled: .cancelled
        }
    }
}
