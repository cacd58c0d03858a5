import Foundation
import MongoEngine
import Persistence
import PersistenceCore
import PersistenceMongo
import PersistenceTesting
import Testing

/// A few collections in every run; `Scripts/measure-collections` has it make thousands and prints what they cost.
@Suite("Many collections", .mongo, .timeLimit(.minutes(60)))
struct ManyCollectionsTests {
    private static let measured = ProcessInfo.processInfo.environment["MEASURED_COLLECTIONS"].flatMap { Int($0) }

    @Test("cost one command when they are first written to, and nothing but their use afterwards")
    func cost() async throws {
        guard let measured = Self.measured else {
            return try await withDatabase { database in
                let configuration = try TestServer.configuration(database: database.databaseName)
                try await measure(60, configuration, rememberedCollections: 40)
            }
        }
        // An engine of its own: to drop thousands of collections takes as long as to make them.
        let engine = try await DocumentTestServer.makeEngine()
        try await DocumentTestServer.with(engine) { server in
            var configuration = try MongoConfiguration(uri: server.url)
            configuration.database = "measured"
            try await measure(measured, configuration, rememberedCollections: 4096)
        }
        await engine.remove()
    }

    private func measure(
        _ count: Int, _ configuration: MongoConfiguration, rememberedCollections: Int
    ) async throws {
        let commands = CommandRecorder()
        let instrumentation = Instrumentation(observers: [commands])
        try await MongoDatabase.with(configuration, instrumentation: instrumentation) { database in
            let store = MongoDocumentStore(
                database, configuration: .init(rememberedCollections: rememberedCollections))
            let workspaces = (0..<max(1, count / 100)).map { _ in WorkspaceID() }
            let jobs = (0..<count).map { (workspace: workspaces[$0 % workspaces.count], job: JobID()) }
            func write(to jobs: some Sequence<(workspace: WorkspaceID, job: JobID)>) async throws {
                for (workspace, job) in jobs {
                    try await store.activityMetadata(workspace: workspace, job: job).insert(ActivityMetadata())
                }
            }
            // What the first use of anything costs is no collection's.
            try await write(to: [(WorkspaceID(), JobID())])
            _ = commands.take()

            try await report("made and written to", count) { try await write(to: jobs) }
            #expect(commands.take() == ["createIndexes": count, "insert": count])
            #expect(store.rememberedCollectionCount <= rememberedCollections)

            let recent = jobs.suffix(rememberedCollections / 2)
            try await report("written to again, of those used last", recent.count) { try await write(to: recent) }
            #expect(commands.take() == ["insert": recent.count])

            let forgotten = jobs.prefix(min(count / 4, 500))
            try await report("written to again, of those forgotten", forgotten.count) { try await write(to: forgotten) }
            #expect(commands.take()["insert"] == forgotten.count)

            try await report("read", jobs.count) { () async throws in
                for (workspace, job) in jobs {
                    let metadata = store.activityMetadata(workspace: workspace, job: job)
                    #expect(try await metadata.count(matching: .all) >= 1)
                }
            }
            #expect(commands.take().keys.allSatisfy { $0 == "aggregate" || $0 == "count" })

            try await report("workspaces listed", workspaces.count) { () async throws in
                for workspace in workspaces.prefix(10) {
                    #expect(try await store.jobs(of: workspace).count >= count / workspaces.count)
                }
            }
        }
    }

    /// Prints what a step has cost, when that is asked for.
    private func report(_ what: String, _ count: Int, _ body: () async throws -> Void) async throws {
        let before = ProcessResources.current.residentBytes
        let duration = try await ContinuousClock().measure { try await body() }
        guard Self.measured != nil, count > 0 else { return }
        let milliseconds = duration / .milliseconds(1) / Double(count)
        let bytes = (ProcessResources.current.residentBytes - before) / count
        print(
            "\(count) \(what): \(String(format: "%.2f", milliseconds)) ms and \(bytes) bytes of memory each")
    }
}
