public import Configuration

extension HealthMonitor {
    /// How often databases are checked, and what it takes to change one's status.
    ///
    /// ## Configuration keys
    ///
    /// - `interval`: the time between two checks of a database. Default 5 seconds.
    /// - `timeout`: the time that a check may take. Default 5 seconds.
    /// - `failureThreshold`: the failures in a row that make a database unhealthy. Default 3.
    /// - `successThreshold`: the successes in a row that make it healthy again. Default 1.
    public struct Configuration: Hashable, Sendable {
        /// The time between the end of a check and the beginning of the next.
        public var interval: Duration
        /// The time that a check may take.
        public var timeout: Duration
        /// How many failures in a row make a healthy database unhealthy.
        public var failureThreshold: Int
        /// How many successes in a row make an unhealthy database healthy.
        public var successThreshold: Int

        /// Creates a configuration; a monitor checks it.
        ///
        /// - Parameters:
        ///   - interval: The time between the end of a check and the beginning of the next.
        ///   - timeout: The time that a check may take.
        ///   - failureThreshold: How many failures in a row make a healthy database unhealthy.
        ///   - successThreshold: How many successes in a row make an unhealthy database healthy.
        public init(
            interval: Duration = .seconds(5),
            timeout: Duration = .seconds(5),
            failureThreshold: Int = 3,
            successThreshold: Int = 1
        ) {
            self.interval = interval
            self.timeout = timeout
            self.failureThreshold = failureThreshold
            self.successThreshold = successThreshold
        }

        /// Reads a configuration.
        ///
        /// - Parameter config: The configuration, at the place of the keys above.
        /// - Throws: `configuration` with everything that is wrong.
        public init(config: ConfigReader) throws(PersistenceError) {
            var faults = ConfigurationFaults(scope: "health")
            self.init()
            interval = faults.duration(forKey: "interval", from: config) ?? interval
            timeout = faults.duration(forKey: "timeout", from: config) ?? timeout
            failureThreshold = faults.int(forKey: "failureThreshold", from: config) ?? failureThreshold
            successThreshold = faults.int(forKey: "successThreshold", from: config) ?? successThreshold
            check(&faults)
            try faults.throwIfAny()
        }

        func check(_ faults: inout ConfigurationFaults) {
            let durations = Duration.milliseconds(1) ... .seconds(86_400)
            let thresholds = 1...1000
            faults.require(durations.contains(interval), key: "interval", "is not from 1 millisecond to 1 day")
            faults.require(durations.contains(timeout), key: "timeout", "is not from 1 millisecond to 1 day")
            faults.require(thresholds.contains(failureThreshold), key: "failureThreshold", "is not from 1 to 1000")
            faults.require(thresholds.contains(successThreshold), key: "successThreshold", "is not from 1 to 1000")
        }
    }
}
