import BSON
import Foundation
import InMemoryTracing
import Logging
import MetricsTestKit
import MongoEngine
import PersistenceCore
import Synchronization
import Testing
import Tracing

private final class Recorder: InstrumentationObserver {
    private let ends = Mutex<[OperationEnd]>([])

    func operationDidEnd(_ event: OperationEnd) {
        ends.withLock { $0.append(event) }
    }

    func operations(_ kind: DatabaseOperation.Kind) -> [OperationEnd] {
        ends.withLock { $0.filter { $0.operation.kind == kind } }
    }
}

/// Keeps what is logged, of every level.
private struct LogLines: LogHandler {
    private final class Storage: Sendable {
        let lines = Mutex<[String]>([])
    }

    private let storage = Storage()
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    var all: [String] { storage.lines.withLock { $0 } }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        storage.lines.withLock { $0.append("\(event.message) \(event.metadata ?? [:])") }
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

    @Test("names the member that answered, and how long clients were waited for and used")
    func members() async throws {
        let tracer = InMemoryTracer()
        let metrics = TestMetrics()
        try await FakeMongoServer.with { name, _ in
            name == "find"
                ? .reply(["ok": .double(0), "code": .int32(13), "errmsg": "no"]) : .reply(["ok": .double(1)])
        } body: { server, configuration in
            var configuration = configuration
            // The set's one member says that it has another name.
            configuration.hosts = [MongoHost("localhost", port: server.port)]
            configuration.replicaSet = "rs0"
            let instrumentation = Instrumentation(tracer: tracer, metrics: metrics)
            try await MongoDatabase.with(configuration, instrumentation: instrumentation) { database in
                try await database.ping()
                _ = try await failure { _ = try await database.collection("orders").findOne() }
                let ping = try #require(tracer.finishedSpans.first { $0.operationName == "ping app" })
                #expect(ping.attributes.get("server.address") == .string("127.0.0.1"))
                #expect(ping.attributes.get("server.port") == .int64(Int64(server.port)))
                // Of what was refused nobody asks who did so: it may have been tried on several.
                let find = try #require(tracer.finishedSpans.first { $0.operationName == "find orders" })
                #expect(find.attributes.get("server.address") == .string("localhost"))
            }
            let name = ("db.client.connection.pool.name", "localhost:\(server.port)/app")
            #expect(try metrics.expectRecorder("db.client.connection.wait_time", [name]).values.count == 2)
            #expect(try metrics.expectRecorder("db.client.connection.use_time", [name]).values.count == 2)
            #expect(try metrics.expectRecorder("db.client.connection.create_time", [name]).values.count == 1)
        }
    }

    @Test("shows no password, neither in what it throws nor in spans and log lines")
    func secrets() async throws {
        let tracer = InMemoryTracer()
        let lines = LogLines()
        let logger = Logger(label: "test") { _ in lines }
        try await FakeMongoServer.with { _, _ in
            .reply(["ok": .double(0), "code": .int32(18), "errmsg": "Authentication failed."])
        } body: { server, configuration in
            var configuration = configuration
            configuration.user = "app"
            configuration.password = Secret("hunter2")
            configuration.authenticationMechanism = .scramSHA256
            let instrumentation = Instrumentation(tracer: tracer, logger: logger)
            try await MongoDatabase.with(configuration, instrumentation: instrumentation) { database in
                let error = try await failure { _ = try await database.collection("orders").findOne() }
                #expect(error.code == .authentication)
                #expect(!"\(error) \(error.debugDescription) \(error.serverMessage ?? "")".contains("hunter2"))
            }
            #expect(server.count(of: "saslStart") > 0)
        }
        #expect(lines.all.contains { $0.contains("failed") })
        #expect(!lines.all.contains { $0.contains("hunter2") })
        #expect(!tracer.finishedSpans.isEmpty)
        for span in tracer.finishedSpans { #expect(!"\(span.attributes) \(span.errors)".contains("hunter2")) }
    }

    @Test("says that a deployment is down without looking for a server, once the driver has looked more than once")
    func down() async throws {
        try await FakeMongoServer.with { _, _ in
            .reply(["ok": .double(1)])
        } body: { server, configuration in
            var configuration = configuration
            configuration.heartbeatInterval = .milliseconds(500)
            // Longer than this test may take: its end must not wait for a server either.
            configuration.serverSelectionTimeout = .seconds(600)
            try await MongoDatabase.with(configuration) { database in
                try await database.check()
                server.stop()
                try await eventually("the driver has missed the server") {
                    let servers = database.topology.servers
                    return servers.map(\.kind) == [.unknown] && servers.allSatisfy { $0.failedHeartbeats > 1 }
                }
                let acquires = database.statistics.acquires
                let error = try await failure { try await database.check() }
                #expect(error.code == .connection)
                #expect(error.summary.contains("127.0.0.1:\(server.port)"))
                #expect(database.statistics.acquires == acquires)
            }
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
