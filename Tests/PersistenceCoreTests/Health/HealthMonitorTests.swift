import PersistenceCore
import PersistenceTesting
import ServiceLifecycle
import ServiceLifecycleTestKit
import Synchronization
import Testing

@Suite("Health monitor", .timeLimit(.minutes(5)))
struct HealthMonitorTests {
    private let clock = ManualClock()
    // Durations that differ, so that a test can tell a timer from a pause.
    private let configuration = HealthMonitor.Configuration(
        interval: .seconds(5),
        timeout: .seconds(2),
        failureThreshold: 1
    )

    private func monitor(_ checks: any HealthCheck...) throws -> HealthMonitor {
        try HealthMonitor(critical: checks, configuration: configuration, clock: clock)
    }

    @Test("databases are checked at once and then at the interval")
    func interval() async throws {
        let check = ScriptedCheck("main")
        let monitor = try monitor(check)
        #expect(monitor.liveness == .notStarted)
        let running = Task { try await monitor.run() }
        await clock.waitForSleeps { $0 == [.seconds(5)] }
        #expect(check.runs == 1)
        #expect(monitor.readiness == .ready)
        #expect(monitor.liveness == .alive)
        clock.advance(by: .milliseconds(4999))
        #expect(check.runs == 1)
        clock.advance(by: .milliseconds(1))
        await clock.waitForSleeps { $0 == [.seconds(5)] }
        #expect(check.runs == 2)
        running.cancel()
        try await running.value
        #expect(monitor.liveness == .stopped)
        #expect(monitor.readiness == .notReady)
        #expect(clock.sleeps.isEmpty)
    }

    @Test("a check that hangs is a failure after its timeout, delays no other, and is not begun twice")
    func hanging() async throws {
        let hanging = HangingCheck("hanging")
        let quick = ScriptedCheck("quick")
        let monitor = try monitor(hanging, quick)
        var changes = monitor.changes().makeAsyncIterator()
        let running = Task { try await monitor.run() }
        await hanging.waitForRun()
        await clock.waitForSleeps { $0 == [.seconds(2), .seconds(5)] }
        #expect(await changes.next()?.database.name == "quick")
        clock.advance(by: .seconds(2))
        let change = await changes.next()
        #expect(change?.database.name == "hanging")
        #expect(change?.database.status == .unhealthy)
        #expect(change?.database.lastError?.timeout == .healthCheck)
        #expect(change?.database.lastError?.summary == "the check did not end within 2.0 seconds")

        // The quick one goes on in its own time.
        await clock.waitForSleeps { $0 == [.seconds(3), .seconds(5)] }
        clock.advance(by: .seconds(3))
        await clock.waitForSleeps { $0 == [.seconds(2), .seconds(5)] }
        #expect(quick.runs == 2)

        // The next check finds the first still hanging.
        clock.advance(by: .seconds(2))
        await clock.waitForSleeps { $0 == [.seconds(3), .seconds(5)] }
        #expect(hanging.runs == 1)
        #expect(monitor.state(of: "hanging")?.lastError?.summary == "an earlier check has still not ended")
        #expect(monitor.state(of: "hanging")?.consecutiveFailures == 2)

        hanging.letGo()
        running.cancel()
        try await running.value
    }

    @Test("a database that hung recovers when its check ends again")
    func recovery() async throws {
        let hanging = HangingCheck("main")
        let monitor = try monitor(hanging)
        async let first = monitor.checkNow()
        await hanging.waitForRun()
        await clock.waitForSleeps { $0 == [.seconds(2)] }
        clock.advance(by: .seconds(2))
        #expect(await first.readiness == .notReady)
        hanging.letGo()
        // The task that was left behind ends in its own time.
        while monitor.state(of: "main")?.status == .unhealthy {
            await monitor.checkNow()
            await Task.yield()
        }
        #expect(monitor.readiness == .ready)
        #expect(hanging.runs == 2)
    }

    @Test("a check that is under way is not begun a second time, and its time is not held against it")
    func concurrentChecks() async throws {
        let hanging = HangingCheck("main")
        let monitor = try monitor(hanging)
        async let first = monitor.checkNow()
        await hanging.waitForRun()
        let second = await monitor.checkNow()
        #expect(second.databases.map(\.status) == [.unknown])
        #expect(second.databases.map(\.consecutiveFailures) == [0])
        hanging.letGo()
        #expect(await first.databases.map(\.status) == [.healthy])
        #expect(hanging.runs == 1)
    }

