import Configuration
import PersistenceCore
import Testing

@testable import PostgresEngine

@Suite("Pool configuration")
struct PostgresPoolConfigurationTests {
    typealias Change = @Sendable (inout PostgresPoolConfiguration) -> Void

    private static let mistakes: [(String, Change)] = [
        ("maximum", { $0.maximum = 0 }), ("maximum", { $0.maximum = .max }), ("minimum", { $0.minimum = -1 }),
        ("minimum", { $0.minimum = 3 }), ("overflow", { $0.overflow = -1 }), ("overflow", { $0.overflow = .max }),
        ("maximumWaiters", { $0.maximumWaiters = -1 }),
        ("maximumConcurrentConnects", { $0.maximumConcurrentConnects = 0 }),
        ("acquireTimeout", { $0.acquireTimeout = .zero }), ("maximumLifetime", { $0.maximumLifetime = .zero }),
        ("lifetimeJitter", { $0.lifetimeJitter = .seconds(-1) }), ("idleTimeout", { $0.idleTimeout = .zero }),
        ("livenessTestAge", { $0.livenessTestAge = .seconds(-1) }),
        ("livenessTestTimeout", { $0.livenessTestTimeout = .zero }),
        ("healthCheckInterval", { $0.healthCheckInterval = .milliseconds(99) }),
        ("connectRetryDelay", { $0.connectRetryDelay = .zero }),
        ("connectRetryDelayLimit", { $0.connectRetryDelayLimit = .milliseconds(99) }),
    ]

    @Test("has defaults that are valid")
    func defaults() throws {
        let configuration = PostgresPoolConfiguration()
        try configuration.validate()
        #expect(configuration.maximum >= 4)
        #expect(configuration.minimum == 0)
        #expect(configuration.maximumLifetime == .seconds(3600))
        #expect(configuration.idleTimeout == .seconds(1800))
        #expect(configuration.healthCheckInterval == .seconds(60))
        #expect(configuration.livenessTestAge == .seconds(1))
    }

    @Test("reads every property from a reader")
    func reading() throws {
        let reader = ConfigReader(
            provider: InMemoryProvider(values: [
                "pool.minimum": 2, "pool.maximum": 20, "pool.overflow": 5, "pool.maximumWaiters": 7,
                "pool.maximumConcurrentConnects": 3, "pool.acquireTimeout": "250ms", "pool.maximumLifetime": "2h",
                "pool.lifetimeJitter": "1m", "pool.idleTimeout": "10m", "pool.livenessTestAge": "5s",
                "pool.livenessTestTimeout": "2s", "pool.healthCheckInterval": "30s", "pool.connectRetryDelay": "50ms",
                "pool.connectRetryDelayLimit": "3s",
            ]))
        var faults = ConfigurationFaults()
        let read = PostgresPoolConfiguration(config: reader, faults: &faults)
        try faults.throwIfAny()
        var expected = PostgresPoolConfiguration(minimum: 2, maximum: 20, overflow: 5)
        expected.maximumWaiters = 7
        expected.maximumConcurrentConnects = 3
        expected.acquireTimeout = .milliseconds(250)
        expected.maximumLifetime = .seconds(7200)
        expected.lifetimeJitter = .seconds(60)
        expected.idleTimeout = .seconds(600)
        expected.livenessTestAge = .seconds(5)
        expected.livenessTestTimeout = .seconds(2)
        expected.healthCheckInterval = .seconds(30)
        expected.connectRetryDelay = .milliseconds(50)
        expected.connectRetryDelayLimit = .seconds(3)
        #expect(read == expected)
    }

    @Test("keeps its defaults where the reader says nothing")
    func readingNothing() {
        var faults = ConfigurationFaults()
        let read = PostgresPoolConfiguration(
            config: ConfigReader(provider: InMemoryProvider(values: [:])), faults: &faults)
        #expect(faults.isEmpty)
        #expect(read == PostgresPoolConfiguration())
    }

    @Test("reports everything that is wrong at once, by key")
    func faults() {
        let reader = ConfigReader(
            provider: InMemoryProvider(values: [
                "pool.maximum": "many", "pool.minimum": -1, "pool.acquireTimeout": "soon", "pool.idleTimeout": "0s",
            ]))
        var faults = ConfigurationFaults(scope: "postgres")
        _ = PostgresPoolConfiguration(config: reader, faults: &faults)
        let keys = faults.faults.map(\.key)
        #expect(
            Set(keys) == [
                "postgres.pool.maximum", "postgres.pool.minimum", "postgres.pool.acquireTimeout",
                "postgres.pool.idleTimeout",
            ])
    }

    @Test(
        "is refused when it contradicts itself",
        arguments: mistakes)
    func contradictions(field: String, change: Change) {
        let error = #expect(throws: PersistenceError.self) { try configuration(change).validate() }
        #expect(error?.code == .configuration)
        #expect(error?.summary.contains("pool.\(field) ") == true)
    }

    @Test("accepts the extremes that make sense, and lives with endless durations")
    func extremes() throws {
        let endless = Duration(secondsComponent: .max, attosecondsComponent: 0)
        let configuration = configuration {
            $0.acquireTimeout = endless
            $0.maximumLifetime = endless
            $0.lifetimeJitter = endless
            $0.idleTimeout = endless
            $0.livenessTestAge = endless
            $0.connectRetryDelay = endless
            $0.connectRetryDelayLimit = endless
            $0.maximumWaiters = .max
        }
        try configuration.validate()
        let pool = MachineDriver(configuration)
        let connection = pool.lend()
        pool.release(connection)
        pool.advance(by: .seconds(1_000_000))
        pool.sweep()
        #expect(pool.lend() === connection)
        #expect(pool.lend() !== connection)
        let caller = pool.ask(patience: endless)
        #expect(pool.outcomes[caller] == nil)
        pool.failOpening(PersistenceError(.connection))
        #expect(pool.statistics.contradictions.isEmpty)
    }
}
