import Dispatch
import Synchronization
import Testing

@testable import PostgresEngine

@Suite("Threads for calls that block", .timeLimit(.minutes(1)))
struct BlockingWorkersTests {
    @Test("are as many as allowed, and do the rest one after the other")
    func limit() async {
        let workers = BlockingWorkers(name: "test", limit: 2, patience: 60_000_000_000)
        let counts = Counts()
        await withDiscardingTaskGroup { group in
            for _ in 0..<50 {
                group.addTask {
                    await workers.run {
                        let now = counts.running.wrappingAdd(1, ordering: .relaxed).newValue
                        counts.most.max(now, ordering: .relaxed)
                        counts.running.wrappingSubtract(1, ordering: .relaxed)
                    }
                }
            }
        }
        #expect((1...2).contains(counts.most.load(ordering: .relaxed)))
    }

    @Test("that hang no longer count, up to a ceiling")
    func hanging() async {
        let workers = BlockingWorkers(name: "test", limit: 1, patience: 0, ceiling: 3)
        let gate = DispatchSemaphore(value: 0)
        let begun = DispatchSemaphore(value: 0)
        let counts = Counts()
        for _ in 0..<2 {
            workers.submit {
                counts.running.wrappingAdd(1, ordering: .relaxed)
                begun.signal()
                gate.wait()
            }
        }
        await workers.run { for _ in 0..<2 { begun.wait() } }
        // The third thread did that, although two hang.
        #expect(counts.running.load(ordering: .relaxed) == 2)
        for _ in 0..<2 { gate.signal() }
    }

    @Test("do not begin what nobody wants any more")
    func expired() async {
        let workers = BlockingWorkers(name: "test", limit: 1)
        let outcome: String = await withUnsafeContinuation { continuation in
            workers.submit(
                until: monotonicNanoseconds(), orElse: { continuation.resume(returning: "expired") },
                { continuation.resume(returning: "done") })
        }
        #expect(outcome == "expired")
        let other: String = await withUnsafeContinuation { continuation in
            workers.submit(
                until: .max, orElse: { continuation.resume(returning: "expired") },
                { continuation.resume(returning: "done") })
        }
        #expect(other == "done")
    }
}

private final class Counts: Sendable {
    let running = Atomic(0)
    let most = Atomic(0)
}
