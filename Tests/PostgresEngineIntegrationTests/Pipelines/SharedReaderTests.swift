import PersistenceCore
import PostgresEngine
import Testing

@Suite("Shared readers", .engineServer)
struct SharedReaderTests {
    @Test("many tasks read on two connections, and each gets its own answer")
    func manyTasks() async throws {
        try await EngineTestServer.with { (database) async throws in
            let reader = try database.sharedReader(connections: 2)
            defer { reader.close() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in Int64(0)..<500 {
                    group.addTask {
                        let sum = try await reader.run(AddNumbers(left: number, right: 1))
                        #expect(sum == number + 1)
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("tasks beside the connections and elsewhere use them at the same time")
    func executors() async throws {
        try await EngineTestServer.with { (database) async throws in
            let reader = try database.sharedReader(connections: 2)
            defer { reader.close() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for task in Int64(0)..<60 {
                    group.addTask(executorPreference: task % 3 == 0 ? nil : database.executor) {
                        for number in task * 20..<task * 20 + 20 {
                            let sum = try await reader.run(AddNumbers(left: number, right: 1))
                            #expect(sum == number + 1)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("a task that is alone beside its connections is answered")
    func alone() async throws {
        try await EngineTestServer.with { (database) async throws in
            let reader = try database.sharedReader(connections: 2)
            defer { reader.close() }
            try await Task(executorPreference: database.executor) {
                for number in Int64(0)..<20 {
                    let sum = try await reader.run(AddNumbers(left: number, right: 1))
                    #expect(sum == number + 1)
                }
            }.value
        }
    }

    @Test("one task's error is its own")
    func errors() async throws {
        try await EngineTestServer.with { (database) async throws in
            let reader = try database.sharedReader(connections: 1)
            defer { reader.close() }
            await withTaskGroup(of: Void.self) { group in
                for number in Int64(0)..<100 {
                    group.addTask {
                        do throws(PersistenceError) {
                            let value = try await reader.run(DivideHundred(by: number % 3))
                            #expect(value == 100 / (number % 3))
                        } catch {
                            #expect(number % 3 == 0)
                            #expect(error.code == .invalidData)
                            #expect(error.operation == "DivideHundred")
                        }
                    }
                }
            }
        }
    }

    @Test("what is no read, or would change the session, is refused before it is sent")
    func refusals() async throws {
        try await EngineTestServer.withTable("n int") { (database, table) async throws in
            let reader = try database.sharedReader(connections: 1)
            defer { reader.close() }
            for statement: PostgresStatement in [
                "BEGIN", "SET search_path = x", "INSERT INTO \(table) VALUES (1)",
                "SELECT set_config('search_path', 'x', false)", "SELECT pg_advisory_lock(1)",
            ] {
                #expect(try await failure { try await reader.execute(statement) }.code == .invalidArgument)
            }
            let write = try await failure {
                try await reader.execute("WITH added AS (INSERT INTO \(table) VALUES (1) RETURNING n) TABLE added")
            }
            #expect(write.code == .readOnly)
            #expect(try await reader.one("SELECT count(*) FROM \(table)", as: Int64.self) == 0)
            #expect(throws: PersistenceError.self) { try database.sharedReader(connections: 0) }
        }
    }

    @Test("a cancelled task ends at once; its neighbours get their answers")
    func cancellation() async throws {
        try await EngineTestServer.with { (database) async throws in
            let reader = try database.sharedReader(connections: 1)
            defer { reader.close() }
            _ = try await reader.run(AddNumbers(left: 0, right: 0))
            let slow = Task { try await reader.one("SELECT 1 FROM pg_sleep(0.3)", as: Int32.self) }
            let neighbour = Task { try await reader.run(AddNumbers(left: 20, right: 22)) }
            slow.cancel()
            #expect(try await failure { _ = try await slow.value }.code == .cancelled)
            #expect(try await neighbour.value == 42)
            let late = try await failure {
                try await withDeadline(.milliseconds(20)) {
                    _ = try await reader.one("SELECT 1 FROM pg_sleep(0.3)", as: Int32.self)
                }
            }
            #expect(late.timeout == .statement)
            #expect(try await reader.run(AddNumbers(left: 1, right: 1)) == 2)
        }
    }

    @Test("a lost connection is opened again")
    func reconnection() async throws {
        try await EngineTestServer.with { (database) async throws in
            let reader = try database.sharedReader(connections: 1)
            defer { reader.close() }
            let process = try await reader.one("SELECT pg_backend_pid()", as: Int32.self)
            try await database.execute("SELECT pg_terminate_backend(\(process))")
            try await eventually("the reader has a new connection") {
                let now = try? await reader.one("SELECT pg_backend_pid()", as: Int32.self)
                return now != nil && now != process
            }
        }
    }
}
