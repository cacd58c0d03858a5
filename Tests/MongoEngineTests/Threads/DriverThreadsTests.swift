import Dispatch
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

    @Test("run tasks to their end, more of them than threads, whatever else waits")
    func tasks() async {
        let workers = DriverThreads(name: "test-workers", limit: 2, patience: 50_000_000)
        let sum = await withTaskGroup(of: Int.self) { group in
            for number in 0..<200 {
                group.addTask(executorPreference: number % 4 == 0 ? nil : workers) {
                    var sum = 0
                    for _ in 0..<20 {
                        sum += await workers.run { number }
                        await Task.yield()
                    }
                    return sum
                }
            }
            return await group.reduce(0, +)
        }
        #expect(sum == 20 * 200 * 199 / 2)
    }

    @Test("keep a task on the thread that its call was made on")
    func staying() async {
        let workers = DriverThreads(name: "test-workers", limit: 4, patience: 5_000_000_000)
        let stayed = await Task(executorPreference: workers) {
            var stayed = 0
            for _ in 0..<100 {
                let before = ParkingSpot.current.map(ObjectIdentifier.init)
                let during = await workers.run { ParkingSpot.current.map(ObjectIdentifier.init) }
                let after = ParkingSpot.current.map(ObjectIdentifier.init)
                if before != nil, before == during, during == after { stayed += 1 }
            }
            return stayed
        }.value
        // But for where the runtime takes a task elsewhere at first.
        #expect(stayed >= 95)
    }

    @Test("let tasks go on while every call hangs")
    func hanging() async {
        let workers = DriverThreads(name: "test-workers", limit: 2, patience: 50_000_000)
        let gate = DispatchSemaphore(value: 0)
        for _ in 0..<2 { workers.submit { gate.wait() } }
        // Ends only when a thread beside the two runs it.
        let answer = await Task(executorPreference: workers) {
            await Task.yield()
            return 7
        }.value
        for _ in 0..<2 { gate.signal() }
        #expect(answer == 7)
    }
}
