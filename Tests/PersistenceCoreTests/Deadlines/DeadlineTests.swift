import PersistenceCore
import Testing

@Suite("Deadlines")
struct DeadlineTests {
    @Test("no deadline is set outside a scope, and none is left after it")
    func scope() async {
        #expect(Deadline.current == nil)
        await withDeadline(.seconds(60)) {
            #expect(Deadline.current != nil)
        }
        #expect(Deadline.current == nil)
    }

    @Test("inside another scope the earlier deadline wins")
    func nesting() async {
        let late = Deadline.after(.seconds(60))
        let early = Deadline.after(.seconds(10))
        await withDeadline(late) {
            await withDeadline(early) {
                #expect(Deadline.current == early)
            }
            #expect(Deadline.current == late)
        }
        await withDeadline(early) {
            await withDeadline(late) {
                #expect(Deadline.current == early)
            }
        }
    }

    @Test("child tasks inherit the deadline")
    func childTasks() async {
        let deadline = Deadline.after(.seconds(60))
        await withDeadline(deadline) {
            async let child = Deadline.current
            #expect(await child == deadline)
        }
    }

    @MainActor
    @Test("the closure stays in its caller's isolation and may keep what is not Sendable")
    func isolation() async {
        final class Counter { var value = 0 }
        let counter = Counter()
        await withDeadline(.seconds(60)) {
            MainActor.assertIsolated()
            counter.value += 1
        }
        #expect(counter.value == 1)
    }

    @Test("the closure's own error comes out as it is")
    func errors() async {
        struct Own: Error {}
        await #expect(throws: Own.self) {
            try await withDeadline(.seconds(60)) { throw Own() }
        }
    }

    @Test("remaining time and passing", arguments: [Duration.zero, .seconds(-5), .seconds(-Int64.max)])
    func passed(duration: Duration) {
        let deadline = Deadline.after(duration)
        #expect(deadline.isPassed)
        #expect(deadline.remaining == .zero)
        #expect(deadline.description == "passed")
        #expect(throws: PersistenceError.self) { try deadline.check(.statement, operation: "Q") }
    }

    @Test("a deadline that has passed says which wait it would have limited")
    func check() {
        let error = #expect(throws: PersistenceError.self) {
            try Deadline.after(.zero).check(.pool, operation: "acquire")
        }
        #expect(error?.code == .timeout)
        #expect(error?.timeout == .pool)
        #expect(error?.operation == "acquire")
        #expect(throws: Never.self) { try Deadline.after(.seconds(60)).check(.pool) }
    }

    @Test("huge durations are cut off and do not trap")
    func huge() {
        let deadline = Deadline.after(.seconds(Int64.max) * 10)
        #expect(!deadline.isPassed)
        #expect(deadline.remaining <= .seconds(100 * 365 * 86_400))
    }

    @Test("a caller's own limit can shorten the scope's deadline, and never lengthen it")
    func limits() async throws {
        #expect(Deadline.current(within: nil) == nil)
        let own = try #require(Deadline.current(within: .seconds(5)))
        #expect(own.remaining <= .seconds(5))
        let scope = Deadline.after(.seconds(60))
        try await withDeadline(scope) {
            #expect(Deadline.current(within: nil) == scope)
            #expect(Deadline.current(within: .seconds(3600)) == scope)
            let shorter = try #require(Deadline.current(within: .seconds(5)))
            #expect(shorter < scope)
        }
    }
}
