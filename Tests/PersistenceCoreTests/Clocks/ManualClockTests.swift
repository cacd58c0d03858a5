import PersistenceTesting
import Testing

@Suite("Manual clock")
struct ManualClockTests {
    let clock = ManualClock()

    @Test("a sleeper wakes when the clock has been moved far enough, and not before")
    func sleeping() async throws {
        let clock = clock
        let task = Task { try await clock.sleep(for: .seconds(5)) }
        await clock.waitForSleep(of: .seconds(5))
        clock.advance(by: .seconds(4))
        #expect(clock.sleeps == [.seconds(1)])
        clock.advance(by: .seconds(1))
        try await task.value
        #expect(clock.sleeps.isEmpty)
        #expect(clock.now.offset == .seconds(5))
    }

    @Test("a sleep until a time that has passed returns at once", arguments: [Duration.zero, .seconds(-1)])
    func passed(duration: Duration) async throws {
        try await clock.sleep(for: duration)
        #expect(clock.sleeps.isEmpty)
    }

    @Test("a cancelled sleeper leaves, whether it slept already or not")
    func cancellation() async {
        let clock = clock
        let task = Task { try await clock.sleep(for: .seconds(5)) }
        await clock.waitForSleep(of: .seconds(5))
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(clock.sleeps.isEmpty)
        let early = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await clock.sleep(for: .seconds(5))
        }
        await #expect(throws: CancellationError.self) { try await early.value }
        #expect(clock.sleeps.isEmpty)
    }

    @Test("time does not go back")
    func backwards() {
        clock.advance(by: .seconds(2))
        clock.advance(by: .seconds(-1))
        #expect(clock.now.offset == .seconds(2))
    }

    @Test("many sleepers at once all wake")
    func concurrency() async throws {
        let clock = clock
        try await withThrowingTaskGroup { group in
            for _ in 0..<100 {
                group.addTask { try await clock.sleep(for: .seconds(1)) }
            }
            await clock.waitForSleep(of: .seconds(1), count: 100)
            clock.advance(by: .seconds(1))
            try await group.waitForAll()
        }
        #expect(clock.sleeps.isEmpty)
    }
}
