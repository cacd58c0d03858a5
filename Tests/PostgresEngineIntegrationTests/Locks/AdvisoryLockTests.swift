import Foundation
import PersistenceCore
import PostgresEngine
import Testing

@Suite("Advisory locks", .engineServer)
struct AdvisoryLockTests {
    private func key() -> PostgresAdvisoryKey { PostgresAdvisoryKey(UUID().uuidString) }

    /// Asks on a connection that no test uses: on the holder's own the lock can be taken again.
    private func isFree(_ key: PostgresAdvisoryKey) async throws -> Bool {
        try await EngineTestServer.with { other in
            try await other.tryAdvisoryLock(key) { _ in true } ?? false
        }
    }

    @Test("a lock keeps others out while it is held, and no longer")
    func exclusive() async throws {
        try await EngineTestServer.with { database in
            let key = key()
            try await database.withAdvisoryLock(key) { (connection) async throws -> Void in
                #expect(try await connection.one("SELECT 7", as: Int32.self) == 7)
                #expect(try await !isFree(key))
                #expect(try await database.tryAdvisoryLock(key, mode: .shared) { _ in true } == nil)
                #expect(try await isFree(PostgresAdvisoryKey(Int64.random(in: .min ... .max))))
            }
            #expect(try await isFree(key))
            // The scope leaves nothing behind that the pool would have to undo.
            let left = try await database.one(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()", as: Int64.self)
            #expect(left == 0)
        }
    }

    @Test("shared locks admit each other and keep out the exclusive one")
    func shared() async throws {
        try await EngineTestServer.with { database in
            let key = key()
            try await database.withAdvisoryLock(key, mode: .shared) { (_) async throws -> Void in
                #expect(try await database.tryAdvisoryLock(key, mode: .shared) { _ in 1 } == 1)
                #expect(try await !isFree(key))
            }
            #expect(try await isFree(key))
        }
    }

    @Test("it is released when the work throws, and the error comes as it is")
    func bodyThrows() async throws {
        struct Own: Error {}
        try await EngineTestServer.with { (database) async throws -> Void in
            let key = key()
            await #expect(throws: Own.self) { try await database.withAdvisoryLock(key) { _ in throw Own() } }
            await #expect(throws: Own.self) { _ = try await database.tryAdvisoryLock(key) { _ in throw Own() } }
            #expect(try await isFree(key))
        }
    }

    @Test("it is released when the task is cancelled in the middle of the work")
    func bodyCancelled() async throws {
        try await EngineTestServer.with { database in
            let key = key()
            let task = Task {
                try await database.withAdvisoryLock(key) { (connection) async throws -> Void in
                    withUnsafeCurrentTask { $0?.cancel() }
                    _ = try await connection.execute("SELECT pg_sleep(60)")
                }
            }
            let thrown = try await failure { _ = try await task.value }
            #expect(thrown.code == .cancelled)
            #expect(try await isFree(key))
        }
    }

    @Test("waiting for it can run out, which names the wait, and the connection serves the next")
    func timeout() async throws {
        try await EngineTestServer.with { database in
            let key = key()
            try await database.withAdvisoryLock(key) { (_) async throws -> Void in
                for mode in PostgresLockMode.allCases {
                    let thrown = try await failure {
                        try await database.withAdvisoryLock(key, mode: mode, timeout: .milliseconds(30)) { _ in
                            _ = Issue.record("two have the lock")
                        }
                    }
                    #expect(thrown.code == .timeout)
                    #expect(thrown.timeout == .lock)
                }
                let transaction = try await failure {
                    try await database.withTransaction { try await $0.advisoryLock(key, timeout: .milliseconds(30)) }
                }
                #expect(transaction.timeout == .lock)
                let deadline = try await failure {
                    try await withDeadline(.milliseconds(30)) { try await database.withAdvisoryLock(key) { _ in } }
                }
                #expect(deadline.timeout == .lock)
            }
            #expect(database.statistics.newConnections <= 2)
        }
    }

    @Test("a waiter gets it when the holder lets go")
    func handOver() async throws {
        try await EngineTestServer.with { database in
            let key = key()
            let waiter = try await database.withAdvisoryLock(key) {
                (connection) async throws -> Task<Bool, any Error> in
                let waiter = Task { try await database.withAdvisoryLock(key, timeout: .seconds(30)) { _ in true } }
                try await eventually("somebody waits") {
                    try await connection.one(
                        """
                        SELECT exists(SELECT FROM pg_locks AS w JOIN pg_locks AS h
                            USING (locktype, database, classid, objid, objsubid)
                            WHERE h.locktype = 'advisory' AND h.pid = pg_backend_pid() AND NOT w.granted)
                        """, as: Bool.self)
                }
                return waiter
            }
            #expect(try await waiter.value)
        }
    }

    @Test("it nests on one connection")
    func nested() async throws {
        try await EngineTestServer.with { database in
            let key = key()
            try await database.withConnection { (connection) async throws -> Void in
                try await connection.withAdvisoryLock(key) {
                    try await connection.withAdvisoryLock(key) {}
                    #expect(try await !isFree(key))
                }
                #expect(try await isFree(key))
            }
        }
    }

    @Test("work that succeeded without the lock is told so: the connection was lost")
    func lostConnection() async throws {
        try await EngineTestServer.with { database in
            let key = key()
            let thrown = try await failure {
                try await database.withAdvisoryLock(key) { (connection) async throws -> Void in
                    let process = connection.backendProcess
                    try await database.execute("SELECT pg_terminate_backend(\(process))")
                }
            }
            #expect(thrown.code == .connection)
            #expect(thrown.summary.contains("advisory lock"))
            try await eventually("the server has released it") { try await isFree(key) }
        }
    }

    @Test("a lock that the work has released itself is reported")
    func releasedByBody() async throws {
        try await EngineTestServer.with { database in
            let thrown = try await failure {
                try await database.withAdvisoryLock(77_001) { (connection) async throws -> Void in
                    try await connection.execute("SELECT pg_advisory_unlock_all()")
                }
            }
            #expect(thrown.code == .invalidArgument)
        }
    }

    @Test("a transaction's lock lasts until its end")
    func transaction() async throws {
        try await EngineTestServer.with { database in
            let key = key()
            try await database.withTransaction { (transaction) async throws -> Void in
                try await transaction.advisoryLock(key)
                #expect(try await transaction.tryAdvisoryLock(key))
                #expect(try await !isFree(key))
                try await database.withTransaction { (other) async throws -> Void in
                    #expect(try await !other.tryAdvisoryLock(key))
                    // Not getting it is no error: the transaction goes on.
                    #expect(try await other.one("SELECT 7", as: Int32.self) == 7)
                }
            }
            #expect(try await isFree(key))
        }
    }

    @Test("a name is the number that the documentation says, and a NUL in it is refused")
    func names() async throws {
        try await EngineTestServer.with { database in
            let name = "jobs/é " + UUID().uuidString
            let number = try await database.one(
                "SELECT ('x' || encode(substr(sha256(convert_to(\(name), 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint",
                as: Int64.self)
            try await database.withAdvisoryLock(PostgresAdvisoryKey(name)) { (_) async throws -> Void in
                #expect(try await !isFree(PostgresAdvisoryKey(number)))
            }
            let thrown = try await failure { try await database.withAdvisoryLock("a\0b") { _ in } }
            #expect(thrown.code == .encoding)
            try await database.withAdvisoryLock("") { _ in }
        }
    }

    @Test("a handle that has gone back takes no lock")
    func finishedConnection() async throws {
        try await EngineTestServer.with { database in
            var kept: PostgresConnection?
            try await database.withConnection { kept = $0 }
            let thrown = try await failure { _ = try await kept?.withAdvisoryLock(1) {} }
            #expect(thrown.code == .transactionFinished)
        }
    }
}
