import Configuration
import PersistenceCore
import Testing

@Suite("Configuration faults")
struct ConfigurationFaultsTests {
    enum Mode: String, CaseIterable {
        case disable
        case require
    }

    private func reader(_ values: [AbsoluteConfigKey: ConfigValue]) -> ConfigReader {
        ConfigReader(provider: InMemoryProvider(values: values))
    }

    @Test("without faults nothing is thrown")
    func none() {
        #expect(throws: Never.self) { try ConfigurationFaults().throwIfAny() }
        #expect(ConfigurationFaults().isEmpty)
    }

    @Test("one error names every key and reason, once")
    func all() {
        var faults = ConfigurationFaults(scope: "postgres")
        faults.add(key: "host", "is missing")
        faults.add(key: "host", "is missing")
        faults.require(false, key: "port", "is out of range")
        faults.require(true, key: "user", "is missing")
        var pool = ConfigurationFaults(scope: "postgres.pool")
        pool.add(key: "maximum", "is less than the minimum")
        faults.merge(pool)
        faults.merge(pool)
        let error = #expect(throws: PersistenceError.self) { try faults.throwIfAny() }
        #expect(error?.code == .configuration)
        #expect(
            error?.summary
                == "the configuration has 3 faults: postgres.host is missing; postgres.port is out of range; "
                + "postgres.pool.maximum is less than the minimum"
        )
    }

    @Test("a single fault reads as one, and needs no scope")
    func single() {
        var faults = ConfigurationFaults(scope: "")
        faults.add(key: "url", "is missing")
        let error = #expect(throws: PersistenceError.self) { try faults.throwIfAny() }
        #expect(error?.summary == "the configuration has 1 fault: url is missing")
    }

    @Test("what is there is read")
    func reading() {
        let config = reader([
            "host": "db.example", "port": 5433, "tls": true, "mode": "require", "wait": "250ms", "age": "1.5",
            "password": "hunter2",
        ])
        var faults = ConfigurationFaults()
        #expect(faults.string(forKey: "host", from: config) == "db.example")
        #expect(faults.int(forKey: "port", from: config, in: 1...65535) == 5433)
        #expect(faults.bool(forKey: "tls", from: config) == true)
        #expect(faults.choice(forKey: "mode", from: config, as: Mode.self) == .require)
        #expect(faults.duration(forKey: "wait", from: config) == .milliseconds(250))
        #expect(faults.duration(forKey: "age", from: config) == .milliseconds(1500))
        #expect(faults.secret(forKey: "password", from: config)?.reveal() == "hunter2")
        #expect(faults.isEmpty)
    }

    @Test("what is missing is nil without a fault")
    func missing() {
        let config = reader([:])
        var faults = ConfigurationFaults()
        #expect(faults.string(forKey: "a", from: config) == nil)
        #expect(faults.int(forKey: "a", from: config) == nil)
        #expect(faults.bool(forKey: "a", from: config) == nil)
        #expect(faults.choice(forKey: "a", from: config, as: Mode.self) == nil)
        #expect(faults.duration(forKey: "a", from: config) == nil)
        #expect(faults.secret(forKey: "a", from: config) == nil)
        #expect(faults.isEmpty)
    }

    @Test("what is wrong is a fault, and never falls back to a default in silence")
    func wrong() {
        let config = reader([
            "host": 7, "port": "hunter2", "range": 70000, "tls": "hunter2", "mode": "hunter2", "wait": "hunter2",
            "long": "2h", "password": true,
        ])
        var faults = ConfigurationFaults(scope: "db")
        #expect(faults.string(forKey: "host", from: config) == nil)
        #expect(faults.int(forKey: "port", from: config) == nil)
        #expect(faults.int(forKey: "range", from: config, in: 1...65535) == nil)
        #expect(faults.bool(forKey: "tls", from: config) == nil)
        #expect(faults.choice(forKey: "mode", from: config, as: Mode.self) == nil)
        #expect(faults.duration(forKey: "wait", from: config) == nil)
        #expect(faults.duration(forKey: "long", from: config, in: .zero ... .seconds(60)) == nil)
        #expect(faults.secret(forKey: "password", from: config) == nil)
        #expect(
            faults.faults.map(\.description) == [
                "db.host is not a text",
                "db.port is not a whole number",
                "db.range is not from 1 to 65535",
                "db.tls is neither true nor false",
                "db.mode is not one of disable, require",
                "db.wait is not a duration such as 250ms, 5s, 2m or 1h",
                "db.long is not from 0.0 seconds to 60.0 seconds",
                "db.password is not a text",
            ]
        )
        let error = #expect(throws: PersistenceError.self) { try faults.throwIfAny() }
        #expect(error.map { !"\($0) \($0.debugDescription)".contains("hunter2") } == true)
    }

    @Test(
        "durations are a number and a unit",
        arguments: [
            ("0", .zero), ("5s", .seconds(5)), ("2m", .seconds(120)), ("1h", .seconds(3600)), ("1d", .seconds(86_400)),
            ("10us", .microseconds(10)), (".5s", .milliseconds(500)), ("", nil), ("s", nil), ("-5s", nil), ("5 s", nil),
            ("nan", nil), ("infs", nil), ("0x10", nil), ("1e3", nil), ("1.2.3s", nil), ("5x", nil), (".", nil),
            (String(repeating: "9", count: 4000), nil),
        ] as [(String, Duration?)]
    )
    func durations(text: String, expected: Duration?) {
        var faults = ConfigurationFaults()
        let duration = faults.duration(forKey: "wait", from: reader(["wait": .init(stringLiteral: text)]))
        #expect(duration == expected)
        #expect(faults.isEmpty == (expected != nil))
    }

    @Test("a bare number of a provider with types counts in seconds")
    func typedDuration() {
        var faults = ConfigurationFaults()
        #expect(faults.duration(forKey: "wait", from: reader(["wait": 2.5])) == .milliseconds(2500))
        #expect(faults.duration(forKey: "tls", from: reader(["tls": true])) == nil)
        #expect(faults.faults.count == 1)
    }
}
