import Foundation
import MongoEngine
import Persistence
import PersistenceCore
import PersistenceMongo
import PersistenceTesting
import Synchronization
import Testing

@Suite("A buffered writer in front of a store", .mongo, .serialized, .timeLimit(.minutes(10)))
struct IngestionTests {
    private static let count = 600

    /// Four producers hand items over, while connections are cut again and again.
    private func ingest(
        _ policy: RetryPolicy,
        _ check: ([BufferedWriterLoss<ActivityMetadata>], [ActivityMetadata], Set<ActivityID>) -> Void
    ) async throws {
        try await withDatabase { database in
            let (workspace, job) = (WorkspaceID(), JobID())
            var configuration = try TestServer.configuration(database: database.databaseName)
            let server = try #require(configuration.hosts.first)
            try await TCPProxy.with(to: server.name, port: server.port) { proxy in
                configuration.hosts = [MongoHost(proxy.host, port: proxy.port)]
                configuration.isDirectConnection = true
                // What the driver does not do again, the writer may have to.
                configuration.retriesWrites = false
                try await MongoDatabase.with(configuration) { cut in
                    let losses = Mutex<[BufferedWriterLoss<ActivityMetadata>]>([])
                    let metadata = MongoDocumentStore(cut).activityMetadata(workspace: workspace, job: job)
                    let writer = BufferedWriter<ActivityMetadata>(
                        configuration: try BufferedWriterConfiguration(
                            maximumBatchCount: 10, maximumDelay: .milliseconds(5), maximumBufferedCount: 40),
                        retryPolicy: policy, sizeOf: { $0.payload.encodedSize },
                        onLoss: { loss in losses.withLock { $0.append(loss) } },
                        write: { batch in
                            try await metadata.insertManyIfAbsent(batch)
                            return []
                        })
                    let items = (0..<Self.count).map { ActivityMetadata(payload: ["n": .integer(Int64($0))]) }
                    try await writer.running {
                        try await withThrowingTaskGroup(of: Void.self) { group in
                            for producer in 0..<4 {
                                group.addTask {
                                    for index in stride(from: producer, to: items.count, by: 4) {
                                        try await writer.write(items[index])
                                    }
                                }
                            }
                            group.addTask {
                                for round in 1...8 {
                                    try await eventually("the writer goes on after cut \(round - 1)") {
                                        let statistics = writer.statistics
                                        return statistics.written + statistics.lost >= min(round * 50, Self.count)
                                    }
                                    // In the midst of an answer, or of what is asked.
                                    let way: TCPProxy.Direction = round.isMultiple(of: 2) ? .toClient : .toServer
                                    let place = proxy.traffic[way] + round * 37
                                    proxy.change { $0.cut = TCPProxy.Cut(way, after: place) }
                                }
                            }
                            try await group.waitForAll()
                        }
                    }
                    let statistics = writer.statistics
                    #expect(statistics.accepted == Self.count)
                    #expect(statistics.written + statistics.lost == Self.count)
                    #expect(statistics.buffered == 0 && statistics.bufferedSize == 0)
                    let reported = losses.withLock(\.self)
                    #expect(reported.reduce(0) { $0 + $1.items.count } == statistics.lost)
                    let kept = MongoDocumentStore(database).activityMetadata(workspace: workspace, job: job)
                    let stored = try await kept.stream(matching: .all, sortedBy: .oldestFirst).collect()
                    #expect(Set(stored.map(\.activity)).count == stored.count)
                    check(reported, items, Set(stored.map(\.activity)))
                }
            }
        }
    }

    @Test("writes every item once when it tries again, although nobody knows what a cut write has done")
    func retrying() async throws {
        try await ingest(RetryPolicy(maximumAttempts: 100, isRetryable: { _ in true })) { losses, items, stored in
            #expect(losses.isEmpty)
            #expect(stored == Set(items.map(\.activity)))
        }
    }

    @Test("reports every item that it could not write, and is right about those it does not report")
    func reporting() async throws {
        try await ingest(.never) { losses, items, stored in
            let lost = Set(losses.flatMap(\.items).map(\.activity))
            for item in items where !lost.contains(item.activity) {
                #expect(stored.contains(item.activity), "an item is neither stored nor reported")
            }
            for loss in losses {
                // Where the error says that nothing was done, nothing was.
                guard loss.error.retrySafety == .safe else { continue }
                #expect(loss.items.allSatisfy { !stored.contains($0.activity) })
            }
        }
    }
}
