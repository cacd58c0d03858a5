import BSON
import Foundation
import MongoEngine
import PersistenceCore
import PersistenceTesting
import Synchronization
import Testing

/// Tasks that write without end, and know what they were told, while something happens to the server or the network.
final class DocumentLoad: Sendable {
    /// A counter that one task alone increments.
    private struct Count: Sendable {
        var acknowledged = 0
        var unknown = 0
    }

    private struct State: Sendable {
        var counts: [Int: Count] = [:]
        var isDone = false
        var tasks: [Task<Void, Never>] = []
    }

    /// Inserts, one or many at a time.
    let items = WriteLedger<Int>()
    /// Transactions, which insert two documents each.
    let pairs = WriteLedger<Int>()
    private let database: MongoDatabase
    private let state = Mutex(State())
    private let workers: Int

    /// Begins to write.
    init(on database: MongoDatabase, workers: Int = 6) async throws {
        self.database = database
        self.workers = workers
        for name in ["items", "pairs"] { try await database.collection(name).create() }
        let counters = try database.collection("counters", of: Item.self)
        try await counters.insertMany((0..<workers).map { Item($0) })
        let tasks = (0..<workers).map { number in
            Task { [self] in
                var key = number
                while !state.withLock(\.isDone) {
                    let failure = await write(key)
                    // A server that is down is asked again in a moment, not at once.
                    if failure != nil { try? await Task.sleep(for: .milliseconds(2)) }
                    if (failure as? PersistenceError)?.code == .poolClosed { return }
                    key += workers
                }
            }
        }
        state.withLock { $0.tasks = tasks }
    }

    private func write(_ key: Int) async -> (any Error)? {
        do {
            switch key / workers % 3 {
            case 0:
                let collection = try database.collection("items", of: Item.self)
                return await items.write(key) { try await collection.insertOne(Item(key)) }
            case 1:
                let collection = try database.collection("counters", of: Item.self)
                return await count(key % workers) {
                    try await collection.updateOne(.id(key % workers), .increment("count", by: 1))
                }
            default:
                let collection = try database.collection("pairs", of: Item.self)
                return await pairs.write(key) {
                    try await database.withTransaction { session in
                        let mine = try collection.bound(to: session)
                        try await mine.insertOne(Item(2 * key))
                        try await mine.insertOne(Item(2 * key + 1))
                    }
                }
            }
        } catch {
            return error
        }
    }

    private func count(_ number: Int, _ body: () async throws -> Void) async -> (any Error)? {
        do {
            try await body()
            state.withLock { $0.counts[number, default: Count()].acknowledged += 1 }
            return nil
        } catch {
            let outcome = (error as? PersistenceError).map { WriteLedger<Int>.outcome(of: $0) } ?? .unknown
            if outcome == .unknown { state.withLock { $0.counts[number, default: Count()].unknown += 1 } }
            return error
        }
    }

    private var acknowledged: Int {
        let counted = state.withLock { $0.counts.values.reduce(0) { $0 + $1.acknowledged } }
        return items.count(.acknowledged) + pairs.count(.acknowledged) + counted
    }

    /// Waits until more writes have been acknowledged.
    func untilMore(
        _ count: Int, _ what: Comment = "work goes on", sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let before = acknowledged
        try await eventually(what, sourceLocation: sourceLocation) { acknowledged >= before + count }
    }

    /// Stops writing, and waits for the writes that have begun.
    func stop() async {
        let tasks = state.withLock { state in
            state.isDone = true
            return state.tasks
        }
        for task in tasks { await task.value }
    }

    /// Stops writing and compares what callers were told with what is there.
    ///
    /// - Parameter observer: Looks at the collections.
    func check(with observer: MongoDatabase, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        await stop()
        let stored = try await observer.collection("items", of: Item.self).find().collect()
        let audit = items.audit(of: stored.map(\._id))
        #expect(audit.isClean, "inserts: \(audit); \(items.codes)", sourceLocation: sourceLocation)

        let halves = try await observer.collection("pairs", of: Item.self).find().collect().map(\._id)
        let whole = Dictionary(grouping: halves) { $0 / 2 }
        #expect(
            whole.values.allSatisfy { $0.count == 2 }, "a transaction is there by half", sourceLocation: sourceLocation)
        let pairAudit = pairs.audit(of: whole.keys)
        #expect(pairAudit.isClean, "transactions: \(pairAudit); \(pairs.codes)", sourceLocation: sourceLocation)

        for counter in try await observer.collection("counters", of: Item.self).find().collect() {
            let count = state.withLock { $0.counts[counter._id] } ?? Count()
            #expect(
                (count.acknowledged...count.acknowledged + count.unknown).contains(counter.count),
                "\(counter.count) increments happened, of \(count)", sourceLocation: sourceLocation)
        }
        #expect(items.count(.acknowledged) > 0, sourceLocation: sourceLocation)
        #expect(pairs.count(.acknowledged) > 0, sourceLocation: sourceLocation)
    }
}
