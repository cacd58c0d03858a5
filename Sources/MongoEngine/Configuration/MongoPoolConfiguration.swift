internal import Configuration
internal import PersistenceCore

/// How a database lends its clients.
///
/// A client serves one operation, cursor or session at a time, and has a connection to each server that it has used.
public struct MongoPoolConfiguration: Sendable, Hashable {
    /// How many clients there are at most; as many threads run their calls.
    ///
    /// 16 by default.
    public var maximum = 16

    /// How long a caller waits for a client before it gets an error with the code `timeout`.
    ///
    /// 30 s by default.
    public var acquireTimeout = Duration.seconds(30)

    /// How many callers may wait at the same time; one more is refused at once with `poolExhausted`.
    ///
    /// 10,000 by default.
    public var maximumWaiters = 10_000

    /// Creates a configuration with the defaults.
    public init() {}

    /// Creates a configuration with another size than the default.
    ///
    /// - Parameter maximum: How many clients there are at most.
    public init(maximum: Int) {
        self.maximum = maximum
    }

    /// The largest pool: each client has a thread while it is in use.
    static var sizeLimit: Int { 1000 }

    init(config: ConfigReader, faults: inout ConfigurationFaults) {
        if let value = faults.int(forKey: "pool.maximum", from: config) { maximum = value }
        if let value = faults.duration(forKey: "pool.acquireTimeout", from: config) { acquireTimeout = value }
        if let value = faults.int(forKey: "pool.maximumWaiters", from: config) { maximumWaiters = value }
        check(&faults)
    }

    func check(_ faults: inout ConfigurationFaults) {
        faults.require(
            (1...Self.sizeLimit).contains(maximum), key: "pool.maximum", "is not from 1 to \(Self.sizeLimit)")
        faults.require(acquireTimeout > .zero, key: "pool.acquireTimeout", "is not longer than 0")
        faults.require(maximumWaiters >= 0, key: "pool.maximumWaiters", "is negative")
    }
}
