import BSON
import Foundation
import MongoEngine
import Persistence
import PersistenceCore
import PersistenceMongo
import PersistenceTesting
import Testing

@Suite("Collections that several processes write to first", .mongo, .serialized, .timeLimit(.minutes(15)))
struct ProcessTests {
    private static let indexNames = [
        "_id_", "execution_at", "expiresAt", "kind_at", "kind_endedAt", "kind_status_at",
    ]

    @Test("come into being once, with their indexes, and lose nothing")
    func together() async throws {
        try await withDatabase { database in
            let workspace = WorkspaceID()
            let jobs = (0..<6).map { _ in JobID() }
            let writers = try (0..<4).map { _ in
                try WriterProcess(database: database.databaseName, workspace: workspace, jobs: jobs, count: 5)
            }
            try await eventually("the processes are ready") { writers.allSatisfy(\.isReady) }
            for writer in writers { try writer.go() }
            try await eventually("the processes end") { writers.allSatisfy { $0.status != nil } }
            try await eventually("everything they printed is there") { writers.allSatisfy { $0.lines.last == "done" } }
            #expect(writers.map(\.status) == [0, 0, 0, 0])
            try await Self.check(database, workspace, jobs, writers)
            let store = MongoDocumentStore(database)
            for job in jobs { #expect(try await store.documentCount(workspace: workspace, job: job) == 20) }
        }
    }

    /// When a process is killed that makes a collection.
    enum Moment: CaseIterable {
        /// The server has not received all of its command.
        case asking
        /// The server has done what it was asked for, and the answer is on its way.
        case answered
        /// Somebody else sees the collection for the first time.
        case visible
        /// Its first write was acknowledged.
        case written
    }

    @Test("are made by the others when the process is killed that was at it", arguments: Moment.allCases)
    func killed(_ moment: Moment) async throws {
        try await withDatabase { database in
            let server = try #require(TestServer.configuration(database: database.databaseName).hosts.first)
            try await TCPProxy.with(to: server.name, port: server.port) { proxy in
                let workspace = WorkspaceID()
                let jobs = (0..<3).map { _ in JobID() }
                func writer(through port: Int? = nil) throws -> WriterProcess {
                    try WriterProcess(
                        database: database.databaseName, workspace: workspace, jobs: jobs, count: 3, port: port)
                }
                let victim = try writer(through: proxy.port)
                let others = try [writer(), writer()]
                try await eventually("the processes are ready") { ([victim] + others).allSatisfy(\.isReady) }
                let sent = proxy.traffic.bytesToServer
                switch moment {
                case .asking: proxy.change { $0.bytesPerSecond = 300 }
                case .answered: proxy.change { $0.cut = .init(.toClient, after: 0) }
                case .visible, .written: break
                }
                try victim.go()
                // The victim is to be the first; but where it may get far, the others are at the same thing.
                if moment == .written { for other in others { try other.go() } }
                try await eventually("the moment comes") {
                    switch moment {
                    case .asking: proxy.traffic.bytesToServer > sent + 100
                    case .answered: proxy.behaviour.cut == nil
                    case .visible: try await !database.listCollections().isEmpty
                    case .written: !victim.acknowledged.isEmpty
                    }
                }
                victim.kill()
                try await eventually("it is gone") { victim.status != nil }
                proxy.resetConnections()
                if moment != .written { for other in others { try other.go() } }
                try await eventually("the others end") {
                    others.allSatisfy { $0.status != nil && $0.lines.last == "done" }
                }
                #expect(others.map(\.status) == [0, 0])
                try await Self.check(database, workspace, jobs, [victim] + others)
            }
        }
    }

    /// Each collection is there once with its indexes, and each document that was acknowledged in it.
    private static func check(
        _ database: MongoDatabase, _ workspace: WorkspaceID, _ jobs: [JobID], _ writers: [WriterProcess]
    ) async throws {
        let names = try await database.listCollections().map(\.name).sorted()
        #expect(names == jobs.map { "\(workspace)/\($0)" }.sorted())
        let store = MongoDocumentStore(database)
        for job in jobs {
            let reply = try await database.runCommand([
                "listIndexes": .string("\(workspace)/\(job)"), "cursor": [:],
            ])
            let indexes = reply["cursor"]?["firstBatch"]?.array?.compactMap { $0.document?["name"]?.string } ?? []
            #expect(indexes.sorted() == indexNames)
            let metadata = store.activityMetadata(workspace: workspace, job: job)
            for (_, activity) in writers.flatMap(\.acknowledged).filter({ $0.job == "\(job)" }) {
                let id = try #require(ActivityID(activity))
                #expect(try await metadata.metadata(of: id) != nil, "an acknowledged document is lost")
            }
        }
    }
}
