import BSON
import Foundation
import MongoEngine
import Persistence
import PersistenceCore
import PersistenceMongo
import Testing

@Suite("Collections of workspaces and jobs", .mongo, .timeLimit(.minutes(15)))
struct CollectionTests {
    @Test("A collection comes into being with its indexes, once, however many write to it first")
    func setUp() async throws {
        try await withDatabase { database in
            let (workspace, job) = (WorkspaceID(), JobID())
            // Stores share nothing but the server, as processes do; half of them have clients of their own.
            let other = try MongoDatabase(configuration: TestServer.configuration(database: database.databaseName))
            let stores = (0..<6).map { MongoDocumentStore($0 % 2 == 0 ? database : other) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for store in stores {
                    for _ in 0..<5 {
                        group.addTask {
                            try await store.activityMetadata(workspace: workspace, job: job).insert(ActivityMetadata())
                        }
                        group.addTask {
                            try await store.jobExecutions(workspace: workspace, job: job).create(NewJobExecution())
                        }
                        group.addTask {
                            try await store.integrationData(workspace: workspace).upsert(Self.response("1"))
                        }
                    }
                }
                try await group.waitForAll()
            }
            await other.shutdown(within: .seconds(10))
            let names = try await database.listCollections().map(\.name).sorted()
            #expect(names == ["\(workspace)/\(job)", "\(workspace)/integrations"].sorted())
            #expect(try await stores[0].documentCount(workspace: workspace, job: job) == 60)
            let indexes = try await Self.indexes(of: "\(workspace)/\(job)", in: database)
            #expect(
                indexes.compactMap { $0["name"]?.string }.sorted()
                    == ["_id_", "execution_at", "expiresAt", "kind_at", "kind_endedAt", "kind_status_at"])
            let expiry = indexes.first { $0["name"]?.string == "expiresAt" }
            #expect(expiry?["expireAfterSeconds"]?.int == 0)
        }
    }

    @Test("Reading makes no collection")
    func reading() async throws {
        try await withDatabase { (database) async throws in
            let store = MongoDocumentStore(database)
            let metadata = store.activityMetadata(workspace: WorkspaceID(), job: JobID())
            #expect(try await metadata.metadata(of: ActivityID()) == nil)
            #expect(try await metadata.count(matching: .all) == 0)
            #expect(try await metadata.stream(matching: .all, sortedBy: .newestFirst).collect() == [])
            #expect(try await metadata.topErrors(limit: 5, in: .distantPast ..< .distantFuture) == [])
            #expect(try await database.listCollections().isEmpty)
            #expect(store.rememberedCollectionCount == 0)
        }
    }

    @Test("Jobs are listed, counted and dropped by workspace, and another workspace's stay")
    func dropping() async throws {
        try await withDatabase { database in
            let store = MongoDocumentStore(database)
            let (workspace, other) = (WorkspaceID(), WorkspaceID())
            let jobs = (0..<5).map { _ in JobID() }
            for job in jobs {
                for workspace in [workspace, other] {
                    try await store.activityMetadata(workspace: workspace, job: job).insert(ActivityMetadata())
                }
            }
            try await store.integrationData(workspace: workspace).upsert(Self.response("1"))
            #expect(try await store.jobs(of: workspace) == jobs)
            #expect(try await store.jobs(of: WorkspaceID()) == [])
            #expect(try await store.collectionCount(of: workspace) == 6)
            #expect(try await store.documentCount(workspace: workspace, job: jobs[0]) == 1)

            #expect(try await store.drop(workspace: workspace, job: jobs[0]))
            #expect(try await !store.drop(workspace: workspace, job: jobs[0]))
            #expect(try await store.jobs(of: workspace) == Array(jobs.dropFirst()))
            #expect(try await store.drop(workspace: workspace) == 5)
            #expect(try await store.drop(workspace: workspace) == 0)
            #expect(try await store.jobs(of: other) == jobs)

            // What is written to afterwards has its indexes again.
            try await store.activityMetadata(workspace: workspace, job: jobs[0]).insert(ActivityMetadata())
            #expect(try await Self.indexes(of: "\(workspace)/\(jobs[0])", in: database).count == 6)
        }
    }

    @Test("Retention removes what is old of every job, and collections that have become empty")
    func retention() async throws {
        try await withDatabase { database in
            let now = Date(timeIntervalSince1970: 1_800_000_000)
            let store = MongoDocumentStore(database, now: { now })
            let workspace = WorkspaceID()
            let (old, mixed) = (JobID(), JobID())
            for (job, ages) in [(old, [40.0, 50.0]), (mixed, [5.0, 31.0])] {
                for age in ages {
                    try await store.activityMetadata(workspace: workspace, job: job).insert(
                        ActivityMetadata(occurredAt: now - age * 86_400))
                }
            }
            let integrations = store.integrationData(workspace: workspace)
            for (id, age) in [("1", 40.0), ("2", 5.0)] {
                try await integrations.upsert(Self.response(id, fetchedAt: now - age * 86_400))
            }
            let executions = store.jobExecutions(workspace: workspace, job: mixed)
            let queued = try await executions.create(NewJobExecution())
            let policy = DocumentRetention(
                activities: .seconds(30 * 86_400), finishedExecutions: .seconds(30 * 86_400),
                integrations: .seconds(30 * 86_400), dropsEmptyCollections: true)
            let report = try await store.apply(policy, workspace: workspace)
            #expect(report.jobs == 2)
            #expect(report.activities == 3)
            #expect(report.executions == 0)
            #expect(report.integrations == 1)
            #expect(report.collections == 1)
            #expect(try await integrations.count(of: IntegrationProvider("crm")) == 1)
            #expect(try await store.jobs(of: workspace) == [mixed])
            #expect(try await executions.execution(id: queued.id) == queued)
            // So long that no date is that old.
            let ages = Duration.seconds(Int64.max)
            let kept = try await store.apply(
                DocumentRetention(activities: ages, finishedExecutions: ages, integrations: ages), workspace: workspace)
            #expect(kept.activities + kept.executions + kept.integrations == 0)
            #expect(kept.jobs == 1)
            for wrong in [
                DocumentRetention(activities: .seconds(-1)), DocumentRetention(finishedExecutions: .seconds(-1)),
                DocumentRetention(integrations: .seconds(-1)),
            ] {
                let error = await failure { try await store.apply(wrong, workspace: workspace) }
                #expect(error?.code == .invalidArgument)
            }
            let nothing = DocumentRetention(integrations: .zero, dropsEmptyCollections: true)
            let last = try await store.apply(nothing, workspace: workspace)
            #expect(last.integrations == 1)
            #expect(last.collections == 1)
            #expect(try await store.collectionCount(of: workspace) == 1)
        }
    }

    @Test("Retention gives a collection that came back without indexes the ones it lacks, and makes no collection")
    func restoredIndexes() async throws {
        try await withDatabase { database in
            let (workspace, job) = (WorkspaceID(), JobID())
            let (writer, cleaner) = (MongoDocumentStore(database), MongoDocumentStore(database))
            let metadata = writer.activityMetadata(workspace: workspace, job: job)
            let integrations = writer.integrationData(workspace: workspace)
            try await metadata.insert(ActivityMetadata())
            try await integrations.upsert(Self.response("1"))
            // Another process drops the collections, and this one remembers that they are set up.
            #expect(try await cleaner.drop(workspace: workspace) == 2)
            try await metadata.insert(ActivityMetadata())
            try await integrations.upsert(Self.response("1"))
            #expect(try await Self.indexes(of: "\(workspace)/\(job)", in: database).count == 1)
            try await cleaner.apply(DocumentRetention(), workspace: workspace)
            #expect(try await Self.indexes(of: "\(workspace)/\(job)", in: database).count == 6)
            #expect(try await Self.indexes(of: "\(workspace)/integrations", in: database).count == 2)
            try await cleaner.apply(DocumentRetention(), workspace: WorkspaceID(), job: JobID())
            #expect(try await database.listCollections().count == 2)
        }
    }

    @Test("The server removes events that have expired, and nothing else")
    func expiry() async throws {
        try await withDatabase { database in
            let (workspace, job) = (WorkspaceID(), JobID())
            let store = MongoDocumentStore(database)
            let jobs = store.jobExecutions(workspace: workspace, job: job)
            let (execution, kind) = (JobExecutionID(), try Label("step"))
            let now = Date()
            func event(for life: TimeInterval?) -> JobEvent {
                JobEvent(execution: execution, kind: kind, occurredAt: now - 10, expiresAt: life.map { now + $0 })
            }
            try await jobs.appendManyIfAbsent([event(for: -1), event(for: -5), event(for: 3600), event(for: nil)])
            try await store.activityMetadata(workspace: workspace, job: job).insert(ActivityMetadata())
            // Servers look every minute.
            try await eventually("the expired are removed", within: .seconds(300), every: .seconds(1)) {
                try await store.documentCount(workspace: workspace, job: job) == 3
            }
            let left = try await jobs.eventStream(of: execution, sortedBy: .oldestFirst).collect()
            #expect(left.count == 2)
        }
    }

    @Test("A store remembers a bounded number of collections, and writes to all of them")
    func manyCollections() async throws {
        try await withDatabase { database in
            let store = MongoDocumentStore(database, configuration: .init(rememberedCollections: 8))
            let workspace = WorkspaceID()
            let jobs = (0..<40).map { _ in JobID() }
            for _ in 0..<2 {
                for job in jobs {
                    try await store.activityMetadata(workspace: workspace, job: job).insert(ActivityMetadata())
                    #expect(store.rememberedCollectionCount <= 8)
                }
            }
            #expect(try await store.jobs(of: workspace) == jobs)
            for job in jobs {
                #expect(try await store.documentCount(workspace: workspace, job: job) == 2)
            }
        }
    }

    @Test("Nothing is done for a cancelled task, or after its deadline, and both are said")
    func unwantedCalls() async throws {
        try await withDatabase { database in
            let store = MongoDocumentStore(database)
            let (workspace, job) = (WorkspaceID(), JobID())
            try await store.activityMetadata(workspace: workspace, job: job).insert(ActivityMetadata())
            try await store.integrationData(workspace: workspace).upsert(Self.response("1"))
            let retention = DocumentRetention(
                activities: .zero, finishedExecutions: .zero, integrations: .zero, dropsEmptyCollections: true)
            let calls: [@Sendable () async throws -> Void] = [
                { _ = try await store.jobs(of: workspace) },
                { _ = try await store.collectionCount(of: workspace) },
                { _ = try await store.documentCount(workspace: workspace, job: job) },
                { try await store.drop(workspace: workspace, job: job) },
                { try await store.drop(workspace: workspace) },
                { try await store.apply(retention, workspace: workspace) },
                { try await store.apply(retention, workspace: workspace, job: job) },
                { try await store.upgradeAll(workspace: workspace, job: job) },
                { try await store.upgradeIntegrationData(workspace: workspace) },
                // A collection that has not been written to yet.
                { try await store.activityMetadata(workspace: workspace, job: JobID()).insert(ActivityMetadata()) },
            ]
            for (index, call) in calls.enumerated() {
                let task = Task {
                    withUnsafeCurrentTask { $0?.cancel() }
                    try await call()
                }
                let cancelled = await failure { try await task.value }
                #expect(cancelled?.code == .cancelled, "call \(index)")
                let late = await failure {
                    try await withDeadline(.seconds(-1)) { () async throws in try await call() }
                }
                #expect(late?.code == .timeout, "call \(index)")
            }
            #expect(try await store.collectionCount(of: workspace) == 2)
            #expect(try await store.documentCount(workspace: workspace, job: job) == 1)
        }
    }

    @Test("Of a job that is dropped while others write to it, what is left can be read and has its indexes")
    func droppedMeanwhile() async throws {
        try await withDatabase { database in
            let store = MongoDocumentStore(database)
            let (workspace, job) = (WorkspaceID(), JobID())
            let metadata = store.activityMetadata(workspace: workspace, job: job)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask { for _ in 0..<25 { try await metadata.insert(ActivityMetadata()) } }
                }
                group.addTask { for _ in 0..<10 { try await store.drop(workspace: workspace, job: job) } }
                try await group.waitForAll()
            }
            // Whoever comes last may have come between the drop and the set-up of another: the next write mends that.
            try await store.drop(workspace: workspace, job: job)
            try await metadata.insert(ActivityMetadata())
            #expect(try await metadata.count(matching: .all) == 1)
            #expect(try await Self.indexes(of: "\(workspace)/\(job)", in: database).count == 6)
        }
    }

    @Test("A document that is not as it should be is refused with its collection and field, and without its value")
    func malformed() async throws {
        try await withDatabase { database in
            let store = MongoDocumentStore(database)
            let (workspace, job) = (WorkspaceID(), JobID())
            let metadata = store.activityMetadata(workspace: workspace, job: job)
            let collection = try database.collection("\(workspace)/\(job)")
            let faults: [(field: String, change: Document)] = [
                ("status", ["status": "secret"]), ("status", ["status": 1]), ("at", ["at": "secret"]),
                ("payload", ["payload": "secret"]),
                ("payload", ["payload": ["x": .regularExpression(BSONRegularExpression(pattern: "secret"))]]),
                ("failure", ["failure": ["code": 1]]), ("v", ["v": 99]), ("v", ["v": "secret"]), ("v", ["v": 0]),
            ]
            for (field, change) in faults {
                let item = ActivityMetadata()
                try await metadata.insert(item)
                try await collection.updateOne(
                    MongoFilter(trusted: ["_id": .string("activity/\(item.activity)")]),
                    MongoUpdate(trusted: ["$set": .document(change)]))
                let error = await failure { _ = try await metadata.metadata(of: item.activity) }
                #expect(error?.code == .decoding)
                #expect(error?.column == field)
                #expect(error?.collection == "\(workspace)/\(job)")
                #expect(error?.operation == "GetActivityMetadata")
                #expect(error?.debugDescription.contains("secret") == false)
                #expect(try await metadata.delete(item.activity))
            }
        }
    }

    private static func response(
        _ id: String, fetchedAt: Date = Date(timeIntervalSince1970: 1_700_000_000)
    ) throws -> IntegrationResponse {
        try IntegrationResponse(
            provider: IntegrationProvider("crm"), externalID: ExternalID(id), json: Array("{}".utf8),
            fetchedAt: fetchedAt)
    }

    private static func indexes(of name: String, in database: MongoDatabase) async throws -> [Document] {
        let reply = try await database.runCommand(["listIndexes": .string(name), "cursor": [:]])
        return reply["cursor"]?["firstBatch"]?.array?.compactMap(\.document) ?? []
    }
}
