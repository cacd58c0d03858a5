import PersistenceCore
import PersistenceTesting
import PostgresEngine
import Testing

/// Adds a number to a table whose constraint is checked at the commit.
private struct AddUnique: PostgresCountedCommand {
    static let name = "AddUnique"
    static let command = "INSERT"
    static let sql = "INSERT INTO deferred_numbers VALUES ($1)"

    let number: Int64

    func bind(to parameters: inout PostgresParameters) throws(PersistenceError) {
        try parameters.append(number)
    }
}

@Suite("Errors that come with the commit of a flight", .privateServer, .timeLimit(.minutes(5)))
struct DeferredConstraintTests {
    @Test("undo and fail what they belong to, and nothing else")
    func deferred() async throws {
        try await FaultServer.plain().withDatabase({ $0.pool.maximum = 1 }) { (database, observer) async throws in
            try await observer.database.execute("DROP TABLE IF EXISTS deferred_numbers")
            try await observer.database.execute(
                "CREATE TABLE deferred_numbers (n bigint UNIQUE DEFERRABLE INITIALLY DEFERRED)")
            func numbers() async throws -> [Int64] {
                try await observer.database.all("SELECT n FROM deferred_numbers ORDER BY n", as: Int64.self)
            }
            // Twice, so that the statement is prepared on the way and beforehand.
            for round in [Int64(0), 10] {
                let results = try await database.batchResults([1, 2, 1, 3].map { AddUnique(number: $0 + round) })
                #expect(results.map { (try? $0.get()) != nil } == [true, true, false, true])
                #expect(throws: PersistenceError.self) { try results[2].get() }
                #expect(results[2].code == .uniqueViolation)
            }
            #expect(try await numbers() == [1, 2, 3, 11, 12, 13])

            let batch = try await failure { try await database.batch([4, 1, 5].map { AddUnique(number: $0) }) }
            #expect(batch.code == .uniqueViolation)
            let pipeline = try await failure {
                _ = try await database.pipeline(AddUnique(number: 6), AddUnique(number: 2))
            }
            #expect(pipeline.code == .uniqueViolation)
            let single = try await failure { _ = try await database.run(AddUnique(number: 3)) }
            #expect(single.code == .uniqueViolation)
            let statement = try await failure { try await database.execute("INSERT INTO deferred_numbers VALUES (3)") }
            #expect(statement.code == .uniqueViolation)
            #expect(try await numbers() == [1, 2, 3, 11, 12, 13])
            #expect(try await database.run(AddNumbers(left: 1, right: 2)) == 3)
            #expect(database.statistics.newConnections == 1)
        }
    }
}

extension Result where Failure == PersistenceError {
    fileprivate var code: PersistenceError.Code? {
        if case .failure(let error) = self { error.code } else { nil }
    }
}
