import Persistence
import PersistenceCore
import PersistenceTesting
import ServiceLifecycle
import ServiceLifecycleTestKit
import Synchronization
import Testing

@Suite("Buffered writers", .timeLimit(.minutes(5)))
struct BufferedWriterTests {
    @Test("A full batch is written at once, in order; the rest waits for its time")
    func batches() async throws {
        let sink = Sink()
        let clock = ManualClock()
        let writer = sink.writer(try bounds(batch: 3, delay: .seconds(5)), clock: clock)
        try await writer.running {
            for item in 1...7 { try await writer.write(item) }
            await clock.waitForSleep(of: .seconds(5))
            #expect(sink.batches == [[1, 2, 3], [4, 5, 6]])
            clock.advance(by: .seconds(5))
            await sink.wait { $0.count == 3 }
            #expect(sink.batches == [[1, 2, 3], [4, 5, 6], [7]])
        }
        let statistics = writer.statistics
        #expect(statistics.accepted == 7)
        #expect(statistics.written == 7)
        #expect(statistics.batches == 3)
        #expect(statistics.buffered == 0)
        #expect(sink.losses.isEmpty)
    }

    @Test("The time is counted from the oldest item")
    func age() async throws {
        let sink = Sink()
        let clock = ManualClock()
        let writer = sink.writer(try bounds(batch: 10, delay: .seconds(5)), clock: clock)
        try await writer.running {
            try await writer.write(1)
            await clock.waitForSleep(of: .seconds(5))
            clock.advance(by: .seconds(3))
            try await writer.write(2)
            await clock.waitForSleep(of: .seconds(2))
            #expect(sink.batches.isEmpty)
            clock.advance(by: .seconds(2))
            await sink.wait { $0 == [[1, 2]] }
        }
    }

    @Test("Bytes bound a batch; an item beyond the bound is written alone")
    func bytes() async throws {
        let sink = Sink()
        let configuration = try BufferedWriterConfiguration(
            maximumBatchCount: 100, maximumBatchSize: 10, maximumBufferedCount: 1000, maximumBufferedSize: 1000)
        let writer = sink.writer(configuration, clock: ManualClock(), sizeOf: { $0 })
        try await writer.running {
            for item in [4, 5, 6, 50, 3, 3] { try await writer.write(item) }
        }
        #expect(sink.batches.flatMap(\.self) == [4, 5, 6, 50, 3, 3])
        #expect(sink.batches.allSatisfy { $0.reduce(0, +) <= 10 || $0 == [50] })
        let error = await failure { try await writer.write(1) }
        #expect(error?.code == .poolClosed)
    }

    @Test("Whoever writes into a full buffer waits until a batch is gone")
    func backPressure() async throws {
        let sink = Sink(isOpen: false)
        let configuration = try BufferedWriterConfiguration(
            maximumBatchCount: 2, maximumBatchSize: 100, maximumBufferedCount: 4, maximumBufferedSize: 100)
        let writer = sink.writer(configuration, clock: ManualClock())
        try await writer.running {
            for item in 1...4 { try await writer.write(item) }
            let blocked = (5...6).map { item in Task { try await writer.write(item) } }
            await eventually { writer.statistics.waiting == 2 }
            #expect(writer.statistics.buffered == 4)
            #expect(writer.statistics.accepted == 4)
            sink.open()
            for task in blocked { try await task.value }
        }
        #expect(Set(sink.batches.flatMap(\.self)) == Set(1...6))
        #expect(Array(sink.batches.flatMap(\.self).prefix(4)) == [1, 2, 3, 4])
        #expect(writer.statistics.written == 6)
    }

    @Test("Bytes bound what is held, and an item that can never be held is refused")
    func memory() async throws {
        let sink = Sink(isOpen: false)
        let configuration = try BufferedWriterConfiguration(
            maximumBatchCount: 2, maximumBatchSize: 10, maximumBufferedCount: 100, maximumBufferedSize: 20)
        let writer = sink.writer(configuration, clock: ManualClock(), sizeOf: { $0 })
        try await writer.running {
            try await writer.write(15)
            let error = await failure { try await writer.write(21) }
            #expect(error?.code == .tooLarge)
            let blocked = Task { try await writer.write(6) }
            await eventually { writer.statistics.waiting == 1 }
            #expect(writer.statistics.bufferedSize == 15)
            sink.open()
            try await blocked.value
        }
        #expect(sink.batches.flatMap(\.self) == [15, 6])
    }

    @Test("A cancelled wait for room ends at once, and its item is not accepted")
    func cancelledProducer() async throws {
        let sink = Sink(isOpen: false)
        let configuration = try BufferedWriterConfiguration(
            maximumBatchCount: 1, maximumBatchSize: 100, maximumBufferedCount: 1, maximumBufferedSize: 100)
        let writer = sink.writer(configuration, clock: ManualClock())
        try await writer.running {
            try await writer.write(1)
            let blocked = Task { try await writer.write(2) }
            await eventually { writer.statistics.waiting == 1 }
            blocked.cancel()
            let result = await blocked.result
            #expect(throws: PersistenceError.self) { try result.get() }
            #expect(writer.statistics.waiting == 0)
            sink.open()
        }
        #expect(sink.batches == [[1]])
    }

