import BSON
import Foundation
import MongoEngine
import PersistenceCore
import Testing

@Suite("Errors of the server", .timeLimit(.minutes(5)))
struct MongoErrorTests {
    private func error(
        answering reply: Document, _ body: @escaping (MongoCollection<Document>) async throws -> Void
    ) async throws -> PersistenceError {
        try await FakeMongoServer.with { _, _ in
            .reply(reply)
        } body: { _, configuration in
            try await MongoDatabase.with(configuration) { database in
                let collection = try database.collection("users")
                return try await failure { try await body(collection) }
            }
        }
    }

    @Test("of a unique index name it and its fields, and quote no value")
    func duplicate() async throws {
        let message = "E11000 duplicate key error collection: app.users index: email_1 dup key: { email: \"hunter2\" }"
        let error = try await error(answering: [
            "n": .int32(0), "ok": .double(1),
            "writeErrors": [
                [
                    "index": .int32(0), "code": .int32(11000), "keyPattern": ["email": 1],
                    "keyValue": ["email": "hunter2"], "errmsg": .string(message),
                ]
            ],
        ]) { try await $0.insertOne(["email": "hunter2"]) }
        #expect(error.code == .uniqueViolation)
        #expect(error.serverCode == "11000")
        #expect(error.constraint == "email_1")
        #expect(error.violates("email_1"))
        #expect(error.collection == "users")
        #expect(error.operation == "insert")
        #expect(error.serverMessage == message)
        #expect(!"\(error) \(error.debugDescription)".contains("hunter2"))
    }

    @Test(
        "have the code of the library that fits",
        arguments: [
            (112, PersistenceError.Code.serializationFailure, PersistenceError.RetrySafety.safe),
            (50, .timeout, .unsafe), (13, .permission, .unsafe), (26, .invalidStatement, .unsafe),
            (121, .checkViolation, .unsafe), (115, .unsupported, .unsafe), (2, .invalidStatement, .unsafe),
            (251, .transactionAborted, .unsafe), (424_242, .server, .unsafe), (11601, .cancelled, .unsafe),
        ])
    func codes(number: Int, code: PersistenceError.Code, safety: PersistenceError.RetrySafety) async throws {
        let reply: Document = [
            "ok": .double(0), "code": .int32(Int32(number)), "codeName": "Name", "errmsg": "the value was hunter2",
        ]
        let error = try await error(answering: reply) { _ = try await $0.distinct("a") }
        #expect(error.code == code)
        #expect(error.serverCode == String(number))
        #expect(error.retrySafety == safety)
        #expect((error.underlying as? MongoServerError)?.name == "Name")
        #expect(!"\(error) \(error.debugDescription)".contains("hunter2"))
        #expect(error.serverMessage == "the value was hunter2")
    }

    @Test("of a bulk write say which writes failed and what was done")
    func bulk() async throws {
        let reply: Document = [
            "n": .int32(1), "ok": .double(1),
            "writeErrors": [
                [
                    "index": .int32(1), "code": .int32(11000),
                    "errmsg": "E11000 duplicate key error collection: app.users index: _id_ dup key: { _id: 1 }",
                ],
                ["index": .int32(2), "code": .int32(121), "errmsg": "Document failed validation"],
            ],
        ]
        let error = try await error(answering: reply) { collection in
            try await collection.insertMany([["_id": 0], ["_id": 1], ["_id": 2]], isOrdered: false)
        }
        #expect(error.code == .uniqueViolation)
        let details = try #require(error.bulkWriteFailure)
        #expect(details.result.insertedCount == 1)
        #expect(details.errors.map(\.index) == [1, 2])
        #expect(details.errors.map(\.code) == [.uniqueViolation, .checkViolation])
        #expect(details.errors.map(\.constraint) == ["_id_", nil])
        #expect(!details.isUnacknowledged)
    }

    @Test("of the network leave the outcome of a write open")
    func network() async throws {
        try await FakeMongoServer.with { name, _ in
            name == "ping" ? .reply(["ok": .double(1)]) : .cut
        } body: { server, configuration in
            try await MongoDatabase.with(configuration) { database in
                let users = try database.collection("users")
                try await database.ping()
                let write = try await failure { try await users.insertOne(["a": 1]) }
                #expect(write.code == .connection)
                #expect(write.retrySafety == .unknown)
                // Sent twice, with the same number, so that a server does it once.
                let inserts = server.commands.filter { $0.keys.first == "insert" }
                #expect(inserts.count == 2)
                #expect(Set(inserts.map { $0["txnNumber"]?.int }).count == 1)
                let read = try await failure { _ = try await users.findOne() }
                #expect(read.code == .connection)
                #expect(read.retrySafety == .safe)
            }
        }
    }

    @Test("of a server that cannot be reached say so in time")
    func unreachable() async throws {
        var configuration = MongoConfiguration(hosts: [MongoHost("127.0.0.1", port: 1)], database: "app")
        configuration.serverSelectionTimeout = .milliseconds(300)
        try await MongoDatabase.with(configuration) { database in
            let error = try await failure { try await database.ping() }
            #expect(error.code == .connection)
            #expect(error.retrySafety == .safe)
        }
    }

    @Test("of a document that does not fit its type name the field")
    func decoding() async throws {
        struct User: Codable { var age: Int }
        let reply: Document = [
            "cursor": ["firstBatch": [["age": "hunter2"]], "id": .int64(0), "ns": "app.users"], "ok": .double(1),
        ]
        let error = try await error(answering: reply) { collection in
            _ = try await collection.findOne(as: User.self)
        }
        #expect(error.code == .decoding)
        #expect(!"\(error) \(error.debugDescription)".contains("hunter2"))
    }
}
