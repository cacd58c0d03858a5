import PersistenceCore
import PostgresEngine
import Testing

@Suite("Telemetry of bulk transfers, streams and notifications", .engineServer)
struct CopyTelemetryTests {
    private struct Number: PostgresCopyEncodable {
        static let columns = ["n"]
        var n: Int32
        func encode(to writer: inout PostgresCopyWriter) throws(PersistenceError) { try writer.append(n) }
    }

    @Test("each transfer is one operation with its table, its rows and its error")
    func copy() async throws {
        let recorder = OperationRecorder()
        try await EngineTestServer.withTable("n int PRIMARY KEY") { _, table in
            try await EngineTestServer.with(instrumentation: recorder.instrumentation) { database in
                _ = try await database.copyIn([Number(n: 1), Number(n: 2)], into: table)
                _ = try? await database.copyIn([Number(n: 1)], into: table)
                for try await _ in database.copyOut(table: table, format: .csv) {}
                for try await _ in database.copyOut(table: table, as: Int32.self) {}
            }
            let copies = recorder.operations(.copy)
            #expect(copies.map(\.rows) == [2, nil, 2, 2])
            #expect(copies.map { $0.error?.code } == [nil, .uniqueViolation, nil, nil])
            #expect(copies.allSatisfy { $0.operation.collection == table.parts[0] })
        }
    }

    @Test("a stream is one operation, also when it is left early")
    func stream() async throws {
        let recorder = OperationRecorder()
        try await EngineTestServer.with(instrumentation: recorder.instrumentation) { database in
            for try await _ in database.stream(CountTo(limit: 100)) {}
            for try await _ in database.stream(CountTo(limit: 100)) { break }
            _ = try? await { for try await _ in database.stream("SELECT 1 / 0", as: Int32.self) {} }()
        }
        let queries = recorder.operations(.query)
        #expect(queries.map(\.rows) == [100, 1, nil])
        #expect(queries.map { $0.error == nil } == [true, true, false])
        #expect(queries.map(\.operation.summary) == ["CountTo", "CountTo", nil])
    }

    @Test("subscribing and notifying are operations")
    func notifications() async throws {
        let recorder = OperationRecorder()
        try await EngineTestServer.with(instrumentation: recorder.instrumentation) { database in
            _ = try await database.notifications(on: ["telemetry"])
            try await database.notify("telemetry")
        }
        #expect(recorder.operations(.notification).map(\.operation.name) == ["LISTEN", "NOTIFY"])
    }

    @Test("a shared reader neither streams nor copies")
    func sharedReader() async throws {
        try await EngineTestServer.with { database in
            let reader = try database.sharedReader(connections: 1)
            let stream = try await failure { for try await _ in reader.stream(CountTo(limit: 1)) {} }
            #expect(stream.code == .invalidArgument)
            let copy = try await failure { for try await _ in reader.copyOut("SELECT 1", format: .csv) {} }
            #expect(copy.code == .invalidArgument)
            #expect(try await reader.one("SELECT 7", as: Int32.self) == 7)
        }
    }
}
