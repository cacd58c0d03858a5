import BSON
import MongoEngine
import PersistenceCore
import Synchronization
import Testing

/// A write that may have been done is never called safe to repeat.
@Suite("What is known of a write that failed", .timeLimit(.minutes(5)))
struct RetrySafetyTests {
    /// Answers the first command of a name in one way, and the others in another.
    private static func answering(
        _ name: String, first: @escaping @Sendable () -> FakeMongoServer.Answer,
        then other: @escaping @Sendable () -> FakeMongoServer.Answer
    ) -> FakeMongoServer.Handler {
        let count = Counter()
        return { command, _ in
            guard command == name else { return .reply(["n": .int32(1), "ok": .double(1)]) }
            return count.next() == 1 ? first() : other()
        }
    }

    private final class Counter: Sendable {
        private let value = Atomic(0)

        func next() -> Int { value.wrappingAdd(1, ordering: .relaxed).newValue }
    }

    private static func refusal(_ code: Int32) -> FakeMongoServer.Answer {
        .reply(["ok": .double(0), "code": .int32(code), "errmsg": "no"])
    }

    @Test("A write that was cut off and refused when it was sent again may have been done the first time")
    func refusedRetry() async throws {
        try await FakeMongoServer.with(Self.answering("insert", first: { .cut }, then: { Self.refusal(13) })) {
            server, configuration in
            try await MongoDatabase.with(configuration) { database in
                let users = try database.collection("users")
                let error = try await failure { try await users.insertOne(["a": 1]) }
                #expect(error.code == .permission)
                #expect(error.retrySafety == .unknown)
                #expect(server.count(of: "insert") == 2)
                #expect(database.statistics.retriedOperations == 1)
                // Alone, the same answer says that nothing was done.
                let sure = try await failure { try await users.insertOne(["a": 1]) }
                #expect(sure.code == .permission)
                #expect(sure.retrySafety == .unsafe)
                #expect(database.statistics.retriedOperations == 1)
            }
        }
    }

    @Test("A write that is done at the second attempt is counted as repeated")
    func repeated() async throws {
        let handler = Self.answering("insert", first: { .cut }, then: { .reply(["n": .int32(1), "ok": .double(1)]) })
        try await FakeMongoServer.with(handler) { server, configuration in
            try await MongoDatabase.with(configuration) { database in
                try await database.collection("users").insertOne(["a": 1])
                #expect(server.count(of: "insert") == 2)
                #expect(database.statistics.retriedOperations == 1)
            }
        }
    }

    @Test("A bulk write of which a part was done is not safe to repeat", arguments: [Int32?.none, 112, 91])
    func partOfBulk(code: Int32?) async throws {
        let handler = Self.answering(
            "update", first: { code.map { Self.refusal($0) } ?? .cut }, then: { code.map { Self.refusal($0) } ?? .cut })
        try await FakeMongoServer.with(handler) { server, configuration in
            try await MongoDatabase.with(configuration) { database in
                let users = try database.collection("users")
                let error = try await failure {
                    try await users.bulkWrite([
                        .insert(["_id": 1]), .updateOne(.id(1), .set("a", to: 1)), .insert(["_id": 2]),
                    ])
                }
                #expect(error.retrySafety == (code == 112 ? .unsafe : .unknown))
                #expect(server.count(of: "insert") == 1)
            }
        }
    }

    @Test("A write to many documents that is stopped may have changed some of them")
    func partOfMany() async throws {
        try await FakeMongoServer.with { _, _ in
            Self.refusal(50)
        } body: { _, configuration in
            try await MongoDatabase.with(configuration) { database in
                let users = try database.collection("users")
                let many = try await failure { try await users.updateMany(.all, .set("a", to: 1)) }
                #expect(many.code == .timeout)
                #expect(many.retrySafety == .unknown)
                let deletion = try await failure { try await users.deleteMany(.all) }
                #expect(deletion.retrySafety == .unknown)
                let one = try await failure { try await users.updateOne(.all, .set("a", to: 1)) }
                #expect(one.code == .timeout)
                #expect(one.retrySafety == .unsafe)
            }
        }
    }

    @Test("A replacement in a bulk write that would be taken for an update is refused")
    func replacement() async throws {
        let database = try MongoDatabase(configuration: MongoConfiguration(database: "app"))
        let users = try database.collection("users")
        let error = try await failure {
            try await users.bulkWrite([.replaceOne(.id(1), ["$set": ["admin": true]])])
        }
        #expect(error.code == .invalidArgument)
        #expect(database.statistics.newConnections == 0)
    }
}
