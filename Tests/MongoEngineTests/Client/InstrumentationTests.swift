import BSON
import Foundation
import MongoEngine
import PersistenceCore
import Synchronization
import Testing

private final class Recorder: InstrumentationObserver {
    private let ends = Mutex<[OperationEnd]>([])

    func operationDidEnd(_ event: OperationEnd) {
        ends.withLock { $0.append(event) }
    }

    func operations(_ kind: DatabaseOperation.Kind) -> [OperationEnd] {
        ends.withLock { $0.filter { $0.operation.kind == kind } }
    }
}

@Suite("What the engine reports", .timeLimit(.minutes(5)))
struct InstrumentationTests {
    @Test("names the system, the collection, the operation, the size of a batch and the server's code")
    func operations() async throws {
        let recorder = Recorder()
        try await FakeMongoServer.with { name, _ in
            switch name {
            case "find": .reply(["ok": .double(0), "code": .int32(13), "errmsg": "not you, hunter2"])
            default: .reply(["n": .int32(3), "ok": .double(1)])
            }
        } body: { server, configuration in
            try await MongoDatabase.with(configuration, instrumentation: Instrumentation(observers: [recorder])) {
                database in
                let orders = try database.collection("orders")
                try await orders.insertMany([["a": 1], ["a": 2], ["a": 3]])
                _ = try await failure { _ = try await orders.findOne() }
            }
            let commands = recorder.operations(.command)
            #expect(commands.map(\.operation.operationName) == ["insert", "find"])
            #expect(commands.allSatisfy { $0.operation.target.system == .mongodb })
            #expect(commands.allSatisfy { $0.operation.target.port == server.port })
            #expect(commands.allSatisfy { $0.operation.collection == "orders" })
            #expect(commands.first?.operation.batchSize == 3)
            #expect(commands.first?.operation.spanName == "insert orders")
            #expect(commands.last?.error?.serverCode == "13")
            #expect(commands.last?.error?.code == .permission)
            #expect(recorder.operations(.acquire).count == 2)
        }
    }

    @Test("is healthy when the server answers, and knows the servers")
    func health() async throws {
        try await FakeMongoServer.with { _, _ in
            .reply(["ok": .double(1)])
        } body: { server, configuration in
            try await MongoDatabase.with(configuration) { database in
                let monitor = try HealthMonitor(critical: [database])
                let report = await monitor.checkNow()
                #expect(report.readiness == .ready)
                #expect(report.databases.map(\.name) == ["127.0.0.1:\(server.port)/app"])
                #expect(database.topology.hasWritableServer)
                #expect(database.topology.servers.map(\.kind) == [.primary])
                #expect(database.topology.servers.first?.host.port == server.port)
            }
        }
        var configuration = MongoConfiguration(hosts: [MongoHost("127.0.0.1", port: 1)], database: "app")
        configuration.serverSelectionTimeout = .milliseconds(200)
        try await MongoDatabase.with(configuration) { database in
            let monitor = try HealthMonitor(
                critical: [database], configuration: .init(timeout: .seconds(30), failureThreshold: 1))
            #expect(await monitor.checkNow().readiness == .notReady)
            #expect(!database.topology.hasWritableServer)
        }
    }

    @Test("leaves no thread and no descriptor behind")
    func leaks() async throws {
        try await FakeMongoServer.with { _, _ in
            .reply(["ok": .double(1)])
        } body: { server, configuration in
            for _ in 0..<5 {
                let database = try MongoDatabase(configuration: configuration)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<20 { group.addTask { try await database.ping() } }
                    try await group.waitForAll()
                }
                let statistics = database.statistics
                #expect(statistics.acquires == 20)
                #expect(statistics.acquired == 0)
                #expect((1...2).contains(statistics.connections))
                #expect(statistics.threads <= 2)
                await database.shutdown(within: .seconds(10))
                #expect(database.statistics.connections == 0)
                try await eventually("its threads have ended") { database.statistics.threads == 0 }
            }
            try await eventually("all connections are closed") { server.connectionCount == 0 }
            // One that nobody shuts down is cleaned up when it is let go.
            do {
                let database = try MongoDatabase(configuration: configuration)
                try await database.ping()
            }
            try await eventually("its connections are closed too") { server.connectionCount == 0 }
        }
    }
}
