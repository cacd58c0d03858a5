public import Configuration
public import PersistenceCore

extension PostgresPoolConfiguration {
    /// Reads a configuration; what is not given keeps its default.
    ///
    /// The keys are the names of the properties after `pool.`: `pool.maximum`, `pool.acquireTimeout` and so on; in the
    /// environment `POOL_MAXIMUM`, `POOL_ACQUIRE_TIMEOUT`. Durations have a unit: `250ms`, `30s`, `5m`, `1h`.
    ///
    /// - Parameters:
    ///   - config: The configuration.
    ///   - faults: Takes everything that is wrong; the result is of use only when nothing was added.
    public init(config: ConfigReader, faults: inout ConfigurationFaults) {
        self.init()
        func read(_ property: WritableKeyPath<Self, Int>, _ name: String) {
            if let value = faults.int(forKey: Self.key(name), from: config) { self[keyPath: property] = value }
        }
        func read(_ property: WritableKeyPath<Self, Duration>, _ name: String) {
            if let value = faults.duration(forKey: Self.key(name), from: config) { self[keyPath: property] = value }
        }
        read(\.minimum, "minimum")
        read(\.maximum, "maximum")
        read(\.overflow, "overflow")
        read(\.acquireTimeout, "acquireTimeout")
        read(\.maximumWaiters, "maximumWaiters")
        read(\.maximumLifetime, "maximumLifetime")
        read(\.lifetimeJitter, "lifetimeJitter")
        read(\.idleTimeout, "idleTimeout")
        read(\.livenessTestAge, "livenessTestAge")
        read(\.livenessTestTimeout, "livenessTestTimeout")
        read(\.healthCheckInterval, "healthCheckInterval")
        read(\.maximumConcurrentConnects, "maximumConcurrentConnects")
        read(\.connectRetryDelay, "connectRetryDelay")
        read(\.connectRetryDelayLimit, "connectRetryDelayLimit")
        check(&faults)
    }

    /// Checks that the configuration can be used.
    ///
    /// - Throws: ``PersistenceError`` with the code `configuration`, naming every fault.
    public func validate() throws(PersistenceError) {
        var faults = ConfigurationFaults()
        check(&faults)
        try faults.throwIfAny()
    }

    /// The largest pool: a server forks a process for each connection, so more are a mistake.
    static var sizeLimit: Int { 10_000 }

    private static func key(_ name: String) -> String { "pool.\(name)" }

    func check(_ faults: inout ConfigurationFaults) {
        func require(_ isRight: Bool, _ name: String, _ reason: String) {
            faults.require(isRight, key: Self.key(name), reason)
        }
        require((1...Self.sizeLimit).contains(maximum), "maximum", "is not from 1 to \(Self.sizeLimit)")
        require(minimum >= 0, "minimum", "is negative")
        require(minimum <= maximum, "minimum", "is larger than the maximum")
        require((0...Self.sizeLimit).contains(overflow), "overflow", "is not from 0 to \(Self.sizeLimit)")
        require(maximumWaiters >= 0, "maximumWaiters", "is negative")
        require(maximumConcurrentConnects >= 1, "maximumConcurrentConnects", "is not at least 1")
        require(acquireTimeout > .zero, "acquireTimeout", "is not longer than 0")
        require(maximumLifetime > .zero, "maximumLifetime", "is not longer than 0")
        require(lifetimeJitter >= .zero, "lifetimeJitter", "is negative")
        require(idleTimeout > .zero, "idleTimeout", "is not longer than 0")
        require(livenessTestAge >= .zero, "livenessTestAge", "is negative")
        require(livenessTestTimeout > .zero, "livenessTestTimeout", "is not longer than 0")
        // With less, a pool would do little else than test.
        require(healthCheckInterval >= .milliseconds(100), "healthCheckInterval", "is not at least 100 ms")
        require(connectRetryDelay >= .milliseconds(1), "connectRetryDelay", "is not at least 1 ms")
        require(
            connectRetryDelayLimit >= connectRetryDelay, "connectRetryDelayLimit",
            "is shorter than connectRetryDelay")
    }
}
