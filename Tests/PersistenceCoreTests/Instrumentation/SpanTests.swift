import InMemoryTracing
import PersistenceCore
import Testing
import Tracing

@Suite("Spans")
struct SpanTests {
    let tracer = InMemoryTracer()
    let target = DatabaseTarget(system: .postgresql, namespace: "shop|public", address: "db.example", port: 5432)

    private func instrumentation(_ options: Instrumentation.Options = .init()) -> Instrumentation {
        Instrumentation(tracer: tracer, options: options)
    }

    private func finishedSpan(
        _ operation: DatabaseOperation,
        options: Instrumentation.Options = .init(slowOperationThreshold: nil),
        end: (OperationSpan) -> Void = { $0.end() }
    ) throws -> FinishedInMemorySpan {
        let operationSpan = try #require(instrumentation(options).begin(operation))
        end(operationSpan)
        let spans = tracer.popFinishedSpans()
        #expect(spans.count == 1)
        return try #require(spans.first)
    }

    @Test("a query has the name and exactly the attributes of the conventions")
    func query() throws {
        let span = try finishedSpan(
            DatabaseOperation(
                .query,
                on: target,
                name: "SELECT",
                summary: "GetUserByEmail",
                collection: "users",
                queryText: "select * from users where email = $1"
            )
        )
        #expect(span.operationName == "GetUserByEmail")
        #expect(span.kind == .client)
        #expect(span.status == nil)
        #expect(span.errors.isEmpty)
        #expect(
            span.attributes
                == SpanAttributes([
                    "db.system.name": "postgresql",
                    "db.namespace": "shop|public",
                    "db.operation.name": "SELECT",
                    "db.query.summary": "GetUserByEmail",
                    "db.collection.name": "users",
                    "db.query.text": "select * from users where email = $1",
                    "server.address": "db.example",
                ])
        )
    }

    @Test("a port that is not the system's default is recorded, and so are batch size and procedure")
    func portAndBatch() throws {
        let other = DatabaseTarget(system: .postgresql, address: "db.example", port: 6432)
        let span = try finishedSpan(DatabaseOperation(.batch, on: other, storedProcedure: "settle", batchSize: 2))
        #expect(span.operationName == "BATCH settle")
        #expect(
            span.attributes
                == SpanAttributes([
                    "db.system.name": "postgresql",
                    "db.operation.name": "BATCH",
                    "db.operation.batch.size": 2,
                    "db.stored_procedure.name": "settle",
                    "server.address": "db.example",
                    "server.port": 6432,
                ])
        )
    }

    @Test("a batch of one is not a batch", arguments: [-1, 0, 1])
    func batchOfOne(size: Int) throws {
        let span = try finishedSpan(DatabaseOperation(.batch, on: target, batchSize: size))
        #expect(span.attributes.get("db.operation.batch.size") == nil)
    }

    @Test("a port without an address is not recorded")
    func portAlone() throws {
        let span = try finishedSpan(
            DatabaseOperation(.query, on: DatabaseTarget(system: .postgresql, port: 6432), name: "SELECT")
        )
        #expect(span.attributes == SpanAttributes(["db.system.name": "postgresql", "db.operation.name": "SELECT"]))
        #expect(span.operationName == "SELECT")
    }

    @Test(
        "the span's name is the summary, else operation and target, else the target, else the system",
        arguments: [
            ("SELECT", "Q", "users", "p", "db", "host", "Q"),
            ("SELECT", nil, "users", "p", "db", "host", "SELECT users"),
            ("SELECT", nil, nil, "p", "db", "host", "SELECT p"),
            ("SELECT", nil, nil, nil, "db", "host", "SELECT db"),
            ("SELECT", nil, nil, nil, nil, "host", "SELECT host:5432"),
            ("SELECT", nil, nil, nil, nil, "/run/postgresql", "SELECT /run/postgresql"),
            ("SELECT", nil, nil, nil, nil, nil, "SELECT"),
            (nil, nil, "users", nil, "db", "host", "users"),
            (nil, nil, nil, nil, nil, nil, "postgresql"),
            ("", "", "", "", "", "", "postgresql"),
        ] as [(String?, String?, String?, String?, String?, String?, String)]
    )
    func names(
        name: String?,
        summary: String?,
        collection: String?,
        procedure: String?,
        namespace: String?,
        address: String?,
        expected: String
    ) {
        let target = DatabaseTarget(system: .postgresql, namespace: namespace, address: address)
        let operation = DatabaseOperation(
            .query,
            on: target,
            name: name,
            summary: summary,
            collection: collection,
            storedProcedure: procedure
        )
        #expect(operation.spanName == expected)
    }

    @Test(
        "calls to the server are client spans, what is made of them is internal, the pool's steps make none",
        arguments: [
            (.connect, .client), (.query, .client), (.batch, .client), (.copy, .client), (.notification, .client),
            (.command, .client), (.transaction, .internal), (.workflow, .internal), (.migration, .internal),
            (.acquire, nil), (.release, nil), (.prepare, nil),
        ] as [(DatabaseOperation.Kind, SpanKind?)]
    )
    func kinds(kind: DatabaseOperation.Kind, spanKind: SpanKind?) {
        instrumentation(.init(slowOperationThreshold: nil)).begin(DatabaseOperation(kind, on: target))?.end()
        #expect(tracer.finishedSpans.map(\.kind) == [spanKind].compactMap(\.self))
    }

    @Test(
        "the pool's steps get a span afterwards when they were slow",
        arguments: [.acquire, .release, .prepare] as [DatabaseOperation.Kind]
    )
    func lateSpans(kind: DatabaseOperation.Kind) throws {
        let clock = TestTime()
        let instrumentation = Instrumentation(
            tracer: tracer,
            options: .init(slowOperationThreshold: .milliseconds(100)),
            now: { clock.now }
        )
        let parent = tracer.startSpan("parent")
        try ServiceContext.$current.withValue(parent.context) {
            let operation = try #require(instrumentation.begin(DatabaseOperation(kind, on: target)))
            clock.advance(by: .milliseconds(99))
            operation.end()
        }
        #expect(tracer.finishedSpans.isEmpty)

        let operation = try ServiceContext.$current.withValue(parent.context) {
            try #require(instrumentation.begin(DatabaseOperation(kind, on: target)))
        }
        clock.advance(by: .milliseconds(100))
        operation.end()
        let span = try #require(tracer.finishedSpans.first)
        #expect(span.parentSpanID == parent.spanID)
        #expect(span.attributes.get("db.system.name") == "postgresql")
        let nanoseconds = span.endInstant.nanosecondsSinceEpoch - span.startInstant.nanosecondsSinceEpoch
        #expect(nanoseconds >= 100_000_000)
    }

    @Test("a failure is recorded with the server's code, a redacted status and the error itself")
    func failure() throws {
        let error = PersistenceError(.uniqueViolation, operation: "CreateUser").with {
            $0.serverCode = "23505"
            $0.serverMessage = "Key (email)=(ada@example.org) already exists."
        }
        let span = try finishedSpan(DatabaseOperation(.query, on: target, name: "INSERT")) { $0.end(throwing: error) }
        #expect(span.attributes.get("error.type") == "23505")
        #expect(span.attributes.get("db.response.status_code") == "23505")
        #expect(span.status?.code == .error)
        #expect(span.status?.message == "uniqueViolation in CreateUser: a unique constraint refused the change [23505]")
        #expect(span.errors.count == 1)
        #expect((span.errors.first?.error as? PersistenceError)?.code == .uniqueViolation)
        #expect(!"\(span)".contains("ada@example.org"))
        var dumped = ""
        dump(span, to: &dumped)
        #expect(!dumped.contains("ada@example.org"))
    }

    @Test("a failure without a code of the server's has the library's code as its type")
    func clientFailure() throws {
        let span = try finishedSpan(DatabaseOperation(.query, on: target)) {
            $0.end(throwing: PersistenceError(.timeout))
        }
        #expect(span.attributes.get("error.type") == "timeout")
        #expect(span.attributes.get("db.response.status_code") == nil)
    }

    @Test("returned rows are recorded only when asked for")
    func rows() throws {
        let operation = DatabaseOperation(.query, on: target, name: "SELECT")
        let silent = try finishedSpan(operation) { $0.end(rows: 3) }
        #expect(silent.attributes.get("db.response.returned_rows") == nil)
        let asked = try finishedSpan(operation, options: .init(recordsReturnedRows: true)) { $0.end(rows: 3) }
        #expect(asked.attributes.get("db.response.returned_rows") == 3)
    }

    @Test(
        "text with values in it is recorded only when asked for",
        arguments: [
            (.never, false, false), (.never, true, false),
            (.parameterized, false, true), (.parameterized, true, false),
            (.always, false, true), (.always, true, true),
        ] as [(Instrumentation.QueryTextRecording, Bool, Bool)]
    )
    func queryText(recording: Instrumentation.QueryTextRecording, holdsValues: Bool, isRecorded: Bool) throws {
        let span = try finishedSpan(
            DatabaseOperation(.query, on: target, queryText: "select 1", queryTextMayHoldValues: holdsValues),
            options: .init(queryText: recording)
        )
        #expect((span.attributes.get("db.query.text") == "select 1") == isRecorded)
    }

    @Test(
        "a long text is cut between characters",
        arguments: [
            (-5, "…"), (0, "…"), (1, "s…"), (2, "s…"), (3, "s…"), (4, "se\u{301}…"), (7, "se\u{301}lec…"),
            (8, "se\u{301}lect"), (.max, "se\u{301}lect"),
        ]
    )
    func longText(limit: Int, expected: String) throws {
        // The accent is a scalar of its own, so that the second character has 3 bytes.
        let text = "se\u{301}lect"
        let span = try finishedSpan(
            DatabaseOperation(.query, on: target, queryText: text),
            options: .init(queryTextLimit: limit)
        )
        #expect(span.attributes.get("db.query.text") == .string(expected))
    }

    @Test("the body of a transaction runs in the transaction's span, and the caller's context is its parent")
    func nesting() async throws {
        let instrumentation = instrumentation()
        let request = tracer.startSpan("request")
        await ServiceContext.$current.withValue(request.context) {
            let transaction = instrumentation.begin(DatabaseOperation(.transaction, on: target))
            await transaction.withContext {
                instrumentation.begin(DatabaseOperation(.query, on: target, summary: "Inner"))?.end()
            }
            transaction?.end()
            instrumentation.begin(DatabaseOperation(.query, on: target, summary: "After"))?.end()
        }
        let spans = Dictionary(uniqueKeysWithValues: tracer.finishedSpans.map { ($0.operationName, $0) })
        let transaction = try #require(spans["transaction shop|public"])
        #expect(transaction.parentSpanID == request.spanID)
        #expect(spans["Inner"]?.parentSpanID == transaction.spanID)
        #expect(spans["After"]?.parentSpanID == request.spanID)
    }

    @Test("ending twice reports once, and the first outcome counts")
    func endingTwice() throws {
        let observer = EventLog()
        let instrumentation = Instrumentation(tracer: tracer, observers: [observer])
        let span = try #require(instrumentation.begin(DatabaseOperation(.query, on: target)))
        span.end(rows: 1)
        span.end(throwing: PersistenceError(.timeout))
        #expect(tracer.finishedSpans.count == 1)
        #expect(tracer.finishedSpans.first?.status == nil)
        #expect(observer.ends.map(\.rows) == [1])
    }

    @Test("ending from many tasks at once reports once")
    func endingConcurrently() async throws {
        let observer = EventLog()
        let span = try #require(Instrumentation(observers: [observer]).begin(DatabaseOperation(.query, on: target)))
        await withTaskGroup { group in
            for _ in 0..<50 {
                group.addTask { span.end() }
            }
        }
        #expect(observer.ends.count == 1)
    }

    @Test("an operation that is dropped without an end is reported as the library's own fault")
    func dropped() {
        let observer = EventLog()
        let instrumentation = Instrumentation(tracer: tracer, observers: [observer])
        do {
            _ = instrumentation.begin(DatabaseOperation(.query, on: target))
        }
        #expect(observer.ends.map(\.error?.code) == [.internal])
        #expect(tracer.activeSpans.isEmpty)
    }
}
