import InMemoryTracing
import PersistenceCore
import PersistenceMigrations
import PostgresEngine
import Synchronization
import Testing
import Tracing

private final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    var value: Int { count.load(ordering: .relaxed) }

    func increment() {
        count.add(1, ordering: .relaxed)
    }
}

@Suite(
    "Migrators at the same time, cancelled and cut off", .serialized, .enabled(if: TestServer.isExpected),
    .timeLimit(.minutes(6)))
struct ConcurrencyTests {
    @Test("of eight migrators that start together one applies everything, and all succeed")
    func race() async throws {
        try await MigrationFixture.with(MigrationFixture.threeTables) { (fixture) async throws in
            try fixture.folder.write("000004_slow.up.sql", "SELECT pg_sleep(0.3); CREATE TABLE d (id int)")
            let (configuration, path) = (fixture.test.configuration, fixture.folder.path)
            let reports = try await withThrowingTaskGroup(of: MigrationReport.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        // Each with a pool of its own, as processes have.
                        try await withDatabase(configuration) { (database) async throws in
                            // Patient, because the machine may be busy with other tests.
                            try await Migrator(
                                database: database, source: .directory(path),
                                configuration: .init(lockTimeout: .seconds(120))
                            ).up()
                        }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(reports.map(\.applied.count).sorted() == [0, 0, 0, 0, 0, 0, 0, 4])
            #expect(reports.allSatisfy { $0.current == SchemaVersion(4) })
            #expect(try await fixture.ledger == ["up 1", "up 2", "up 3", "up 4"])
        }
    }

    @Test("a concurrent index is built while other migrators wait for the lock")
    func concurrentIndex() async throws {
        let files = [
            "1_a.up.sql": "CREATE TABLE a AS SELECT generate_series(1, 100000) AS id",
            "2_i.up.sql": "-- persistence:no-transaction\nSELECT pg_sleep(0.3);\nCREATE INDEX CONCURRENTLY i ON a (id)",
        ]
        try await MigrationFixture.with(files) { (fixture) async throws in
            let (configuration, path) = (fixture.test.configuration, fixture.folder.path)
            let waiting = Counter()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        try await withDatabase(configuration) { (database) async throws in
                            let migrator = Migrator(database: database, source: .directory(path)) { event in
                                if case .waitingForLock = event { waiting.increment() }
                            }
                            try await migrator.up()
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(waiting.value > 0)
            let valid = try await fixture.database.one(
                "SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass", as: Bool.self)
            #expect(valid)
        }
    }

    @Test("a cancelled file in a transaction leaves nothing behind, and the lock is free")
    func cancelled() async throws {
        let files = [
            "1_a.up.sql": "CREATE TABLE a (id int)", "2_b.up.sql": "CREATE TABLE b (id int); SELECT pg_sleep(60)",
        ]
        try await MigrationFixture.with(files) { (fixture) async throws in
            let (database, path) = (fixture.database, fixture.folder.path)
            let (started, continuation) = AsyncStream<Void>.makeStream()
            let task = Task {
                try await Migrator(database: database, source: .directory(path)) { event in
                    if case .progressed(let step, _, _) = event, step.migration.version == 2 { continuation.yield() }
                }.up()
            }
            _ = await started.first { true }
            task.cancel()
            let error = await #expect(throws: PersistenceError.self) { try await task.value }
            #expect(error?.code == .cancelled)
            #expect(error?.summary.contains("2_b.up.sql") == true)
            #expect(try await fixture.tables == ["a"])
            #expect(try await fixture.versionRows == ["1"])
            try fixture.folder.write("2_b.up.sql", "CREATE TABLE b (id int)")
            // Another process need not wait for the connection to be reset.
            try await withDatabase(fixture.test.configuration) { other in
                let migrator = Migrator(
                    database: other, source: .directory(path), configuration: .init(lockTimeout: .zero))
                let report = try await migrator.up()
                #expect(report.applied.map(\.version) == [2])
            }
        }
    }

    @Test("a file outside a transaction that fails in one of its own gives up transaction and lock")
    func failureInOwnTransaction() async throws {
        let text = "-- persistence:no-transaction\nBEGIN;\nCREATE TABLE a (id int);\nSELECT 1/0;\nCOMMIT;"
        try await MigrationFixture.with(["1_a.up.sql": text]) { (fixture) async throws in
            let error = await fixture.fault { try await fixture.migrator().up() }
            #expect(error?.location?.hasSuffix("1_a.up.sql:4:1") == true)
            let path = fixture.folder.path
            try await withDatabase(fixture.test.configuration) { other in
                let migrator = Migrator(
                    database: other, source: .directory(path), configuration: .init(lockTimeout: .zero))
                try await migrator.force(nil)
            }
            #expect(try await fixture.tables == [])
            #expect(try await fixture.versionRows == [])
        }
    }

    @Test("a cancelled file outside a transaction is dirty")
    func cancelledOutside() async throws {
        let text = "-- persistence:no-transaction\nCREATE TABLE a (id int);\nSELECT pg_sleep(60);"
        try await MigrationFixture.with(["1_a.up.sql": text]) { (fixture) async throws in
            let (database, path) = (fixture.database, fixture.folder.path)
            let (started, continuation) = AsyncStream<Void>.makeStream()
            let task = Task {
                try await Migrator(database: database, source: .directory(path)) { event in
                    if case .progressed = event { continuation.yield() }
                }.up()
            }
            _ = await started.first { true }
            task.cancel()
            let error = await #expect(throws: PersistenceError.self) { try await task.value }
            #expect(error?.code == .cancelled)
            #expect(error?.summary.contains("dirty at version 1") == true)
            #expect(try await fixture.tables == ["a"])
            #expect(try await fixture.versionRows == ["1 dirty"])
            try await fixture.migrator().force(1)
        }
    }

    @Test("a migrator that is cancelled while it waits for the lock stops at once")
    func cancelledWaiting() async throws {
        try await MigrationFixture.with(MigrationFixture.threeTables) { (fixture) async throws in
            let (database, path) = (fixture.database, fixture.folder.path)
            try await fixture.database.withConnection { connection in
                let identifier = MigrationLockFixture.byURL(database: fixture.test.name)
                try await connection.execute("SELECT pg_advisory_lock(\(identifier))")
                let (started, continuation) = AsyncStream<Void>.makeStream()
                let task = Task {
                    try await Migrator(
                        database: database, source: .directory(path), configuration: .init(lockTimeout: .seconds(3600))
                    ) { event in
                        if case .waitingForLock = event { continuation.yield() }
                    }.up()
                }
                _ = await started.first { true }
                task.cancel()
                let error = await #expect(throws: PersistenceError.self) { try await task.value }
                #expect(error?.code == .cancelled)
                #expect(try await fixture.tables == [])
                try await connection.execute("SELECT pg_advisory_unlock(\(identifier))")
            }
        }
    }

    @Test("a connection that is lost in a file is told as that, and nothing of the file is applied")
    func lostConnection() async throws {
        let files = [
            "1_a.up.sql": "CREATE TABLE a (id int)",
            "2_b.up.sql": "CREATE TABLE b (id int); SELECT pg_terminate_backend(pg_backend_pid());",
        ]
        try await MigrationFixture.with(files) { (fixture) async throws in
            let error = await fixture.fault { try await fixture.migrator().up() }
            #expect(error?.summary.contains("2_b.up.sql") == true)
            #expect(error?.summary.contains("nothing of it is applied") == true)
            #expect(try await fixture.tables == ["a"])
            #expect(try await fixture.versionRows == ["1"])
            try fixture.folder.write("2_b.up.sql", "CREATE TABLE b (id int)")
            #expect(try await fixture.migrator().up().applied.map(\.version) == [2])
        }
    }

    @Test("a connection that is lost in a file outside a transaction leaves the database dirty")
    func lostConnectionOutside() async throws {
        let text =
            "-- persistence:no-transaction\nCREATE TABLE a (id int);\nSELECT pg_terminate_backend(pg_backend_pid());"
        try await MigrationFixture.with(["1_a.up.sql": text]) { (fixture) async throws in
            let error = await fixture.fault { try await fixture.migrator().up() }
            #expect(error?.summary.contains("dirty at version 1") == true)
            #expect(try await fixture.versionRows == ["1 dirty"])
        }
    }

    @Test("each file is a span of the kind migration")
    func tracing() async throws {
        try await MigrationFixture.with(MigrationFixture.threeTables) { (fixture) async throws in
            let tracer = InMemoryTracer()
            let path = fixture.folder.path
            try await withDatabase(fixture.test.configuration, instrumentation: Instrumentation(tracer: tracer)) {
                try await Migrator(database: $0, source: .directory(path)).up(limit: 2)
            }
            let names = tracer.finishedSpans.map(\.operationName).filter { $0.hasPrefix("migrate") }
            #expect(names == ["migrate up 1", "migrate up 2"])
        }
    }
}
