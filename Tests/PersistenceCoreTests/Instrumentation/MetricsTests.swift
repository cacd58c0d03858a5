import MetricsTestKit
import PersistenceCore
import Testing

@Suite("Metrics")
struct MetricsTests {
    let metrics = TestMetrics()
    let target = DatabaseTarget(system: .postgresql, namespace: "shop|public", address: "db.example", port: 6432)

    private func record(
        _ operation: DatabaseOperation,
        _ duration: Duration = .milliseconds(20),
        options: Instrumentation.Options = .init(),
        error: PersistenceError? = nil
    ) throws {
        let time = TestTime()
        let instrumentation = Instrumentation(metrics: metrics, options: options, now: { time.now })
        let span = try #require(instrumentation.begin(operation))
        time.advance(by: duration)
        if let error {
            span.end(throwing: error)
        } else {
            span.end()
        }
    }

    @Test("the bounds of the duration's histogram are those of the conventions")
    func buckets() {
        #expect(Instrumentation.durationBuckets == [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10])
    }

    @Test("a query's duration is recorded in seconds with exactly the dimensions of the conventions")
    func duration() throws {
        try record(
            DatabaseOperation(
                .query,
                on: target,
                name: "SELECT",
                summary: "GetUser",
                collection: "users",
                storedProcedure: "p",
                queryText: "select 1"
            )
        )
        let recorder = try metrics.expectRecorder(
            "db.client.operation.duration",
            [
                ("db.system.name", "postgresql"),
                ("db.namespace", "shop|public"),
                ("db.collection.name", "users"),
                ("db.operation.name", "SELECT"),
                ("db.query.summary", "GetUser"),
                ("db.stored_procedure.name", "p"),
                ("server.address", "db.example"),
                ("server.port", "6432"),
            ]
        )
        #expect(recorder.aggregate)
        #expect(recorder.values == [0.02])
    }

    @Test("a failure has the type of its error and the server's code as dimensions")
    func failure() throws {
        let plain = DatabaseTarget(system: .postgresql)
        let operation = DatabaseOperation(.query, on: plain, name: "INSERT")
        try record(operation, error: PersistenceError(.uniqueViolation).with { $0.serverCode = "23505" })
        try record(operation, error: PersistenceError(.timeout))
        let base = [("db.system.name", "postgresql"), ("db.operation.name", "INSERT")]
        let refused = base + [("db.response.status_code", "23505"), ("error.type", "23505")]
        #expect(try metrics.expectRecorder("db.client.operation.duration", refused).values.count == 1)
        let late = base + [("error.type", "timeout")]
        #expect(try metrics.expectRecorder("db.client.operation.duration", late).values.count == 1)
    }

    @Test("only calls to the server count", arguments: DatabaseOperation.Kind.allKinds)
    func kinds(kind: DatabaseOperation.Kind) throws {
        try record(DatabaseOperation(kind, on: target))
        let measured: Set<DatabaseOperation.Kind> = [.prepare, .query, .batch, .copy, .notification, .command]
        #expect(metrics.recorders.count == (measured.contains(kind) ? 1 : 0))
    }

    @Test("a recorder is made once for a set of dimensions")
    func caching() throws {
        let factory = CountingFactory()
        let instrumentation = Instrumentation(metrics: factory)
        for _ in 0..<100 {
            let sameTarget = DatabaseTarget(system: .postgresql, namespace: "shop")
            instrumentation.begin(DatabaseOperation(.query, on: sameTarget, name: "SELECT"))?.end()
        }
        #expect(factory.recordersMade == 1)
        instrumentation.begin(DatabaseOperation(.query, on: target, name: "UPDATE"))?.end()
        #expect(factory.recordersMade == 2)
    }

    @Test("beyond the limit of sets the measurements share one that says so", arguments: [-1, 0, 3])
    func cardinality(limit: Int) throws {
        let instrumentation = Instrumentation(metrics: metrics, options: .init(cardinalityLimit: limit))
        for job in 0..<10 {
            let operation = DatabaseOperation(.command, on: target, name: "insert", collection: "job-\(job)")
            instrumentation.begin(operation)?.end()
            instrumentation.begin(operation)?.end()
        }
        let sets = max(limit, 0)
        #expect(metrics.recorders.count == sets + 1)
        let overflow = try metrics.expectRecorder(
            "db.client.operation.duration",
            [("db.system.name", "postgresql"), ("otel.metric.overflow", "true")]
        )
        #expect(overflow.values.count == 2 * (10 - sets))
    }

    @Test("concurrent operations lose no measurement")
    func concurrency() async throws {
        let instrumentation = Instrumentation(metrics: metrics)
        await withTaskGroup { group in
            for number in 0..<200 {
                group.addTask {
                    instrumentation.begin(DatabaseOperation(.query, on: target, name: "Q\(number % 5)"))?.end()
                }
            }
        }
        #expect(metrics.recorders.count == 5)
        #expect(metrics.recorders.map(\.values.count).reduce(0, +) == 200)
    }

    @Test("a pool has all metrics of the conventions, under its name")
    func pool() throws {
        let pool = try #require(Instrumentation(metrics: metrics).poolMetrics(name: "main"))
        let name = [("db.client.connection.pool.name", "main")]
        // Known before the first timeout.
        #expect(try metrics.expectCounter("db.client.connection.timeouts", name).totalValue == 0)
        pool.setLimits(maximum: 10, idleMinimum: 2, idleMaximum: 8)
        pool.setConnections(idle: 3, used: 4)
        pool.setPendingRequests(5)
        pool.recordTimeout()
        pool.recordCreateTime(.milliseconds(30))
        pool.recordWaitTime(.microseconds(1500))
        pool.recordUseTime(.seconds(2))

        let state = "db.client.connection.state"
        #expect(try metrics.expectMeter("db.client.connection.count", name + [(state, "idle")]).lastValue == 3)
        #expect(try metrics.expectMeter("db.client.connection.count", name + [(state, "used")]).lastValue == 4)
        #expect(try metrics.expectMeter("db.client.connection.idle.max", name).lastValue == 8)
        #expect(try metrics.expectMeter("db.client.connection.idle.min", name).lastValue == 2)
        #expect(try metrics.expectMeter("db.client.connection.max", name).lastValue == 10)
        #expect(try metrics.expectMeter("db.client.connection.pending_requests", name).lastValue == 5)
        #expect(try metrics.expectCounter("db.client.connection.timeouts", name).totalValue == 1)
        #expect(try metrics.expectRecorder("db.client.connection.create_time", name).values == [0.03])
        #expect(try metrics.expectRecorder("db.client.connection.wait_time", name).values == [0.0015])
        #expect(try metrics.expectRecorder("db.client.connection.use_time", name).values == [2])
    }
}