    @Test("a check runs under the timeout as its deadline, and is cancelled when it is over")
    func deadline() async throws {
        let seen = Mutex<Duration?>(nil)
        let sleeper = ClosureHealthCheck("sleeper") { [clock] in
            seen.withLock { $0 = Deadline.current?.remaining }
            try await clock.sleep(for: .seconds(3600))
        }
        let monitor = try monitor(sleeper)
        async let report = monitor.checkNow()
        await clock.waitForSleeps { $0 == [.seconds(2), .seconds(3600)] }
        clock.advance(by: .seconds(2))
        #expect(await report.databases.first?.lastError?.code == .timeout)
        await clock.waitForSleeps { $0.isEmpty }
        let remaining = try #require(seen.withLock { $0 })
        #expect(remaining > .zero && remaining <= .seconds(2))
    }

    @Test("graceful shutdown ends readiness, the changes and the run, however a check hangs")
    func shutdown() async throws {
        let hanging = HangingCheck("hanging")
        let monitor = try HealthMonitor(
            critical: [ScriptedCheck("main")],
            optional: [hanging],
            configuration: configuration,
            clock: clock
        )
        let changes = monitor.changes()
        try await testGracefulShutdown { trigger in
            try await withThrowingTaskGroup { group in
                group.addTask { try await monitor.run() }
                await hanging.waitForRun()
                await clock.waitForSleeps { $0 == [.seconds(2), .seconds(5)] }
                #expect(monitor.readiness == .degraded)
                trigger.triggerGracefulShutdown()
                #expect(monitor.readiness == .notReady)
                try await group.waitForAll()
            }
        }
        var names: [String] = []
        for await change in changes {
            names.append(change.database.name)
        }
        #expect(names == ["main"])
        #expect(monitor.liveness == .stopped)
        var late = monitor.changes().makeAsyncIterator()
        #expect(await late.next() == nil)
        hanging.letGo()
    }

    @Test("every reader gets the changes, and a slow one loses the oldest")
    func buffers() async throws {
        let check = ScriptedCheck("main")
        let monitor = try monitor(check)
        let fast = monitor.changes()
        let slow = monitor.changes(bufferingNewest: 0)
        for error in [nil, PersistenceError(.connection), nil] {
            check.fail(with: error)
            await monitor.checkNow()
        }
        let running = Task { try await monitor.run() }
        running.cancel()
        try await running.value
        var seen: [[DatabaseHealth.Status]] = []
        for await change in fast {
            seen.append([change.previous, change.database.status])
        }
        #expect(seen == [[.unknown, .healthy], [.healthy, .unhealthy], [.unhealthy, .healthy]])
        var last: [DatabaseHealth.Status] = []
        for await change in slow {
            last.append(change.previous)
        }
        #expect(last == [.unhealthy])
    }

    @Test("a reader that goes away does not stop the others")
    func leavingReader() async throws {
        let check = ScriptedCheck("main")
        let monitor = try monitor(check)
        let stays = monitor.changes()
        let leaves = Task {
            for await _ in monitor.changes() {}
        }
        leaves.cancel()
        await leaves.value
        await monitor.checkNow()
        var iterator = stays.makeAsyncIterator()
        #expect(await iterator.next()?.database.status == .healthy)
    }

    @Test("a monitor runs once")
    func twice() async throws {
        let monitor = try monitor(ScriptedCheck("main"))
        let running = Task { try await monitor.run() }
        await clock.waitForSleeps { $0 == [.seconds(5)] }
        let error = await #expect(throws: PersistenceError.self) { try await monitor.run() }
        #expect(error?.code == .invalidArgument)
        #expect(monitor.liveness == .alive)
        running.cancel()
        try await running.value
        await #expect(throws: PersistenceError.self) { try await monitor.run() }
    }

    @Test("without databases the service is ready, and the run waits for the shutdown")
    func empty() async throws {
        let monitor = try monitor()
        #expect(monitor.readiness == .ready)
        try await testGracefulShutdown { trigger in
            async let running: Void = monitor.run()
            trigger.triggerGracefulShutdown()
            try await running
        }
        #expect(monitor.liveness == .stopped)
    }

    @Test("a process whose tasks do not go on has stalled")
    func stalled() async throws {
        let stuck = StuckClock()
        let monitor = try HealthMonitor(critical: [ScriptedCheck("main")], configuration: configuration, clock: stuck)
        let running = Task { try await monitor.run() }
        await stuck.waitForSleep(of: .seconds(5))
        // Three times as long as a pause and a check.
        stuck.advance(by: .seconds(21))
        #expect(monitor.liveness == .alive)
        stuck.advance(by: .seconds(1))
        #expect(monitor.liveness == .stalled)
        #expect(!monitor.liveness.isAlive)
        #expect(monitor.report.liveness == .stalled)
        running.cancel()
        try await running.value
    }
}
