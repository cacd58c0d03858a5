import BSON
import Foundation
import MongoEngine
import PersistenceCore
import PersistenceTesting
import Testing

@Suite("An endpoint that fails", .mongoServer, .serialized, .timeLimit(.minutes(5)))
struct FaultTests {
    private func withProxy(
        _ change: @escaping (inout MongoConfiguration) -> Void = { _ in },
        _ body: (TCPProxy, MongoDatabase, MongoCollection<Item>) async throws -> Void
    ) async throws {
        let direct = try MongoTestServer.configuration()
        let host = try #require(direct.hosts.first)
        try await TCPProxy.with(to: host.name, port: host.port) { proxy in
            try await MongoTestServer.withCollection(
                of: Item.self,
                {
                    $0.hosts = [MongoHost("127.0.0.1", port: proxy.port)]
                    // A replica set of one would send the driver past the proxy.
                    $0.replicaSet = nil
                    $0.isDirectConnection = true
                    $0.cancellationGrace = .milliseconds(50)
                    change(&$0)
                }
            ) { database, items in try await body(proxy, database, items) }
        }
    }

    @Test("is found again after its connections were cut")
    func cut() async throws {
        try await withProxy { proxy, database, items in
            try await items.insertOne(Item(1))
            proxy.resetConnections()
            try await eventually("it answers again") {
                do throws(PersistenceError) {
                    return try await items.findOne(.id(1)) == Item(1)
                } catch {
                    #expect(error.code == .connection || error.code == .unavailable)
                    return false
                }
            }
        }
    }

    @Test("that falls silent holds up nobody beyond his deadline")
    func silence() async throws {
        try await withProxy {
            $0.pool.maximum = 2
        } _: { proxy, database, items in
            try await items.insertOne(Item(1))
            proxy.freezeConnections()
            // Those whose client has to open a connection get through; those on a silent one must not wait for ever.
            let timeouts = await withTaskGroup(of: Int.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        do {
                            try await withDeadline(.milliseconds(300)) { _ = try await items.findOne(.id(1)) }
                            return 0
                        } catch {
                            #expect((error as? PersistenceError)?.code == .timeout)
                            return 1
                        }
                    }
                }
                return await group.reduce(0, +)
            }
            #expect(timeouts >= 1)
            try await eventually("it answers on new connections") {
                (try? await withDeadline(.seconds(5)) { try await items.findOne(.id(1)) }) == Item(1)
            }
            try await eventually("the clients are back") { database.statistics.acquired == 0 }
        }
    }

    @Test("serves on after a storm of cancellations")
    func storm() async throws {
        try await withProxy {
            $0.pool.maximum = 4
        } _: { _, database, items in
            try await items.insertMany((0..<200).map { Item($0) })
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        let task = Task {
                            for try await _ in items.find(options: MongoFindOptions(batchSize: 10)) {}
                        }
                        if number % 2 == 0 { await Task.yield() }
                        task.cancel()
                        _ = await task.result
                    }
                }
            }
            try await eventually("the clients are back") { database.statistics.acquired == 0 }
            #expect(try await items.count() == 200)
            let statistics = database.statistics
            #expect(statistics.waiters == 0)
            #expect(statistics.connections <= 4)
        }
    }
}