    @Test("A wait for room or for a flush ends at the deadline, and the item is not accepted")
    func deadlines() async throws {
        let sink = Sink(isOpen: false)
        let configuration = try BufferedWriterConfiguration(
            maximumBatchCount: 1, maximumBatchSize: 100, maximumBufferedCount: 1, maximumBufferedSize: 100)
        let writer = sink.writer(configuration, clock: ManualClock())
        try await writer.running { () async throws in
            // With room it takes no time.
            try await withDeadline(.seconds(-1)) { () async throws in try await writer.write(1) }
            for time in [Duration.milliseconds(50), .seconds(-1)] {
                let late = await failure {
                    try await withDeadline(time) { () async throws in try await writer.write(2) }
                }
                #expect(late?.code == .timeout)
                #expect(late?.retrySafety == .safe)
                let flush = await failure {
                    try await withDeadline(time) { () async throws in try await writer.flush() }
                }
                #expect(flush?.code == .timeout)
            }
            #expect(writer.statistics.waiting == 0)
            #expect(writer.statistics.accepted == 1)
            sink.open()
        }
        #expect(sink.batches == [[1]])
    }

    @Test("Items of any size are held or wait, without a sum that overflows")
    func enormousItems() async throws {
        let sink = Sink(isOpen: false)
        let configuration = try BufferedWriterConfiguration(
            maximumBatchCount: 10, maximumBatchSize: .max, maximumBufferedCount: 10, maximumBufferedSize: .max)
        let writer = sink.writer(configuration, clock: ManualClock(), sizeOf: { $0 })
        try await writer.running { () async throws in
            try await writer.write(.max)
            let blocked = Task { try await writer.write(.max - 1) }
            await eventually { writer.statistics.waiting == 1 }
            sink.open()
            try await blocked.value
            // What says that it has no size, or less, counts as one byte.
            try await writer.write(.min)
        }
        #expect(sink.batches.flatMap(\.self) == [.max, .max - 1, .min])
        #expect(writer.statistics.written == 3)
    }

    @Test("A flush waits for what was accepted before it")
    func flush() async throws {
        let sink = Sink()
        let writer = sink.writer(try bounds(batch: 100, delay: .seconds(60)), clock: ManualClock())
        try await writer.running {
            try await writer.flush()
            for item in 1...5 { try await writer.write(item) }
            try await writer.flush()
            #expect(sink.batches.flatMap(\.self) == [1, 2, 3, 4, 5])
            try await writer.flush()
        }
    }

    @Test("What could not be written is reported, with the reason, and the rest goes on")
    func losses() async throws {
        let sink = Sink()
        sink.fail { batch in
            if batch.contains(3) { throw PersistenceError(.connection) }
            return batch.enumerated().filter { $0.element == 6 }
                .map { BufferedWriterRejection(index: $0.offset, error: PersistenceError(.invalidData)) }
        }
        let writer = sink.writer(try bounds(batch: 2, delay: .seconds(60)), clock: ManualClock())
        try await writer.running {
            for item in 1...4 { try await writer.write(item) }
            let flushed = await failure { try await writer.flush() }
            #expect(flushed?.code == .connection || sink.losses.count == 1)
            for item in 5...7 { try await writer.write(item) }
        }
        #expect(sink.losses.map(\.items) == [[3, 4], [6]])
        #expect(sink.losses.map(\.error.code) == [.connection, .invalidData])
        #expect(sink.batches == [[1, 2], [5, 6], [7]])
        let statistics = writer.statistics
        #expect(statistics.written == 4)
        #expect(statistics.lost == 3)
        #expect(statistics.accepted == statistics.written + statistics.lost)
    }

    @Test("A flush throws what led to a loss among what it waited for, and only that flush")
    func flushThrows() async throws {
        let sink = Sink()
        sink.fail { _ in throw PersistenceError(.permission) }
        let writer = sink.writer(try bounds(batch: 100, delay: .seconds(60)), clock: ManualClock())
        try await writer.running {
            try await writer.write(1)
            let first = await failure { try await writer.flush() }
            #expect(first?.code == .permission)
            sink.fail { _ in [] }
            try await writer.write(2)
            try await writer.flush()
        }
        #expect(sink.losses.map(\.items) == [[1]])
    }

    @Test("A batch is tried again after an error that says it is safe")
    func retries() async throws {
        let sink = Sink()
        let attempts = Mutex(0)
        sink.fail { _ in
            let attempt = attempts.withLock { count in
                count += 1
                return count
            }
            if attempt < 3 { throw PersistenceError(.serializationFailure) }
            return []
        }
        let writer = sink.writer(
            try bounds(batch: 2, delay: .seconds(60)), clock: ManualClock(),
            retryPolicy: RetryPolicy(maximumAttempts: 3, baseDelay: .zero))
        try await writer.running {
            try await writer.write(1)
            try await writer.write(2)
        }
        #expect(attempts.withLock(\.self) == 3)
        #expect(sink.batches == [[1, 2]])
        #expect(sink.losses.isEmpty)
    }

