import Persistence
import PersistenceCore
import Synchronization
import Testing

@Suite("Streams of results")
struct ResultStreamTests {
    @Test("Batches are fetched when they are needed, and empty ones are passed over")
    func batches() async throws {
        let fetched = Mutex<[Int]>([])
        let stream = ResultStream<Int> {
            var batches = [[1, 2], [], [], [3], []][...]
            return { () throws(PersistenceError) in
                fetched.withLock { $0.append(batches.count) }
                return batches.popFirst()
            }
        }
        var iterator = stream.makeAsyncIterator()
        #expect(fetched.withLock(\.self) == [])
        #expect(try await iterator.next() == 1)
        #expect(try await iterator.next() == 2)
        #expect(fetched.withLock(\.self) == [5])
        #expect(try await iterator.next() == 3)
        #expect(fetched.withLock(\.self) == [5, 4, 3, 2])
        #expect(try await iterator.next() == nil)
        #expect(try await iterator.next() == nil)
        #expect(fetched.withLock(\.self) == [5, 4, 3, 2, 1, 0])
        #expect(try await stream.collect() == [1, 2, 3])
    }

    @Test("An error ends the iteration")
    func errors() async throws {
        let stream = ResultStream<Int> {
            var isFirst = true
            return { () throws(PersistenceError) in
                defer { isFirst = false }
                guard isFirst else { throw PersistenceError(.connection) }
                return [1]
            }
        }
        var iterator = stream.makeAsyncIterator()
        #expect(try await iterator.next() == 1)
        var error: PersistenceError?
        do throws(PersistenceError) { _ = try await iterator.next() } catch let thrown { error = thrown }
        #expect(error?.code == .connection)
        #expect(try await iterator.next() == nil)
    }
}
