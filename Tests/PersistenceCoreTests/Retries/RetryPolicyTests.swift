import PersistenceCore
import PersistenceTesting
import Testing

@Suite("Retries")
struct RetryPolicyTests {
    struct Own: Error {}

    let clock = ManualClock()

    private func policy(
        attempts: Int = 4,
        base: Duration = .milliseconds(100),
        maximum: Duration = .milliseconds(350),
        fraction: Double = 1
    ) -> RetryPolicy {
        RetryPolicy(
            maximumAttempts: attempts,
            baseDelay: base,
            maximumDelay: maximum,
            clock: clock,
            randomFraction: { fraction }
        )
    }

    @Test("the longest waits double up to the maximum")
    func growth() {
        let delays = (1...5).map { policy().delay(afterAttempt: $0) }
        #expect(delays == [100, 200, 350, 350, 350].map { .milliseconds($0) })
    }

    @Test(
        "the wait is the drawn fraction of the longest one, and a source that misbehaves stays in bounds",
        arguments: [(0, 0), (0.25, 50), (1, 200), (7, 200), (-3, 0), (.nan, 0), (.infinity, 200)] as [(Double, Int)]
    )
    func jitter(fraction: Double, milliseconds: Int) {
        #expect(policy(fraction: fraction).delay(afterAttempt: 2) == .milliseconds(milliseconds))
    }

    @Test(
        "limits that make no sense count as the nearest that does",
        arguments: [Duration.zero, .seconds(-1), .seconds(Int64.max), .milliseconds(1)]
    )
    func limits(delay: Duration) {
        let policy = policy(attempts: -3, base: delay, maximum: delay)
        #expect(policy.maximumAttempts == 1)
        for attempt in [Int.min + 1, -1, 0, 1, 64, Int.max] {
            #expect((Duration.zero ... .seconds(86_400)).contains(policy.delay(afterAttempt: attempt)))
        }
    }

    @Test("work is done again after each wait, and told the attempt's number")
    func success() async throws {
        let clock = clock
        let policy = policy()
        let task = Task {
            try await policy.execute { attempt in
                if attempt < 3 { throw PersistenceError(.deadlock) }
                return attempt
            }
        }
        await clock.waitForSleep(of: .milliseconds(100))
        clock.advance(by: .milliseconds(100))
        await clock.waitForSleep(of: .milliseconds(200))
        clock.advance(by: .milliseconds(200))
        #expect(try await task.value == 3)
        #expect(clock.now.offset == .milliseconds(300))
    }

    @Test("when the attempts are used up the last error comes out as it is")
    func exhausted() async {
        var attempts = 0
        let error = await #expect(throws: PersistenceError.self) {
            try await policy(attempts: 3, fraction: 0).execute { attempt in
                attempts = attempt
                throw PersistenceError(.serializationFailure, operation: "attempt \(attempt)")
            }
        }
        #expect(attempts == 3)
        #expect(error?.operation == "attempt 3")
    }

    @Test(
        "errors that are not safe to retry come out at once",
        arguments: [.uniqueViolation, .commitUnknown, .timeout] as [PersistenceError.Code]
    )
    func unsafe(code: PersistenceError.Code) async {
        var attempts = 0
        await #expect(throws: PersistenceError.self) {
            try await policy(fraction: 0).execute { _ in
                attempts += 1
                throw PersistenceError(code)
            }
        }
        #expect(attempts == 1)
    }

    @Test("an error of the caller's own comes out unwrapped, and is retried only when the caller says so")
    func foreign() async {
        var attempts = 0
        await #expect(throws: Own.self) {
            try await policy(fraction: 0).execute { _ in
                attempts += 1
                throw Own()
            }
        }
        #expect(attempts == 1)
        let eager = RetryPolicy(maximumAttempts: 3, randomFraction: { 0 }, isRetryable: { $0 is Own })
        await #expect(throws: Own.self) {
            try await eager.execute { _ in
                attempts += 1
                throw Own()
            }
        }
        #expect(attempts == 4)
    }

    @Test("a task that is cancelled while it waits ends with the failure as the underlying error")
    func cancelledWait() async {
        let clock = clock
        let policy = policy()
        let task = Task {
            try await policy.execute(operation: "Transfer") { _ in throw PersistenceError(.deadlock) }
        }
        await clock.waitForSleep(of: .milliseconds(100))
        task.cancel()
        let error = await #expect(throws: PersistenceError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        #expect(error?.operation == "Transfer")
        #expect((error?.underlying as? PersistenceError)?.code == .deadlock)
        #expect(clock.sleeps.isEmpty)
    }

    @Test("a task that is cancelled gets no further attempt even when the wait is zero")
    func cancelledBefore() async {
        let policy = policy(fraction: 0)
        let task = Task {
            var attempts = 0
            let error = await #expect(throws: PersistenceError.self) {
                try await policy.execute { _ in
                    attempts += 1
                    withUnsafeCurrentTask { $0?.cancel() }
                    throw PersistenceError(.deadlock)
                }
            }
            #expect(attempts == 1)
            #expect(error?.code == .cancelled)
        }
        await task.value
    }

    @Test("a wait that would pass the deadline is not begun")
    func deadline() async {
        let clock = clock
        let error = await #expect(throws: PersistenceError.self) {
            try await withDeadline(.seconds(30)) {
                try await policy(base: .seconds(60), maximum: .seconds(60)).execute { _ in
                    throw PersistenceError(.deadlock)
                }
            }
        }
        #expect(error?.code == .deadlock)
        #expect(clock.sleeps.isEmpty)
    }

    @Test("the policy that never retries tries once")
    func never() async {
        var attempts = 0
        await #expect(throws: PersistenceError.self) {
            try await RetryPolicy.never.execute { _ in
                attempts += 1
                throw PersistenceError(.deadlock)
            }
        }
        #expect(attempts == 1)
        #expect(RetryPolicy.default.maximumAttempts == 5)
    }

    @MainActor
    @Test("the work stays in its caller's isolation")
    func isolation() async throws {
        try await RetryPolicy.default.execute { _ in MainActor.assertIsolated() }
    }

    @Test("unless told otherwise the fraction is random")
    func randomness() {
        let policy = RetryPolicy(baseDelay: .seconds(1))
        let delays = Set((0..<50).map { _ in policy.delay(afterAttempt: 1) })
        #expect(delays.count > 10)
        #expect(delays.allSatisfy { (.zero ... .seconds(1)).contains($0) })
    }
}
