/// Whether a service should get requests.
public enum Readiness: String, Hashable, Sendable, Encodable {
    /// Every database can be used.
    case ready
    /// Every critical database can be used, but some optional one cannot.
    case degraded
    /// Some critical database cannot be used or was not checked yet, or the service is shutting down.
    case notReady

    /// Whether requests should be sent: when ready or degraded.
    public var isReady: Bool { self != .notReady }
}

/// Whether a service makes progress at all.
///
/// It says nothing about databases: restarting a service because its database is down makes an outage worse.
public enum Liveness: String, Hashable, Sendable, Encodable {
    /// The monitor was not started yet.
    case notStarted
    /// The checks are begun in time.
    case alive
    /// Checks are long overdue: the process's threads are blocked.
    case stalled
    /// The monitor has ended.
    case stopped

    /// Whether the process should go on: unless it has stalled.
    public var isAlive: Bool { self != .stalled }
}

/// All that a ``HealthMonitor`` knows, as a health endpoint shows it.
public struct HealthReport: Sendable, Encodable {
    /// Whether the service should get requests.
    public let readiness: Readiness
    /// Whether the service makes progress.
    public let liveness: Liveness
    /// Every database, critical ones first, in the order they were given.
    public let databases: [DatabaseHealth]
}
