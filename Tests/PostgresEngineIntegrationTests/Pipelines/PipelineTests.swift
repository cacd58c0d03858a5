import Foundation
import PersistenceCore
import PostgresEngine
import Testing

@Suite("Pipelines and batches", .engineServer)
struct PipelineTests {
    @Test("different queries travel together and keep their types")
    func heterogeneous() async throws {
        try await EngineTestServer.with { (database) async throws in
            let (sum, numbers, next) = try await database.pipeline(
                AddNumbers(left: 1, right: 2), CountTo(limit: 3), NextNumber(after: 3, limit: 1))
            #expect(sum == 3)
            #expect(numbers == [1, 2, 3])
            #expect(next == nil)
        }
    }

    @Test("the first error skips the rest, names its query, and the connection serves the next")
    func error() async throws {
        try await EngineTestServer.with({ $0.pool = PostgresPoolConfiguration(maximum: 1) }) {
            (database) async throws in
            for _ in 0..<3 {
                let thrown = try await failure {
                    _ = try await database.pipeline(
                        AddNumbers(left: 1, right: 2), DivideHundred(by: 0), CountTo(limit: 3))
                }
                #expect(thrown.code == .invalidData)
                #expect(thrown.operation == "DivideHundred")
                #expect(try await database.run(AddNumbers(left: 1, right: 1)) == 2)
            }
            #expect(database.statistics.newConnections == 1)
        }
    }

    @Test("queries that stand for themselves have an error each")
    func results() async throws {
        try await EngineTestServer.with { (database) async throws in
            let (first, second, third) = try await database.pipelineResults(
                AddNumbers(left: 1, right: 2), DivideHundred(by: 0), DivideHundred(by: 50))
            #expect(try first.get() == 3)
            #expect(throws: PersistenceError.self) { try second.get() }
            #expect(try third.get() == 2)
        }
    }

    @Test("a batch is all or nothing, and its error names the place")
    func batch() async throws {
        try await EngineTestServer.with { (database) async throws in
            let values = try await database.batch((1...500).map { AddNumbers(left: $0, right: $0) })
            #expect(values == (1...500).map { $0 * 2 })
            let thrown = try await failure {
                try await database.batch([1, 2, 0, 4].map(DivideHundred.init))
            }
            #expect(thrown.summary.contains("query 3"))
            #expect(try await database.batch([AddNumbers]()) == [])
            let results = try await database.batchResults([5, 0, 4].map(DivideHundred.init))
            #expect(results.map { try? $0.get() } == [20, nil, 25])
        }
    }

    @Test("in a transaction a pipeline begins it, and its error aborts it")
    func transaction() async throws {
        try await EngineTestServer.withTable("n int") { (database, table) async throws in
            try await database.withTransaction { transaction in
                let (three, _) = try await transaction.pipeline(AddNumbers(left: 1, right: 2), CountTo(limit: 1))
                #expect(three == 3)
                try await transaction.execute("INSERT INTO \(table) VALUES (1)")
            }
            let thrown = try await failure {
                try await database.withTransaction { transaction in
                    try await transaction.execute("INSERT INTO \(table) VALUES (2)")
                    _ = try? await transaction.pipeline(DivideHundred(by: 0))
                }
            }
            #expect(thrown.code == .transactionAborted)
            #expect(try await database.all("SELECT n FROM \(table)", as: Int32.self) == [1])
        }
    }

    @Test("a batch whose answers fill the socket while it is still being sent comes through")
    func largeBatch() async throws {
        struct Echo: PostgresRowQuery {
            static let name = "Echo"
            static let command = "SELECT"
            static let sql = "SELECT $1::bytea"
            let bytes: Data
            func bind(to parameters: inout PostgresParameters) throws(PersistenceError) { try parameters.append(bytes) }
            static func decode(_ row: borrowing PostgresRow) throws(PersistenceError) -> Int {
                try row.decode(0, as: Data.self).count
            }
        }
        try await EngineTestServer.with { (database) async throws in
            let queries = (0..<200).map { Echo(bytes: Data(repeating: UInt8($0), count: 100_000)) }
            let lengths = try await database.batch(queries)
            #expect(lengths == Array(repeating: 100_000, count: 200))
        }
    }
}
