import CoreMetrics
import InMemoryTracing
import MetricsTestKit
import PersistenceCore
import PersistenceTesting
import PostgresEngine
import Testing
import Tracing

@Suite("Telemetry of real queries", .privateServer, .timeLimit(.minutes(5)))
struct InstrumentedQueryTests {
    private let tracer = InMemoryTracer()
    private let metrics = TestMetrics()

    private var instrumentation: Instrumentation {
        Instrumentation(
            tracer: tracer, metrics: metrics, options: .init(slowOperationThreshold: nil, recordsReturnedRows: true))
    }

    /// Runs `body` on an open database, and returns the spans that it made.
    private func spans(
        _ body: (PostgresDatabase, Observer) async throws -> Void
    ) async throws -> [FinishedInMemorySpan] {
        let server = try await FaultServer.plain()
        return try await server.withDatabase(instrumentation: instrumentation) { database, observer in
            try await database.withConnection { _ in }
            tracer.clearFinishedSpans()
            try await body(database, observer)
            return tracer.finishedSpans
        }
    }

    private func expectTarget(of span: FinishedInMemorySpan, sourceLocation: SourceLocation = #_sourceLocation)
        async throws
    {
        let server = try await FaultServer.plain()
        #expect(span.attributes.get("db.system.name") == .string("postgresql"), sourceLocation: sourceLocation)
        #expect(span.attributes.get("db.namespace") == .string("test"), sourceLocation: sourceLocation)
        #expect(span.attributes.get("server.address") == .string("127.0.0.1"), sourceLocation: sourceLocation)
        #expect(
            span.attributes.get("server.port")?.toSpanAttribute() == Int64(server.port).toSpanAttribute(),
            sourceLocation: sourceLocation)
    }

    @Test("opening a connection is a span of its own")
    func connect() async throws {
        let server = try await FaultServer.plain()
        try await server.withDatabase(instrumentation: instrumentation) { (database, _) async throws in
            try await database.withConnection { _ in }
        }
        let span = try #require(tracer.finishedSpans.first)
        #expect(span.operationName == "connect test")
        #expect(span.kind == .client)
        #expect(span.status == nil)
        try await expectTarget(of: span)
    }

    @Test("a generated query is named by its summary; its text has placeholders")
    func query() async throws {
        let spans = try await spans { (database, _) async throws in
            #expect(try await database.run(AddNumbers(left: 40, right: 2)) == 42)
        }
        #expect(spans.count == 1)
        let span = try #require(spans.first)
        #expect(span.operationName == "AddNumbers")
        #expect(span.kind == .client)
        #expect(span.status == nil)
        #expect(span.attributes.get("db.query.summary") == .string("AddNumbers"))
        #expect(span.attributes.get("db.operation.name") == .string("SELECT"))
        #expect(span.attributes.get("db.query.text") == .string("SELECT $1 + $2"))
        #expect(span.attributes.get("db.response.returned_rows")?.toSpanAttribute() == Int64(1).toSpanAttribute())
        #expect(span.attributes.get("error.type") == nil)
        try await expectTarget(of: span)
    }

    @Test("a statement written by hand is named by its command and database")
    func statement() async throws {
        let spans = try await spans { (database, _) async throws in
            try await database.execute("SELECT \("some value"), 1")
            try await database.withConnection { try await $0.executeScript("SELECT 'literal-in-script'") }
        }
        #expect(spans.map(\.operationName) == ["SELECT test", "SCRIPT test"])
        #expect(spans.first?.attributes.get("db.query.text") == .string("SELECT $1, 1"))
        #expect(spans.last?.attributes.get("db.query.text") == nil)
    }

    @Test("an error has the server's code, as type and as status code")
    func error() async throws {
        let spans = try await spans { (database, _) async throws in
            _ = try await failure { _ = try await database.run(DivideHundred(by: 0)) }
            _ = try await failure {
                try await withDeadline(.seconds(1)) { _ = try await database.execute("SELECT pg_sleep(60)") }
            }
        }
        let divide = try #require(spans.first)
        #expect(divide.operationName == "DivideHundred")
        #expect(divide.attributes.get("error.type") == .string("22012"))
        #expect(divide.attributes.get("db.response.status_code") == .string("22012"))
        #expect(divide.status?.code == .error)
        #expect(divide.errors.count == 1)
        let late = try #require(spans.last)
        #expect(late.attributes.get("db.response.status_code") == .string("57014"))
        #expect(late.status?.code == .error)
    }

    @Test("a transaction is the parent of its queries, and a child of what is around it")
    func transaction() async throws {
        let spans = try await spans { (database, _) async throws in
            try await tracer.withSpan("request") { (_: any Span) async throws -> Void in
                try await database.withTransaction { transaction in
                    _ = try await transaction.run(AddNumbers(left: 1, right: 1))
                    try await transaction.withSavepoint { _ = try await $0.run(CountTo(limit: 3)) }
                    _ = try await transaction.pipeline(AddNumbers(left: 1, right: 1), CountTo(limit: 1))
                }
            }
        }
        let transaction = try #require(spans.first { $0.operationName == "transaction test" })
        let request = try #require(spans.first { $0.operationName == "request" })
        #expect(transaction.kind == .internal)
        #expect(transaction.parentSpanID == request.spanID)
        #expect(transaction.status == nil)
        try await expectTarget(of: transaction)
        let children = spans.filter { $0.parentSpanID == transaction.spanID }.map(\.operationName)
        #expect(children.contains("AddNumbers"))
        #expect(children.contains("CountTo"))
        #expect(children.contains("BATCH test"))
        #expect(Set(spans.map(\.traceID)).count == 1)
        let batch = try #require(spans.first { $0.operationName == "BATCH test" })
        #expect(batch.attributes.get("db.operation.batch.size")?.toSpanAttribute() == Int64(2).toSpanAttribute())
    }

