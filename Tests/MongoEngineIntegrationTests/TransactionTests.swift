import BSON
import Foundation
import MongoEngine
import PersistenceCore
import Synchronization
import Testing

@Suite("A transaction on an endpoint", .mongoServer, .timeLimit(.minutes(5)))
struct TransactionTests {
    private struct Stop: Error, Equatable {}

    private final class Counter: Sendable {
        private let number = Atomic(0)

        var value: Int { number.load(ordering: .relaxed) }

        func count() { number.wrappingAdd(1, ordering: .relaxed) }
    }

    @Test("is committed when its closure returns")
    func commit() async throws {
        try await MongoTestServer.withCollection(of: Item.self) { database, items in
            // The collection must be there: not every server creates one in a transaction.
            try await items.insertOne(Item(0))
            let sum = try await database.withTransaction { session in
                let mine = try items.bound(to: session)
                try await mine.insertOne(Item(1, count: 10))
                try await mine.updateOne(.id(0), .increment("count", by: 5))
                // Nobody else sees it before.
                #expect(try await items.findOne(.id(1)) == nil)
                return try await mine.find().collect().reduce(0) { $0 + $1.count }
            }
            #expect(sum == 15)
            #expect(try await items.count() == 2)
            #expect(try await items.findOne(.id(0))?.count == 5)
            // The session is ended beside the caller.
            try await eventually("the client is back") { database.statistics.acquired == 0 }
        }
    }

    @Test("is aborted when its closure throws, and the error comes out unwrapped")
    func abort() async throws {
        try await MongoTestServer.withCollection(of: Item.self) { database, items in
            try await items.insertOne(Item(0))
            await #expect(throws: Stop()) {
                try await database.withTransaction { session in
                    try await items.bound(to: session).insertOne(Item(1))
                    throw Stop()
                }
            }
            #expect(try await items.count() == 1)
            let duplicate = try await failure {
                try await database.withTransaction { session in
                    let mine = try items.bound(to: session)
                    try await mine.insertOne(Item(2))
                    try await mine.insertOne(Item(0))
                }
            }
            #expect(duplicate.code == .uniqueViolation)
            #expect(try await items.count() == 1)
        }
    }

    @Test("cannot be used after its end, nor with a collection of another database")
    func ended() async throws {
        try await MongoTestServer.withCollection(of: Item.self) { database, items in
            try await items.insertOne(Item(0))
            let kept = try await database.withTransaction { session in try items.bound(to: session) }
            let error = try await failure { try await kept.insertOne(Item(1)) }
            #expect(error.code == .transactionFinished)
            try await MongoTestServer.with { other in
                let foreign = try await failure {
                    try await other.withSession { session in _ = try items.bound(to: session) }
                }
                #expect(foreign.code == .invalidArgument)
            }
        }
    }

    @Test("runs again when it conflicts with another, and nothing is lost")
    func conflicts() async throws {
        try await MongoTestServer.withCollection(of: Item.self) { database, items in
            try await items.insertOne(Item(0))
            let attempts = Counter()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        for _ in 0..<5 {
                            try await database.withTransaction { session in
                                attempts.count()
                                let mine = try items.bound(to: session)
                                let item = try await mine.findOne(.id(0))
                                let next = (item?.count ?? 0) + 1
                                try await mine.updateOne(.id(0), .set("count", to: next))
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await items.findOne(.id(0))?.count == 20)
            #expect(attempts.value >= 20)
            try await eventually("the clients are back") { database.statistics.acquired == 0 }
        }
    }

    @Test("is aborted when its task is cancelled")
    func cancellation() async throws {
        try await MongoTestServer.withCollection(of: Item.self) { database, items in
            try await items.insertOne(Item(0))
            let gate = AsyncStream<Void>.makeStream()
            let task = Task {
                try await database.withTransaction { session in
                    let mine = try items.bound(to: session)
                    try await mine.insertOne(Item(1))
                    gate.continuation.yield()
                    try await Task.sleep(for: .seconds(3600))
                }
            }
            for await _ in gate.stream { break }
            task.cancel()
            _ = await task.result
            #expect(try await items.findOne(.id(1)) == nil)
            try await eventually("the client is back") { database.statistics.acquired == 0 }
        }
    }

    @Test("lets its session read what it has written")
    func session() async throws {
        try await MongoTestServer.withCollection(of: Item.self) { database, items in
            try await database.withSession { session in
                let mine = try items.bound(to: session)
                // Asked at the same time, done one after the other.
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for id in 0..<10 { group.addTask { try await mine.insertOne(Item(id)) } }
                    try await group.waitForAll()
                }
                #expect(try await mine.count() == 10)
                var iterator = mine.find(options: MongoFindOptions(batchSize: 2)).makeAsyncIterator()
                #expect(try await iterator.next() != nil)
            }
            try await eventually("the client is back") { database.statistics.acquired == 0 }
        }
    }
}
