import Foundation
import MongoEngine
import Persistence
import PersistenceCore
import PersistenceMongo
import Testing

@Suite("Many answers of systems outside", .mongo, .timeLimit(.minutes(10)))
struct IntegrationBatchTests {
    private static let now = Date(timeIntervalSince1970: 1_700_000_000)

    private static func responses(_ numbers: Range<Int>, _ text: String, _ date: Date) throws -> [IntegrationResponse] {
        let provider = try IntegrationProvider("crm")
        return try numbers.map { number in
            try IntegrationResponse(
                provider: provider, externalID: ExternalID("\(number)"), json: Array("{\"a\": \"\(text)\"}".utf8),
                fetchedAt: date)
        }
    }

    @Test("take the same few round trips whether they are new, the same or different")
    func roundTrips() async throws {
        try await withDatabase { database in
            let commands = CommandRecorder()
            let configuration = try TestServer.configuration(database: database.databaseName)
            let instrumentation = Instrumentation(observers: [commands])
            try await MongoDatabase.with(configuration, instrumentation: instrumentation) { database in
                let data = MongoDocumentStore(database).integrationData(workspace: WorkspaceID())
                let first = try Self.responses(0..<100, "x", Self.now)
                #expect(try await Set(data.upsertMany(first)) == [.inserted])
                #expect(commands.take() == ["find": 1, "createIndexes": 1, "bulkWrite": 1])
                let changed = try Self.responses(0..<200, "y", Self.now + 60)
                let outcomes = try await data.upsertMany(changed)
                #expect(outcomes == Array(repeating: .updated, count: 100) + Array(repeating: .inserted, count: 100))
                #expect(commands.take() == ["find": 1, "bulkWrite": 1])
                #expect(try await Set(data.upsertMany(first)) == [.outdated])
                #expect(commands.take() == ["find": 1])
            }
        }
    }

    @Test("recorded by many at a time, each are counted once, and the latest is kept")
    func concurrently() async throws {
        try await withDatabase { database in
            let workspace = WorkspaceID()
            let data = MongoDocumentStore(database).integrationData(workspace: workspace)
            let provider = try IntegrationProvider("crm")
            // Every second one is there already, so that some are inserted and the others replaced.
            let before = try Self.responses(0..<60, "before", Self.now - 60).enumerated().filter { $0.offset % 2 == 0 }
                .map(\.element)
            try await data.upsertMany(before)
            let outcomes = try await withThrowingTaskGroup(of: [IntegrationUpsert].self) { group in
                for number in 0..<6 {
                    group.addTask {
                        let store = MongoDocumentStore(database)
                        return try await store.integrationData(workspace: workspace).upsertMany(
                            Self.responses(0..<60, "\(number)", Self.now + Double(number)))
                    }
                }
                // Somebody removes some of them meanwhile.
                group.addTask {
                    for number in 0..<20 { try await data.delete(provider, ExternalID("\(number)")) }
                    return []
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(outcomes.count == 360)
            // Each of those that are removed may be the first once more.
            let inserted = outcomes.count { $0 == .inserted }
            #expect((30...50).contains(inserted), "\(inserted)")
            for number in 20..<60 {
                let record = try await data.record(of: provider, ExternalID("\(number)"))
                #expect(record?.response.fetchedAt == Self.now + 5)
                #expect(record?.response.raw == Array("{\"a\": \"5\"}".utf8))
                if number % 2 == 0 { #expect(record?.firstFetchedAt == Self.now - 60) }
            }
            #expect(try await data.count(of: provider) >= 40)
        }
    }
}
