#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// What a ``HealthMonitor`` knows about one database.
public struct DatabaseHealth: Sendable {
    /// Whether a database can be used.
    public enum Status: String, Hashable, Sendable, Encodable {
        /// It was not checked yet.
        case unknown
        /// It can be used.
        case healthy
        /// It cannot be used.
        case unhealthy
    }

    /// The database's name.
    public let name: String
    /// Whether the service cannot work without it.
    public let isCritical: Bool
    /// Whether it can be used.
    public internal(set) var status = Status.unknown
    /// How long the last check took that ended, whether it succeeded or failed.
    public internal(set) var latency: Duration?
    /// Why the last check that failed did so; it is kept when the database has recovered.
    public internal(set) var lastError: PersistenceError?
    /// When the last check failed that did so.
    public internal(set) var lastErrorDate: Date?
    /// When the last check ended.
    public internal(set) var lastCheckDate: Date?
    /// When ``status`` changed the last time.
    public internal(set) var lastChangeDate: Date?
    /// How many checks have failed since the last that succeeded.
    public internal(set) var consecutiveFailures = 0
    /// How many checks have succeeded since the last that failed.
    public internal(set) var consecutiveSuccesses = 0

    init(name: String, isCritical: Bool) {
        self.name = name
        self.isCritical = isCritical
    }
}

extension DatabaseHealth: Encodable {
    private enum CodingKeys: String, CodingKey {
        case name
        case critical
        case status
        case latencySeconds
        case lastError
        case lastErrorDate
        case lastCheckDate
        case lastChangeDate
    }

    /// Writes the state for a health endpoint; the error as its redacted description.
    ///
    /// - Parameter encoder: The encoder.
    /// - Throws: What the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(isCritical, forKey: .critical)
        try container.encode(status, forKey: .status)
        try container.encodeIfPresent(latency.map { $0 / .seconds(1) }, forKey: .latencySeconds)
        try container.encodeIfPresent(lastError?.description, forKey: .lastError)
        try container.encodeIfPresent(lastErrorDate, forKey: .lastErrorDate)
        try container.encodeIfPresent(lastCheckDate, forKey: .lastCheckDate)
        try container.encodeIfPresent(lastChangeDate, forKey: .lastChangeDate)
    }
}

/// A database's status that has changed.
public struct HealthChange: Sendable {
    /// What it was before.
    public let previous: DatabaseHealth.Status
    /// What is known about the database now.
    public let database: DatabaseHealth
}

extension DatabaseHealth {
    /// Takes in the outcome of a check.
    ///
    /// - Parameters:
    ///   - failure: Why it failed, or nil when it did not.
    ///   - latency: How long it took, when it ended.
    ///   - date: When it ended.
    ///   - configuration: How many outcomes in a row it takes to change the status.
    /// - Returns: The change, when the status has changed.
    mutating func record(
        failure: PersistenceError?,
        latency: Duration?,
        at date: Date,
        _ configuration: HealthMonitor.Configuration
    ) -> HealthChange? {
        lastCheckDate = date
        if let latency { self.latency = latency }
        if let failure {
            lastError = failure
            lastErrorDate = date
            consecutiveFailures += 1
            consecutiveSuccesses = 0
        } else {
            consecutiveSuccesses += 1
            consecutiveFailures = 0
        }
        let previous = status
        switch previous {
        case .unknown:
            // Nothing to hold on to: the first outcome is all there is.
            status = failure == nil ? .healthy : .unhealthy
        case .healthy where consecutiveFailures >= configuration.failureThreshold:
            status = .unhealthy
        case .unhealthy where consecutiveSuccesses >= configuration.successThreshold:
            status = .healthy
        case .healthy, .unhealthy:
            return nil
        }
        lastChangeDate = date
        return HealthChange(previous: previous, database: self)
    }
}
