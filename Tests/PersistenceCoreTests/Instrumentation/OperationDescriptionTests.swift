import InMemoryTracing
import Testing
import Tracing

@testable import PersistenceCore

@Suite("Descriptions of operations")
struct OperationDescriptionTests {
    private enum GetUser {}
    private enum GetOrder {}

    private let target = DatabaseTarget(system: .postgresql, namespace: "shop", address: "db.example")
    private let descriptions = OperationDescriptions(hasTracer: true, options: .init())

    private func query(_ summary: String?, text: String? = nil, mayHoldValues: Bool = false) -> DatabaseOperation {
        DatabaseOperation(
            .query, on: target, name: "SELECT", summary: summary, queryText: text,
            queryTextMayHoldValues: mayHoldValues)
    }

    @Test("operations that are described alike share one description")
    func sharing() {
        let first = descriptions.description(of: query("GetUser", text: "select 1"))
        #expect(first === descriptions.description(of: query("GetUser", text: "select 1")))
        #expect(first !== descriptions.description(of: query("GetUser", text: "select 2")))
        #expect(first !== descriptions.description(of: query("GetOrder", text: "select 1")))
    }

    @Test("every part of a description counts")
    func parts() {
        let plain = query("GetUser", text: "select 1")
        var others = Array(repeating: plain, count: 8)
        others[0].kind = .batch
        others[1].target = DatabaseTarget(system: .postgresql, namespace: "other", address: "db.example")
        others[2].name = "UPDATE"
        others[3].summary = nil
        others[4].collection = "users"
        others[5].storedProcedure = "p"
        others[6].queryText = nil
        others[7].batchSize = 2
        for other in others {
            _ = descriptions.description(of: plain)
            let described = descriptions.description(of: other)
            #expect(described.operation.kind == other.kind)
            #expect(described.operation.target == other.target)
            #expect(described.operation.name == other.name)
            #expect(described.operation.summary == other.summary)
            #expect(described.operation.collection == other.collection)
            #expect(described.operation.storedProcedure == other.storedProcedure)
            #expect(described.operation.queryText == other.queryText)
            #expect(described.operation.batchSize == other.batchSize)
        }
    }

    @Test("more operations than are kept are all described as they are")
    func many() {
        for _ in 0..<2 {
            for number in 0..<500 {
                let described = descriptions.description(of: query(nil, text: "select \(number)"))
                #expect(described.operation.queryText == "select \(number)")
                #expect(described.attributes.get("db.query.text") == .string("select \(number)"))
            }
        }
    }

    @Test("a text that may hold values, or is very long, is not kept")
    func texts() {
        for operation in [
            query("Script", text: "select 'secret'", mayHoldValues: true),
            query("Long", text: String(repeating: "x", count: 10_000)),
        ] {
            let first = descriptions.description(of: operation)
            #expect(first.operation.queryText == operation.queryText)
            #expect(first !== descriptions.description(of: operation))
        }
    }

    @Test("a type's operation is described once for each target, and apart from other types")
    func types() {
        let elsewhere = DatabaseTarget(system: .postgresql, namespace: "elsewhere", address: "db.example")
        func description(_ type: Any.Type, _ target: DatabaseTarget, _ name: String) -> OperationDescription {
            descriptions.description(of: ObjectIdentifier(type), on: target) {
                DatabaseOperation(.query, on: target, summary: name)
            }
        }
        let first = description(GetUser.self, target, "GetUser")
        #expect(first === description(GetUser.self, target, "GetUser"))
        #expect(description(GetUser.self, elsewhere, "GetUser").operation.target == elsewhere)
        #expect(description(GetOrder.self, target, "GetOrder").spanName == "GetOrder")
        #expect(description(GetUser.self, target, "GetUser").operation.target == target)
    }

    @Test("every span of a type's operations has all attributes")
    func spans() throws {
        let tracer = InMemoryTracer()
        let instrumentation = Instrumentation(tracer: tracer)
        for _ in 0..<2 {
            let span = try #require(
                instrumentation.begin(GetUser.self, on: target, query("GetUser", text: "select $1")))
            span.end(rows: 1)
        }
        let spans = tracer.finishedSpans
        #expect(spans.map(\.operationName) == ["GetUser", "GetUser"])
        for span in spans {
            #expect(span.attributes.get("db.namespace") == .string("shop"))
            #expect(span.attributes.get("db.query.text") == .string("select $1"))
        }
    }
}
