import InMemoryTracing
import Logging
import MetricsTestKit
import PersistenceCore
import Testing
import Tracing

@Suite("Instrumentation")
struct InstrumentationTests {
    let target = DatabaseTarget(system: .mongodb, namespace: "jobs", address: "127.0.0.1", port: 27018)

    @Test("disabled, it begins nothing and does not even describe the operation")
    func disabled() {
        #expect(!Instrumentation.disabled.isEnabled)
        #expect(Instrumentation.disabled.logger == nil)
        #expect(Instrumentation.disabled.poolMetrics(name: "main") == nil)
        var descriptions = 0
        func describe() -> DatabaseOperation {
            descriptions += 1
            return DatabaseOperation(.query, on: target)
        }
        #expect(Instrumentation.disabled.begin(describe()) == nil)
        #expect(descriptions == 0)
        #expect(Instrumentation(observers: [EventLog()]).begin(describe()) != nil)
        #expect(descriptions == 1)
    }

    @Test("without any receiver it is disabled")
    func empty() {
        #expect(!Instrumentation().isEnabled)
        #expect(Instrumentation(logger: Logger(label: "test")).isEnabled)
    }

    @Test("without a span the body of an operation just runs, in the caller's context")
    func disabledContext() async {
        var context = ServiceContext.topLevel
        context[TestKey.self] = 7
        let value = await ServiceContext.$current.withValue(context) {
            await Instrumentation.disabled.begin(DatabaseOperation(.transaction, on: target)).withContext {
                ServiceContext.current?[TestKey.self]
            }
        }
        #expect(value == 7)
        ServiceContext.$current.withValue(context) {
            let operation = Instrumentation(observers: [EventLog()]).begin(DatabaseOperation(.query, on: target))
            #expect(operation?.context[TestKey.self] == 7)
            operation?.end()
        }
    }

    @Test("a process that bootstrapped nothing gets a logger alone")
    func bootstrapped() {
        let instrumentation = Instrumentation.bootstrapped(label: "shop")
        #expect(instrumentation.isEnabled)
        #expect(instrumentation.logger?.label == "shop")
        #expect(instrumentation.poolMetrics(name: "main") == nil)
    }

    @Test("observers get begin and end with one number, and each operation its own")
    func observers() throws {
        let observer = EventLog()
        let time = TestTime()
        let instrumentation = Instrumentation(observers: [observer], now: { time.now })
        let first = try #require(instrumentation.begin(DatabaseOperation(.acquire, on: target)))
        let second = try #require(instrumentation.begin(DatabaseOperation(.command, on: target, name: "find")))
        time.advance(by: .milliseconds(5))
        second.end(throwing: PersistenceError(.cancelled))
        first.end()
        #expect(observer.starts.map(\.operation.kind) == [.acquire, .command])
        #expect(observer.ends.map(\.operation.kind) == [.command, .acquire])
        #expect(observer.ends.map(\.id) == observer.starts.reversed().map(\.id))
        #expect(Set(observer.starts.map(\.id)).count == 2)
        #expect(observer.ends.map(\.duration) == [.milliseconds(5), .milliseconds(5)])
        #expect(observer.ends.map(\.error?.code) == [.cancelled, nil])
    }

    @Test("a slow operation is logged at warning from the threshold on, without text or values")
    func slowOperations() throws {
        let log = LineLog()
        let time = TestTime()
        let instrumentation = Instrumentation(
            logger: log.logger,
            options: .init(slowOperationThreshold: .milliseconds(250), queryText: .always),
            now: { time.now }
        )
        let operation = DatabaseOperation(
            .query,
            on: target,
            name: "SELECT",
            summary: "ListUsers",
            queryText: "select 'hunter2'"
        )
        let quick = try #require(instrumentation.begin(operation))
        time.advance(by: .milliseconds(249))
        quick.end()
        #expect(log.lines.isEmpty)
        let slow = try #require(instrumentation.begin(operation))
        time.advance(by: .milliseconds(250))
        slow.end(rows: 12)
        let line = try #require(log.lines.first)
        #expect(log.lines.count == 1)
        #expect(line.level == .warning)
        #expect(line.message == "slow database operation")
        #expect(line.metadata["db.query.summary"] == "ListUsers")
        #expect(line.metadata["duration"] == "0.25")
        #expect(line.metadata["rows"] == "12")
        #expect(!"\(line)".contains("hunter2"))
    }

    @Test("a migration is never slow, and without a threshold nothing is")
    func neverSlow() throws {
        let log = LineLog()
        let time = TestTime()
        for (kind, threshold) in [(.migration, .zero), (.query, nil)] as [(DatabaseOperation.Kind, Duration?)] {
            let instrumentation = Instrumentation(
                logger: log.logger,
                options: .init(slowOperationThreshold: threshold),
                now: { time.now }
            )
            let operation = try #require(instrumentation.begin(DatabaseOperation(kind, on: target)))
            time.advance(by: .seconds(3600))
            operation.end()
        }
        #expect(log.lines.isEmpty)
    }

    @Test(
        "failures are logged at debug, those that nobody may miss at warning",
        arguments: [
            (.uniqueViolation, .debug), (.timeout, .debug), (.commitUnknown, .warning), (.internal, .warning),
        ] as [(PersistenceError.Code, Logger.Level)]
    )
    func failures(code: PersistenceError.Code, level: Logger.Level) throws {
        let log = LineLog()
        let error = PersistenceError(code).with { $0.serverMessage = "value hunter2 is wrong" }
        Instrumentation(logger: log.logger).begin(DatabaseOperation(.query, on: target))?.end(throwing: error)
        let line = try #require(log.lines.first)
        #expect(line.level == level)
        #expect(line.message == "database operation failed: \(error.description)")
        #expect(line.metadata["error.type"] == "\(code)")
        #expect(!"\(log.lines)".contains("hunter2"))
    }

    @Test("targets are equal when they describe the same, and know when a port is worth recording")
    func targets() {
        let same = DatabaseTarget(system: .mongodb, namespace: "jobs", address: "127.0.0.1", port: 27018)
        #expect(target == same)
        #expect(target.hashValue == same.hashValue)
        #expect(target != DatabaseTarget(system: .mongodb, namespace: "jobs", address: "127.0.0.1"))
        #expect(target.recordedPort == 27018)
        #expect(DatabaseTarget(system: .mongodb, address: "h", port: 27017).recordedPort == nil)
        #expect(target.poolName == "127.0.0.1:27018/jobs")
        #expect(DatabaseTarget(system: .postgresql, namespace: "", address: "").poolName == "postgresql")
        #expect(DatabaseTarget(system: .postgresql, address: "/run", port: 5433).poolName == "/run")
    }

    private enum TestKey: ServiceContextKey {
        typealias Value = Int
    }
}
