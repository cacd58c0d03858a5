import BSON
import Foundation
import MongoEngine
import PersistenceCore
import PersistenceTesting
import Testing

@Suite("Tasks on the driver's threads", .privateEndpoint, .timeLimit(.minutes(10)))
struct ExecutorTests {
    @Test("go on with an answer while another operation of their session waits for its own")
    func neighbours() async throws {
        try await PrivateEndpoint.with { server in
            var configuration = try PrivateEndpoint.configuration(of: server)
            configuration.applicationName = "neighbours"
            try await MongoDatabase.with(configuration) { database in
                let items = try database.collection("items", of: Item.self)
                try await items.insertOne(Item(1))
                try await PrivateEndpoint.delayQueries(of: "neighbours", by: 3000, on: database)
                let codes = try await withTaskExecutorPreference(database.executor) {
                    try await database.withSession { session in
                        let mine = try items.bound(to: session)
                        return await withTaskGroup { group in
                            for _ in 0..<2 {
                                group.addTask {
                                    await code { _ = try await mine.findOne(.id(1)) }
                                }
                            }
                            // Whoever gets its answer first has three seconds to call the other off.
                            let first = await group.next()
                            group.cancelAll()
                            return [first, await group.next()]
                        }
                    }
                }
                #expect(codes == [.some(.none), .some(.some(.cancelled))])
                try await PrivateEndpoint.delayQueries(of: "neighbours", by: nil, on: database)
                try await database.drop()
            }
        }
    }

    /// The code of the error that `body` ends with.
    private func code(_ body: () async throws -> Void) async -> PersistenceError.Code? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? PersistenceError)?.code ?? .internal
        }
    }
}
