import Configuration
import Foundation
import Logging
import PersistenceCore
import PersistenceTesting
import Testing

@Suite("Health status")
struct HealthStatusTests {
    private let refused = PersistenceError(.connection, operation: "connect")

    private func monitor(
        _ checks: any HealthCheck...,
        failures: Int = 3,
        successes: Int = 2,
        logger: Logger? = nil
    ) throws -> HealthMonitor {
        try HealthMonitor(
            critical: checks,
            configuration: .init(failureThreshold: failures, successThreshold: successes),
            clock: ManualClock(),
            logger: logger
        )
    }

    @Test("before the first check nothing is known, and the service is not ready")
    func unknown() throws {
        let monitor = try monitor(ScriptedCheck("main"))
        let state = try #require(monitor.state(of: "main"))
        #expect(state.status == .unknown)
        #expect(state.lastCheckDate == nil)
        #expect(monitor.readiness == .notReady)
        #expect(monitor.state(of: "other") == nil)
    }

    @Test("the first outcome decides")
    func first() async throws {
        let good = try monitor(ScriptedCheck("main"))
        #expect(await good.checkNow().databases.map(\.status) == [.healthy])
        let bad = try monitor(ScriptedCheck("main", failing: refused))
        #expect(await bad.checkNow().databases.map(\.status) == [.unhealthy])
    }

    @Test("then it takes as many in a row as the thresholds say")
    func hysteresis() async throws {
        let check = ScriptedCheck("main")
        let monitor = try monitor(check)
        var statuses: [DatabaseHealth.Status] = []
        // One that fails or succeeds in between starts the count again.
        for isGood in [true, false, false, true, false, false, false, true, false, true, true] {
            check.fail(with: isGood ? nil : refused)
            await monitor.checkNow()
            statuses += monitor.states.map(\.status)
        }
        #expect(
            statuses == [
                .healthy, .healthy, .healthy, .healthy, .healthy, .healthy, .unhealthy, .unhealthy, .unhealthy,
                .unhealthy, .healthy,
            ]
        )
    }

    @Test("the state has latency, counts, dates, and the last error even after the recovery")
    func details() async throws {
        let check = ScriptedCheck("main", failing: refused)
        let monitor = try monitor(check, successes: 1)
        await monitor.checkNow()
        await monitor.checkNow()
        var state = try #require(monitor.state(of: "main"))
        #expect(state.consecutiveFailures == 2)
        #expect(state.lastError?.code == .connection)
        let errorDate = try #require(state.lastErrorDate)
        check.fail(with: nil)
        await monitor.checkNow()
        state = try #require(monitor.state(of: "main"))
        #expect(state.consecutiveFailures == 0)
        #expect(state.consecutiveSuccesses == 1)
        #expect(state.latency == .zero)
        #expect(state.lastError?.code == .connection)
        #expect(state.lastErrorDate == errorDate)
        #expect(try #require(state.lastChangeDate) >= errorDate)
        #expect(state.lastChangeDate == state.lastCheckDate)
    }

    @Test("critical databases decide readiness, optional ones degrade it")
    func readiness() async throws {
        let main = ScriptedCheck("main")
        let cache = ScriptedCheck("cache")
        let monitor = try HealthMonitor(
            critical: [main],
            optional: [cache],
            configuration: .init(failureThreshold: 1),
            clock: ManualClock()
        )
        #expect(await monitor.checkNow().readiness == .ready)
        cache.fail(with: refused)
        let degraded = await monitor.checkNow()
        #expect(degraded.readiness == .degraded)
        #expect(degraded.readiness.isReady)
        #expect(degraded.databases.map(\.isCritical) == [true, false])
        main.fail(with: refused)
        #expect(await monitor.checkNow().readiness == .notReady)
        #expect(!monitor.readiness.isReady)
        cache.fail(with: nil)
        main.fail(with: nil)
        #expect(await monitor.checkNow().readiness == .ready)
    }

    @Test("a foreign error is reported by its type, because its text may hold a password")
    func foreignErrors() async throws {
        struct Foreign: Error { let url = "postgres://ada:hunter2@db" }
        let log = LineLog()
        let monitor = try monitor(ScriptedCheck("main", failing: Foreign()), logger: log.logger)
        let report = await monitor.checkNow()
        #expect(report.databases.first?.lastError?.summary == "the check failed with Foreign")
        var dumped = ""
        dump(report, to: &dumped)
        let json = try String(decoding: JSONEncoder().encode(report), as: UTF8.self)
        for text in ["\(report)", String(reflecting: report), dumped, json, "\(log.lines)"] {
            #expect(!text.contains("hunter2"))
        }
    }

    @Test("changes are logged, and nothing else")
    func logging() async throws {
        let log = LineLog()
        let check = ScriptedCheck("main")
        let monitor = try monitor(check, failures: 1, successes: 1, logger: log.logger)
        for error in [nil, nil, refused, refused, nil] {
            check.fail(with: error)
            await monitor.checkNow()
        }
        #expect(log.lines.map(\.level) == [.info, .warning, .info])
        #expect(log.lines.allSatisfy { $0.metadata["database"] == "main" })
        #expect(log.lines[1].message == "database is unhealthy: \(refused)")
    }

    @Test("a report is encoded for a health endpoint")
    func encoding() async throws {
        let report = try await monitor(ScriptedCheck("main", failing: refused)).checkNow()
        let object = try JSONSerialization.jsonObject(with: JSONEncoder().encode(report)) as? [String: Any]
        #expect(object?["readiness"] as? String == "notReady")
        #expect(object?["liveness"] as? String == "notStarted")
        let database = try #require((object?["databases"] as? [[String: Any]])?.first)
        #expect(database["name"] as? String == "main")
        #expect(database["status"] as? String == "unhealthy")
        #expect(database["lastError"] as? String == refused.description)
        #expect(database["latencySeconds"] as? Double == 0)
    }

    @Test("everything that is wrong with a configuration is in one error")
    func configuration() {
        let error = #expect(throws: PersistenceError.self) {
            try HealthMonitor(
                critical: [ScriptedCheck("a"), ScriptedCheck("")],
                optional: [ScriptedCheck("a")],
                configuration: .init(
                    interval: .zero,
                    timeout: .seconds(Int64.max),
                    failureThreshold: 0,
                    successThreshold: .max
                )
            )
        }
        #expect(error?.code == .configuration)
        #expect(
            error?.summary
                == "the configuration has 6 faults: health.interval is not from 1 millisecond to 1 day; "
                + "health.timeout is not from 1 millisecond to 1 day; health.failureThreshold is not from 1 to 1000; "
                + "health.successThreshold is not from 1 to 1000; health.checks have one without a name; "
                + "health.checks have two named a"
        )
    }

    @Test("a configuration is read, with defaults for what is missing")
    func reading() throws {
        let config = ConfigReader(provider: InMemoryProvider(values: ["interval": "250ms", "failureThreshold": 2]))
        let read = try HealthMonitor.Configuration(config: config)
        #expect(read == .init(interval: .milliseconds(250), failureThreshold: 2))
        let wrong = ConfigReader(provider: InMemoryProvider(values: ["interval": "soon", "timeout": "0s"]))
        let error = #expect(throws: PersistenceError.self) { try HealthMonitor.Configuration(config: wrong) }
        #expect(error?.summary.hasPrefix("the configuration has 2 faults: health.interval") == true)
    }
}