    @Test("a transaction that fails says why: its closure's error, or that of COMMIT")
    func failedTransaction() async throws {
        struct Mine: Error {}
        let spans = try await spans { (database, _) async throws in
            await #expect(throws: Mine.self) {
                try await database.withTransaction { transaction in
                    _ = try await transaction.run(AddNumbers(left: 1, right: 1))
                    throw Mine()
                }
            }
            _ = try await failure {
                try await database.withTransaction { transaction in
                    _ = try? await transaction.run(DivideHundred(by: 0))
                }
            }
        }
        let transactions = spans.filter { $0.operationName == "transaction test" }
        #expect(transactions.count == 2)
        for transaction in transactions {
            #expect(transaction.attributes.get("error.type") == .string("transactionAborted"))
            #expect(transaction.status?.code == .error)
        }
    }

    @Test("no value of a parameter, a row or an error is anywhere in it")
    func values() async throws {
        let secret = "secret-value-4711"
        let spans = try await spans { database, observer in
            try await observer.withTable("t text UNIQUE, n int") { (table) async throws in
                try await database.execute("INSERT INTO \(table) VALUES (\(secret), 1)")
                _ = try await failure { try await database.execute("INSERT INTO \(table) VALUES (\(secret), 2)") }
                _ = try await failure { try await database.execute("SELECT CAST(\(secret) AS text)::int") }
                _ = try await failure { _ = try await database.one("SELECT t FROM \(table)", as: Int32.self) }
                _ = try await failure {
                    try await database.withTransaction(.init().tenant(secret)) { transaction in
                        _ = try await transaction.execute("SELECT CAST(current_setting('app.tenant') AS int)")
                    }
                }
                _ = try await failure {
                    try await database.withConnection { try await $0.executeScript("SELECT '\(secret)'::int") }
                }
            }
        }
        #expect(spans.count >= 6)
        for span in spans {
            var texts = [span.operationName, span.status?.message ?? ""]
            span.attributes.forEach { name, value in texts.append("\(name) \(value)") }
            for error in span.errors { texts.append("\(error.error) \(String(reflecting: error.error))") }
            for event in span.events {
                texts.append(event.name)
                event.attributes.forEach { name, value in texts.append("\(name) \(value)") }
            }
            for text in texts { #expect(!text.contains(secret), "\(text)") }
        }
        for recorder in metrics.recorders {
            for (_, value) in recorder.dimensions { #expect(!value.contains(secret)) }
        }
    }

    @Test("durations of operations are measured by name, outcome and target")
    func durations() async throws {
        _ = try await spans { database, _ in
            for number in 1...3 { _ = try await database.run(AddNumbers(left: Int64(number), right: 1)) }
            _ = try await failure { _ = try await database.run(DivideHundred(by: 0)) }
        }
        let recorders = metrics.recorders(label: "db.client.operation.duration")
        let sums = try #require(recorders.first { $0.dimensions.contains { $0 == ("db.query.summary", "AddNumbers") } })
        #expect(sums.values.count == 3)
        #expect(sums.values.allSatisfy { $0 > 0 && $0 < 60 })
        #expect(sums.dimensions.contains { $0 == ("db.system.name", "postgresql") })
        #expect(sums.dimensions.contains { $0 == ("db.namespace", "test") })
        #expect(!sums.dimensions.contains { $0.0 == "error.type" })
        let failed = try #require(recorders.first { $0.dimensions.contains { $0 == ("error.type", "22012") } })
        #expect(failed.values.count == 1)
    }

    @Test("the pool reports its connections, waits and timeouts")
    func pool() async throws {
        let server = try await FaultServer.plain()
        try await server.withDatabase({ $0.pool.maximum = 1 }, instrumentation: instrumentation) {
            (database, _) async throws in
            try await database.withConnection { (_) async throws in
                let error = try await failure {
                    try await withDeadline(.milliseconds(20)) { _ = try await database.execute("SELECT 1") }
                }
                #expect(error.timeout == .pool)
            }
            try await database.execute("SELECT 1")
        }
        let pool = [("db.client.connection.pool.name", "127.0.0.1:\(server.port)/test")]
        #expect(metrics.counterTotal(label: "db.client.connection.timeouts", dimensions: pool) == 1)
        #expect(try metrics.expectMeter("db.client.connection.max", pool).lastValue == 1)
        #expect(try metrics.expectRecorder("db.client.connection.create_time", pool).values.count == 1)
        #expect(try metrics.expectRecorder("db.client.connection.wait_time", pool).values.count == 2)
        #expect(try metrics.expectRecorder("db.client.connection.use_time", pool).values.count == 2)
        for state in ["idle", "used"] {
            let meter = try metrics.expectMeter(
                "db.client.connection.count", pool + [("db.client.connection.state", state)])
            #expect(meter.values.max() == 1)
            #expect(meter.lastValue == 0)
        }
    }
}