    @Test("On graceful shutdown everything accepted is written in order, and no more is accepted")
    func gracefulShutdown() async throws {
        let sink = Sink(isOpen: false)
        let writer = sink.writer(try bounds(batch: 3, delay: .seconds(60)), clock: ManualClock())
        for item in 1...10 { try await writer.write(item) }
        try await testGracefulShutdown { trigger in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await writer.run() }
                await eventually { sink.isWriting }
                trigger.triggerGracefulShutdown()
                await eventually { await failure { try await writer.write(11) }?.code == .poolClosed }
                sink.open()
                try await group.waitForAll()
            }
        }
        #expect(sink.batches.flatMap(\.self).prefix(10) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
        #expect(writer.statistics.accepted == writer.statistics.written)
        #expect(sink.losses.isEmpty)
    }

    @Test("When it is cancelled, the writer reports what it could not write")
    func cancelledWriter() async throws {
        let sink = Sink(isOpen: false)
        let writer = sink.writer(try bounds(batch: 2, delay: .seconds(60)), clock: ManualClock())
        for item in 1...5 { try await writer.write(item) }
        let run = Task { try await writer.run() }
        await eventually { sink.isWriting }
        let flush = Task { try await writer.flush() }
        await eventually { writer.statistics.accepted == 5 }
        run.cancel()
        try await run.value
        _ = await flush.result
        #expect(sink.losses.flatMap(\.items) == [1, 2, 3, 4, 5])
        #expect(sink.losses.allSatisfy { $0.error.code == .cancelled })
        #expect(writer.statistics.lost == 5)
        let error = await failure { try await writer.write(6) }
        #expect(error?.code == .poolClosed)
    }

    @Test("A writer that nobody refers to any more, or that ends before it ran, reports what it holds")
    func forgotten() async throws {
        let sink = Sink()
        var writer: BufferedWriter<Int>? = sink.writer(.standard, clock: ManualClock())
        try await writer?.write(1)
        writer = nil
        #expect(sink.losses.map(\.items) == [[1]])
        let other = sink.writer(.standard, clock: ManualClock())
        try await other.write(2)
        other.finish()
        #expect(sink.losses.map(\.items) == [[1], [2]])
        let error = await failure { try await other.run() }
        #expect(error?.code == .poolClosed)
    }

    @Test("A writer runs once at a time, and a scope passes its error on after writing")
    func scopes() async throws {
        struct Oops: Error {}
        let sink = Sink()
        let writer = sink.writer(try bounds(batch: 100, delay: .seconds(60)), clock: ManualClock())
        await #expect(throws: Oops.self) { () async throws in
            try await writer.running {
                try await writer.write(1)
                let error = await failure { try await writer.run() }
                #expect(error?.code == .invalidArgument)
                throw Oops()
            }
        }
        #expect(sink.batches == [[1]])
    }

    @Test("Many producers lose nothing and keep each their own order")
    func stress() async throws {
        let sink = Sink()
        let configuration = try BufferedWriterConfiguration(
            maximumBatchCount: 7, maximumBatchSize: 1000, maximumDelay: .milliseconds(1), maximumBufferedCount: 20,
            maximumBufferedSize: 1000)
        let writer = sink.writer(configuration, clock: ContinuousClock())
        try await writer.running {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for producer in 0..<8 {
                    group.addTask {
                        for index in 0..<500 {
                            try await writer.write(producer * 1000 + index)
                            if index.isMultiple(of: 100) { try await writer.flush() }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        let all = sink.batches.flatMap(\.self)
        #expect(all.count == 4000)
        for producer in 0..<8 {
            #expect(all.filter { $0 / 1000 == producer } == (0..<500).map { producer * 1000 + $0 })
        }
        #expect(sink.batches.allSatisfy { $0.count <= 7 })
        #expect(writer.statistics.accepted == 4000)
    }

    @Test("Bounds that contradict each other are refused, all at once")
    func configuration() throws {
        let error = #expect(throws: PersistenceError.self) {
            try BufferedWriterConfiguration(
                maximumBatchCount: 0, maximumBatchSize: 0, maximumDelay: .seconds(-1), maximumBufferedCount: -1,
                maximumBufferedSize: -1)
        }
        #expect(error?.code == .configuration)
        for name in [
            "maximumBatchCount", "maximumBatchSize", "maximumDelay", "maximumBufferedCount", "maximumBufferedSize",
        ] {
            #expect(error?.summary.contains(name) == true)
        }
    }

    private func bounds(batch: Int, delay: Duration) throws -> BufferedWriterConfiguration {
        try BufferedWriterConfiguration(maximumBatchCount: batch, maximumDelay: delay)
    }
}
