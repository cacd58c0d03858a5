import BSON
import Foundation
import MongoEngine
import PersistenceCore
import Testing

/// What the local engine refuses; these run against the real image alone.
@Suite("MongoDB itself", .mongoServer, .realMongoServer, .timeLimit(.minutes(5)))
struct RealServerTests {
    @Test("tells of changes, and goes on where one has stopped")
    func changes() async throws {
        try await MongoTestServer.withCollection(of: Item.self) { database, items in
            try await items.create()
            let started = AsyncStream<Void>.makeStream()
            let reader = Task {
                var changes: [MongoChange<Item>] = []
                // Everything from the first insert on, whenever the stream has really been opened.
                var iterator = items.changes(MongoChangeStreamOptions(maximumWait: .milliseconds(100)))
                    .makeAsyncIterator()
                started.continuation.yield()
                while changes.count < 2, let change = try await iterator.next() {
                    if change.document?._id ?? 1 >= 1 { changes.append(change) }
                }
                return changes
            }
            for await _ in started.stream { break }
            let writer = Task {
                var id = 0
                while !Task.isCancelled {
                    id += 1
                    try await items.insertOne(Item(id))
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
            let changes = try await reader.value
            writer.cancel()
            _ = await writer.result
            #expect(changes.map(\.kind) == [.insert, .insert])
            let first = try #require(changes.first)
            var resumed = items.changes(MongoChangeStreamOptions(resumeToken: first.resumeToken)).makeAsyncIterator()
            #expect(try await resumed.next()?.document == changes.last?.document)
        }
    }

    @Test("keeps time series")
    func timeSeries() async throws {
        try await MongoTestServer.withCollection(of: Document.self) { database, points in
            var options = MongoCollectionOptions()
            options.timeSeries = .init(timeField: "at", metaField: "source", granularity: .seconds)
            options.expiresAfter = .seconds(3600)
            try await points.create(options)
            try await points.insertMany(
                (0..<10).map { ["at": BSONValue(Date.now), "source": "a", "n": BSONValue($0)] })
            #expect(try await points.count() == 10)
            let info = try await database.listCollections(Field<String>("name") == points.name)
            #expect(info.first?.kind == "timeseries")
        }
    }

    @Test("reads one moment in a snapshot session")
    func snapshot() async throws {
        try await MongoTestServer.withCollection(of: Item.self) { database, items in
            try await items.insertOne(Item(1))
            try await database.withSession(MongoSessionOptions(isSnapshot: true)) { session in
                let mine = try items.bound(to: session)
                #expect(try await mine.count() == 1)
                try await items.insertOne(Item(2))
                #expect(try await mine.count() == 1)
            }
        }
    }
}

@Suite("What the local engine lacks", .mongoServer, .timeLimit(.minutes(5)))
struct UnsupportedTests {
    @Test("is refused with an error that says so")
    func refused() async throws {
        guard await !MongoTestServer.isReal else { return }
        try await MongoTestServer.withCollection(of: Item.self) { _, items in
            try await items.insertOne(Item(1))
            let error = try await failure {
                for try await _ in items.changes() { break }
            }
            #expect(error.code == .unsupported)
        }
    }
}
