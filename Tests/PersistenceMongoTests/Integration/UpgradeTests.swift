import BSON
import Foundation
import MongoEngine
import Persistence
import PersistenceCore
import PersistenceMongo
import Testing

@Suite("Documents of older shapes", .mongo, .timeLimit(.minutes(10)))
struct UpgradeTests {
    /// From version 1 to 2 the payload's `cost` becomes an object with a currency; from 2 to 3 it gets a flag.
    private static let upgrades = DocumentUpgrades()
        .adding(to: .activityMetadata) { document in
            guard var payload = document["payload"]?.document else { throw Unreadable() }
            if let cost = payload["cost"] { payload["cost"] = ["amount": cost, "currency": "EUR"] }
            document["payload"] = .document(payload)
        }
        .adding(to: .activityMetadata) { document in
            guard var payload = document["payload"]?.document else { throw Unreadable() }
            payload["upgraded"] = true
            document["payload"] = .document(payload)
        }

    private struct Unreadable: Error {}

    @Test("An old document is read in the newest shape, and written in it when it is written next")
    func lazily() async throws {
        try await withDatabase { database in
            let (workspace, job) = (WorkspaceID(), JobID())
            let before = MongoDocumentStore(database)
            let item = ActivityMetadata(payload: ["cost": 5])
            try await before.activityMetadata(workspace: workspace, job: job).insert(item)

            let store = MongoDocumentStore(database, configuration: .init(upgrades: Self.upgrades))
            let metadata = store.activityMetadata(workspace: workspace, job: job)
            let expected: Payload = ["cost": ["amount": 5, "currency": "EUR"], "upgraded": true]
            #expect(try await metadata.metadata(of: item.activity)?.payload == expected)
            let streamed = try await metadata.stream(matching: .all, sortedBy: .newestFirst).collect()
            #expect(streamed.map(\.payload) == [expected])
            let page = try await metadata.metadata(
                matching: .all, sortedBy: .newestFirst, KeysetPageRequest(limit: 5))
            #expect(page.items.map(\.payload) == [expected])
            #expect(try await Self.version(of: item.activity, workspace, job, database) == 1)

            try await metadata.update(item.activity, with: ActivityMetadataUpdate(payload: ["more": 1]))
            #expect(try await Self.version(of: item.activity, workspace, job, database) == 3)
            #expect(try await metadata.metadata(of: item.activity)?.payload == expected.merging(["more": 1]))
            // The program of before does not guess at what it does not know.
            let error = await failure {
                _ = try await before.activityMetadata(workspace: workspace, job: job).metadata(of: item.activity)
            }
            #expect(error?.code == .decoding)
            #expect(error?.column == "v")
        }
    }

    @Test("All are upgraded at once, beside writers, and what cannot be is counted and stays")
    func batch() async throws {
        try await withDatabase { database in
            let (workspace, job) = (WorkspaceID(), JobID())
            let before = MongoDocumentStore(database)
            let items = (0..<450).map { ActivityMetadata(payload: ["cost": .integer(Int64($0))]) }
            try await before.activityMetadata(workspace: workspace, job: job).insertManyIfAbsent(items)
            try await before.jobExecutions(workspace: workspace, job: job).create(NewJobExecution())
            let collection = try database.collection("\(workspace)/\(job)")
            // One from before there were versions, and one that nobody can read.
            try await collection.updateOne(
                Self.filter(items[1].activity), MongoUpdate(trusted: ["$unset": ["v": "", "rev": ""]]))
            try await collection.updateOne(
                Self.filter(items[2].activity), MongoUpdate(trusted: ["$unset": ["payload": ""]]))

            let store = MongoDocumentStore(database, configuration: .init(upgrades: Self.upgrades))
            let metadata = store.activityMetadata(workspace: workspace, job: job)
            async let writing: Void = {
                for item in items.suffix(50) {
                    try await metadata.update(item.activity, with: ActivityMetadataUpdate(payload: ["w": 1]))
                }
            }()
            let report = try await store.upgradeAll(workspace: workspace, job: job)
            try await writing
            let again = try await store.upgradeAll(workspace: workspace, job: job)
            #expect(report.upgraded + again.upgraded <= 449)
            #expect(report.upgraded + again.upgraded >= 399)
            #expect(report.failed == 1)
            #expect(again.failedKeys == ["activity/\(items[2].activity)"])
            #expect(try await collection.count(MongoFilter(trusted: ["kind": "activity", "v": 3])) == 449)
            #expect(
                try await metadata.count(matching: .payload(["cost", "currency"], equals: "EUR")) == 449)
            for item in items.suffix(50) {
                let payload = try await metadata.metadata(of: item.activity)?.payload
                #expect(payload?["w"] == 1)
                #expect(payload?[["cost", "amount"]] == item.payload["cost"])
            }
        }
    }

    @Test("The answers of systems outside are upgraded when they are read, recorded again, and all at once")
    func integrations() async throws {
        try await withDatabase { database in
            let workspace = WorkspaceID()
            let crm = try IntegrationProvider("crm")
            func response(
                _ id: Int, _ json: String, at time: TimeInterval = 1_700_000_000
            ) throws -> IntegrationResponse {
                try IntegrationResponse(
                    provider: crm, externalID: ExternalID("\(id)"), json: Array(json.utf8),
                    fetchedAt: Date(timeIntervalSince1970: time))
            }
            let before = MongoDocumentStore(database).integrationData(workspace: workspace)
            try await before.upsertMany(try (0..<5).map { try response($0, "{\"n\": \($0)}") })
            let upgrades = DocumentUpgrades().adding(to: .integrationData) { document in
                guard var payload = document["payload"]?.document else { throw Unreadable() }
                payload["seen"] = true
                document["payload"] = .document(payload)
            }
            let store = MongoDocumentStore(database, configuration: .init(upgrades: upgrades))
            let after = store.integrationData(workspace: workspace)
            #expect(try await after.record(of: crm, ExternalID("1"))?.response.payload == ["n": 1, "seen": true])
            #expect(try await after.stream(of: crm).collect().allSatisfy { $0.response.payload["seen"] == true })
            // What is written next has the newest shape.
            #expect(try await after.upsert(try response(1, "{\"n\": 7}", at: 1_700_000_001)) == .updated)
            let report = try await store.upgradeIntegrationData(workspace: workspace)
            #expect(report.upgraded == 4)
            #expect(report.failed == 0)
            #expect(try await store.upgradeIntegrationData(workspace: workspace) == DocumentUpgradeReport())
            #expect(try await store.upgradeIntegrationData(workspace: WorkspaceID()) == DocumentUpgradeReport())
            let stored = try database.collection("\(workspace)/integrations")
            #expect(try await stored.count(MongoFilter(trusted: ["v": 2])) == 5)
        }
    }

    private static func filter(_ activity: ActivityID) -> MongoFilter {
        MongoFilter(trusted: ["_id": .string("activity/\(activity)")])
    }

    private static func version(
        of activity: ActivityID, _ workspace: WorkspaceID, _ job: JobID, _ database: MongoDatabase
    ) async throws -> Int? {
        try await database.collection("\(workspace)/\(job)").findOne(filter(activity))?["v"]?.int
    }
}
