import Synchronization
import Testing

@testable import MongoEngine

@Suite("Threads that may block", .timeLimit(.minutes(5)))
struct DriverThreadsTests {
    @Test("do all that is submitted, with and without patience", arguments: [0, 50_000_000] as [UInt64])
    func work(patience: UInt64) async {
        let workers = DriverThreads(name: "test-workers", limit: 3, patience: patience)
        let sum = await withTaskGroup(of: Int.self) { group in
            for number in 0..<500 { group.addTask { await workers.run { number } } }
            return await group.reduce(0, +)
        }
        #expect(sum == 500 * 499 / 2)
        #expect(workers.threadCount <= 3)
    }

    @Test("are kept for the next work, and end when none comes")
    func patience() async throws {
        let workers = DriverThreads(name: "test-workers", limit: 2, patience: 20_000_000)
        for _ in 0..<50 { await workers.run {} }
        #expect((1...2).contains(workers.threadCount))
        let end = ContinuousClock.now.advanced(by: .seconds(60))
        while workers.threadCount > 0, ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(2)) }
        #expect(workers.threadCount == 0)
        #expect(await workers.run { 7 } == 7)
    }

    @Test("lose nothing when work comes at the moment a thread gives up waiting")
    func races() async {
        let workers = DriverThreads(name: "test-workers", limit: 2, patience: 1)
        let done = Atomic<Int>(0)
        for _ in 0..<2000 { await workers.run { _ = done.wrappingAdd(1, ordering: .relaxed) } }
        #expect(done.load(ordering: .relaxed) == 2000)
    }
}
